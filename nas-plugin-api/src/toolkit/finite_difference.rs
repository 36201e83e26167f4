//! The check that every pull-back here has to pass.

/// Compares a pull-back with central differences of `gradient · relax(alpha)`.
#[track_caller]
pub(super) fn check(
    alpha: &[f64],
    gradient: &[f64],
    relax: impl Fn(&[f64]) -> Vec<f64>,
    pulled_back: &[f64],
) {
    const STEP: f64 = 1e-5;
    let loss = |alpha: &[f64]| relax(alpha).iter().zip(gradient).map(|(w, g)| w * g).sum::<f64>();
    for (place, &found) in pulled_back.iter().enumerate() {
        let at = |offset: f64| {
            let mut moved = alpha.to_vec();
            moved[place] += offset;
            loss(&moved)
        };
        let expected = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let tolerance = 1e-7 * (1.0 + expected.abs());
        assert!((expected - found).abs() < tolerance, "{place}: {expected} against {found}");
    }
}
