//! Comparing points by several objectives at once.
//!
//! A point has one number per objective, each turned so that larger is better
//! ([`crate::objective::Objective::gain`]). A number that is not finite is allowed; NaN counts as
//! worse than everything.
//!
//! # Source
//! Deb, Pratap, Agarwal, Meyarivan. A fast and elitist multiobjective genetic algorithm: NSGA-II.
//! IEEE Transactions on Evolutionary Computation 6, 2002, sections III.A and III.B.

/// Whether `a` is nowhere worse than `b` and somewhere better.
///
/// # Panics
/// If the points have different numbers of objectives.
#[must_use]
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    assert_eq!(a.len(), b.len(), "points of one comparison have the same objectives");
    let mut better = false;
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (rank_nan(a), rank_nan(b));
        if a < b {
            return false;
        }
        better |= a > b;
    }
    better
}

/// Sorts points into fronts: positions of the points that none dominates, then of those that only
/// they dominate, and so on. Each front is in rising order of positions.
///
/// # Panics
/// If the points have different numbers of objectives.
#[must_use]
pub fn fronts<P: AsRef<[f64]>>(points: &[P]) -> Vec<Vec<usize>> {
    let mut dominated: Vec<Vec<usize>> = vec![Vec::new(); points.len()];
    let mut n_above: Vec<usize> = vec![0; points.len()];
    for (i, a) in points.iter().enumerate() {
        for (j, b) in points.iter().enumerate().skip(i + 1) {
            let (a, b) = (a.as_ref(), b.as_ref());
            if dominates(a, b) {
                dominated[i].push(j);
                n_above[j] += 1;
            } else if dominates(b, a) {
                dominated[j].push(i);
                n_above[i] += 1;
            }
        }
    }
    let mut fronts = Vec::new();
    let mut front: Vec<usize> = (0..points.len()).filter(|&i| n_above[i] == 0).collect();
    while !front.is_empty() {
        let mut next = Vec::new();
        for &i in &front {
            for &j in &dominated[i] {
                n_above[j] -= 1;
                if n_above[j] == 0 {
                    next.push(j);
                }
            }
        }
        next.sort_unstable();
        fronts.push(std::mem::replace(&mut front, next));
    }
    fronts
}

/// How much room each point of a front has, in the front's order: the sum over objectives of the
/// distance between its two neighbours, as a share of the front's range; infinite at the ends.
///
/// # Panics
/// If `front` names a point that does not exist.
#[must_use]
pub fn crowding_distance<P: AsRef<[f64]>>(points: &[P], front: &[usize]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    let n_objectives = front.first().map_or(0, |&point| points[point].as_ref().len());
    for objective in 0..n_objectives {
        let value = |place: usize| rank_nan(points[front[place]].as_ref()[objective]);
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
        let range = value(order[order.len() - 1]) - value(order[0]);
        distances[order[0]] = f64::INFINITY;
        distances[order[order.len() - 1]] = f64::INFINITY;
        for three in order.windows(3) {
            let gap = value(three[2]) - value(three[0]);
            if range > 0.0 && gap.is_finite() {
                distances[three[1]] += gap / range;
            }
        }
    }
    distances
}

/// The volume that points dominate above `reference`; points that are not above it in every
/// objective add nothing.
///
/// Slices along the last objective, and then the slices; with two objectives that takes the square
/// of the number of points, and so much more for each objective more.
///
/// # Panics
/// If a point has another number of objectives than `reference`.
/// # Source
/// While, Hingston, Barone, Huband. A faster algorithm for calculating hypervolume. IEEE
/// Transactions on Evolutionary Computation 10, 2006 (hypervolume by slicing objectives).
#[must_use]
pub fn hypervolume<P: AsRef<[f64]>>(points: &[P], reference: &[f64]) -> f64 {
    let is_above = |point: &[f64]| {
        assert_eq!(point.len(), reference.len(), "points have the reference's objectives");
        point.iter().zip(reference).all(|(value, reference)| value > reference)
    };
    let mut above: Vec<&[f64]> = points.iter().map(AsRef::as_ref).filter(|p| is_above(p)).collect();
    volume_above(&mut above, reference)
}

/// The same for points that are all above the reference.
fn volume_above(points: &mut [&[f64]], reference: &[f64]) -> f64 {
    let Some((&floor, rest)) = reference.split_last() else { return 0.0 };
    let last = rest.len();
    if rest.is_empty() {
        return points.iter().map(|point| point[0] - floor).fold(0.0, f64::max);
    }
    points.sort_by(|a, b| b[last].total_cmp(&a[last]));
    let mut volume = 0.0;
    for above in 1..=points.len() {
        let next = points.get(above).map_or(floor, |point| point[last]);
        let thickness = points[above - 1][last] - next;
        if thickness > 0.0 {
            let mut slice: Vec<&[f64]> = points[..above].iter().map(|p| &p[..last]).collect();
            volume += thickness * volume_above(&mut slice, rest);
        }
    }
    volume
}

fn rank_nan(value: f64) -> f64 {
    if value.is_nan() { f64::NEG_INFINITY } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn domination_needs_one_better_and_none_worse() {
        assert!(dominates(&[1.0, 2.0], &[1.0, 1.0]));
        assert!(!dominates(&[1.0, 1.0], &[1.0, 1.0]));
        assert!(!dominates(&[2.0, 0.0], &[1.0, 1.0]));
        assert!(dominates(&[0.0], &[f64::NAN]));
    }

    #[test]
    fn fronts_peel_off() {
        let points = [[1.0, 5.0], [3.0, 3.0], [5.0, 1.0], [2.0, 2.0], [1.0, 1.0], [3.0, 3.0]];
        assert_eq!(fronts(&points), vec![vec![0, 1, 2, 5], vec![3], vec![4]]);
        assert!(fronts::<[f64; 2]>(&[]).is_empty());
    }

    #[test]
    fn the_middle_of_a_front_has_a_finite_distance() {
        let points = [[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]];
        assert_eq!(crowding_distance(&points, &[1, 0, 2]), [2.0, f64::INFINITY, f64::INFINITY]);
        assert_eq!(crowding_distance(&points, &[1]), [f64::INFINITY]);
        assert!(crowding_distance(&points, &[]).is_empty());
    }

    #[test]
    fn hypervolume_counts_shared_area_once() {
        let points = [[1.0, 3.0], [3.0, 1.0], [2.0, 2.0], [1.0, 1.0], [-1.0, 9.0]];
        assert_eq!(hypervolume(&points, &[0.0, 0.0]), 6.0);
        assert_eq!(hypervolume(&points, &[3.0, 3.0]), 0.0);
        assert_eq!(hypervolume(&[[2.0], [5.0]], &[1.0]), 4.0);
    }

    #[test]
    fn hypervolume_of_three_boxes_is_that_of_their_union() {
        let points = [[3.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 3.0]];
        // Three of 3, less what is counted thrice: the cube of 1.
        assert_eq!(hypervolume(&points, &[0.0; 3]), 7.0);
    }

    proptest! {
        #[test]
        fn fronts_keep_their_order(
            points in prop::collection::vec(prop::collection::vec(-3_i32..3, 3), 0..40),
        ) {
            let points: Vec<Vec<f64>> =
                points.into_iter().map(|p| p.into_iter().map(f64::from).collect()).collect();
            let fronts = fronts(&points);
            prop_assert_eq!(fronts.iter().map(Vec::len).sum::<usize>(), points.len());
            for (depth, front) in fronts.iter().enumerate() {
                for &i in front {
                    let beaten_by = |f: &[usize]| f.iter().any(|&j| dominates(&points[j], &points[i]));
                    prop_assert!(!beaten_by(front));
                    prop_assert!(depth == 0 || beaten_by(&fronts[depth - 1]));
                }
            }
        }

        #[test]
        fn a_point_more_never_lessens_the_hypervolume(
            points in prop::collection::vec((0.0..1.0, 0.0..1.0), 1..20),
        ) {
            let points: Vec<[f64; 2]> = points.into_iter().map(|(x, y)| [x, y]).collect();
            let all = hypervolume(&points, &[0.0, 0.0]);
            prop_assert!(all <= 1.0);
            prop_assert!(hypervolume(&points[1..], &[0.0, 0.0]) <= all + 1e-12);
            prop_assert!(all >= points[0][0] * points[0][1] - 1e-12);
        }
    }
}
