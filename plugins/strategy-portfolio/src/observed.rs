//! What was told, and what of it is learnt from.

use nas_plugin_api::genotype::Genotype;

/// Results in the order in which they were told.
pub(crate) struct Observed {
    results: Vec<(Genotype, f64)>,
    most: usize,
}

impl Observed {
    /// No results; at most so many will be learnt from.
    pub(crate) fn new(most: usize) -> Self {
        Self { results: Vec::new(), most }
    }

    /// Adds a result, of which larger is better; minus infinity for a trial without one.
    pub(crate) fn add(&mut self, genotype: &Genotype, gain: f64) {
        // NaN, which would break the order, becomes the worst there is.
        self.results.push((genotype.clone(), gain.max(f64::NEG_INFINITY)));
    }

    pub(crate) fn len(&self) -> usize {
        self.results.len()
    }

    /// What measured best.
    pub(crate) fn best(&self) -> Option<&Genotype> {
        let best = self.results.iter().reduce(|a, b| if b.1 > a.1 { b } else { a });
        best.map(|(genotype, _)| genotype)
    }

    /// All results, or the best and the latest of them.
    pub(crate) fn to_learn_from(&self) -> Vec<(Genotype, f64)> {
        let (most, n) = (self.most, self.results.len());
        if n <= most {
            return self.results.clone();
        }
        let mut order: Vec<usize> = (0..n).collect();
        let (older, latest) = order.split_at_mut(n - most / 3);
        older.sort_by(|&a, &b| self.results[b].1.total_cmp(&self.results[a].1));
        let kept = older.iter().take(most - most / 3).chain(latest.iter());
        kept.map(|&index| self.results[index].clone()).collect()
    }
}

/// Results with mean 0 and deviation 1; bad ones, which say little about good ones, are all as bad
/// as twice the way from the median down that the best tenth lies above it. Absent where all are
/// equal.
pub(crate) fn targets(observed: &[(Genotype, f64)]) -> Option<Vec<f64>> {
    let mut sorted: Vec<f64> =
        observed.iter().map(|(_, gain)| *gain).filter(|gain| gain.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let (median, high) = (sorted[last / 2], sorted[last * 9 / 10]);
    let floor = median - 2.0 * (high - median);
    let mut targets: Vec<f64> = observed.iter().map(|(_, gain)| gain.max(floor)).collect();
    let n = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / n;
    targets.iter_mut().for_each(|target| *target -= mean);
    let deviation = (targets.iter().map(|target| target * target).sum::<f64>() / n).sqrt();
    targets.iter_mut().for_each(|target| *target /= deviation);
    (deviation > 0.0 && deviation.is_finite()).then_some(targets)
}
