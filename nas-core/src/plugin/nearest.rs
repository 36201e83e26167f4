//! The name that a person may have meant.

/// The known name most like `name`, if one is like it at all.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this, a suggestion is more confusing than none (`jaro_winkler` is 1 for equal words).
    const ALIKE: f64 = 0.75;
    let plain = |word: &str| word.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&plain(name), &plain(word)), word))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[track_caller]
    fn check(name: &str, known: &[&str], expected: Option<&str>) {
        assert_eq!(nearest(name, known.iter().copied()), expected);
    }

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        check("populaton", &["population", "generations"], Some("population"));
        check("Mutation_Rate", &["mutation-rate", "population"], Some("mutation-rate"));
        check("zzz", &["population", "generations"], None);
        check("x", &[], None);
    }
}
