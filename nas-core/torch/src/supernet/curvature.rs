//! The largest eigenvalue of a Hessian of which only gradients are known.

/// The end of a Hessian's spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spectrum {
    /// The largest signed eigenvalue.
    pub largest: f64,
    /// Length of what is left of its eigenvector's equation: how far the value may be off.
    pub residual: f64,
}

/// The gradient at a point.
pub type Gradient<'a, E> = dyn FnMut(&[f64]) -> Result<Vec<f64>, E> + 'a;

/// Gradients are compared at points this far on either side. So small because of the bends in the
/// loss: a ReLU or a maximum that flips in between adds a jump divided by this distance, and at
/// 1e-2 a small supernet of the darts space has an eigenvalue of 4 where its Hessian's is 0.24. It
/// takes gradients in 64 bits.
const DISTANCE: f64 = 1e-8;

/// The largest signed eigenvalue, by Lanczos' method with full reorthogonalisation; products of the
/// Hessian with a vector are central differences of `gradient`, which has to be exact to about 64
/// bits.
///
/// # Errors
/// Those of `gradient`.
///
/// # Source
/// Zela et al., Understanding and robustifying DARTS, ICLR 2020, section 4 (the signal);
/// `automl/RobustDARTS@3dec3fe`: src/search/analyze.py computes the exact Hessian. Lanczos: Golub
/// and Van Loan, Matrix Computations, section 10.1. Power iteration would find the eigenvalue of
/// largest magnitude instead.
pub fn largest_eigenvalue<E>(
    point: &[f64],
    n_iterations: usize,
    gradient: &mut Gradient<'_, E>,
) -> Result<Spectrum, E> {
    // Positions without a gradient stay where they are.
    let free: Vec<usize> = (0..point.len()).filter(|&at| point[at].is_finite()).collect();
    let n = free.len();
    if n == 0 {
        return Ok(Spectrum { largest: 0.0, residual: 0.0 });
    }
    let mut product = |v: &[f64]| -> Result<Vec<f64>, E> {
        let mut moved = point.to_vec();
        let mut side = |sign: f64| {
            for (&at, &along) in free.iter().zip(v) {
                moved[at] = point[at] + sign * DISTANCE * along;
            }
            gradient(&moved)
        };
        let (above, below) = (side(1.0)?, side(-1.0)?);
        Ok(free
            .iter()
            .map(|&at| (above[at] - below[at]) / (2.0 * DISTANCE))
            .map(|slope| if slope.is_finite() { slope } else { 0.0 })
            .collect())
    };
    // A start that no symmetry of the architecture makes orthogonal to what is looked for.
    let start: Vec<f64> = (0..n).map(|at| 1.0 + 0.5 * (1.7 * at as f64 + 0.3).sin()).collect();
    let mut basis: Vec<Vec<f64>> = vec![scaled(&start, 1.0 / norm(&start))];
    let (mut diagonal, mut beside): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut left = 0.0;
    for step in 0..n_iterations.clamp(1, n) {
        let mut w = product(&basis[step])?;
        diagonal.push(dot(&w, &basis[step]));
        // Twice is enough (Parlett).
        for _ in 0..2 {
            for v in &basis {
                let along = dot(&w, v);
                w.iter_mut().zip(v).for_each(|(w, v)| *w -= along * v);
            }
        }
        left = norm(&w);
        if left < 1e-12 || step + 1 == n_iterations.clamp(1, n) {
            break;
        }
        beside.push(left);
        basis.push(scaled(&w, 1.0 / left));
    }
    let (largest, last) = largest_of_tridiagonal(&diagonal, &beside);
    Ok(Spectrum { largest, residual: (left * last).abs() })
}

/// The largest eigenvalue of a symmetric tridiagonal matrix, by bisection on the number of
/// eigenvalues above; and the last entry of its eigenvector.
fn largest_of_tridiagonal(diagonal: &[f64], beside: &[f64]) -> (f64, f64) {
    let n = diagonal.len();
    let reach = |row: usize| {
        let before = if row > 0 { beside[row - 1].abs() } else { 0.0 };
        before + beside.get(row).map_or(0.0, |b| b.abs())
    };
    let bound = |sign: f64| {
        (0..n).map(|row| sign * diagonal[row] + reach(row)).fold(f64::NEG_INFINITY, f64::max)
    };
    let (mut low, mut high) = (-bound(-1.0), bound(1.0));
    // Sturm: the number of negative pivots of T − x is that of eigenvalues below x.
    let all_below = |x: f64| {
        let mut pivot = diagonal[0] - x;
        let mut n_below = usize::from(pivot < 0.0);
        for row in 1..n {
            let safe = if pivot == 0.0 { f64::MIN_POSITIVE } else { pivot };
            pivot = diagonal[row] - x - beside[row - 1].powi(2) / safe;
            n_below += usize::from(pivot < 0.0);
        }
        n_below == n
    };
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if all_below(middle) { high = middle } else { low = middle }
    }
    let value = 0.5 * (low + high);
    // The eigenvector, from its first entry on.
    let mut vector = vec![1.0; n];
    for row in 0..n.saturating_sub(1) {
        let before = if row > 0 { beside[row - 1] * vector[row - 1] } else { 0.0 };
        vector[row + 1] = ((value - diagonal[row]) * vector[row] - before) / beside[row];
    }
    let length = norm(&vector);
    let last = vector[n - 1] / length;
    (value, if last.is_finite() { last } else { 0.0 })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(v: &[f64]) -> f64 {
    dot(v, v).sqrt()
}

fn scaled(v: &[f64], factor: f64) -> Vec<f64> {
    v.iter().map(|x| x * factor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradient of ½·xᵀAx for A = Q·diag·Qᵀ with a Householder Q.
    fn quadratic(eigenvalues: &[f64]) -> impl Fn(&[f64]) -> Vec<f64> {
        let n = eigenvalues.len();
        let mirror: Vec<f64> = (0..n).map(|at| (0.9 * at as f64).cos()).collect();
        let reflect = move |x: &[f64]| {
            let along = 2.0 * dot(&mirror, x) / dot(&mirror, &mirror);
            x.iter().zip(&mirror).map(|(x, m)| x - along * m).collect::<Vec<f64>>()
        };
        let eigenvalues = eigenvalues.to_vec();
        move |x| {
            let turned: Vec<f64> =
                reflect(x).iter().zip(&eigenvalues).map(|(x, value)| x * value).collect();
            reflect(&turned)
        }
    }

    #[track_caller]
    fn check(eigenvalues: &[f64], n_iterations: usize, expected: f64) {
        let gradient = quadratic(eigenvalues);
        let point = vec![0.1; eigenvalues.len()];
        let found = largest_eigenvalue::<()>(&point, n_iterations, &mut |x| Ok(gradient(x)));
        let found = found.unwrap();
        // What is left of 16 digits behind a difference over 1e-8.
        assert!((found.largest - expected).abs() < 1e-5, "{found:?}, expected {expected}");
        assert!(found.residual < 1e-3, "{found:?}");
    }

    #[test]
    fn it_is_the_largest_signed_one() {
        check(&[-10.0, 1.0, 0.5, 0.2], 4, 1.0);
        check(&[3.0, 1.0, 0.5, -0.2], 4, 3.0);
        check(&[-3.0, -1.0, -0.5, -0.2], 4, -0.2);
        check(&[2.0], 5, 2.0);
        let many: Vec<f64> = (0..112).map(|at| -5.0 + 0.05 * f64::from(at)).chain([4.0]).collect();
        check(&many, 20, 4.0);
    }

    #[test]
    fn positions_without_weight_stay_out() {
        let point = [0.0, f64::NAN, 0.0];
        let mut gradient = |x: &[f64]| Ok::<_, ()>(vec![2.0 * x[0], f64::NAN, 5.0 * x[2]]);
        let found = largest_eigenvalue(&point, 10, &mut gradient).unwrap();
        assert!((found.largest - 5.0).abs() < 1e-5);
    }
}
