//! Zero-cost proxies of untrained networks, made comparable.

use std::collections::HashMap;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;

/// The untrained networks that were measured.
pub(crate) struct Pool {
    names: Vec<String>,
    genotypes: Vec<Genotype>,
    places: HashMap<Genotype, usize>,
    /// By proxy and network; NaN where it could not be computed.
    values: Vec<Vec<f64>>,
    /// By network and proxy: the normal score of the value among all.
    scores: Vec<f64>,
    is_scored: bool,
}

impl Pool {
    /// A pool without networks; without names too where the run has no proxies.
    pub(crate) fn new(names: Vec<String>) -> Self {
        let values = vec![Vec::new(); names.len()];
        let (genotypes, places, scores) = (Vec::new(), HashMap::new(), Vec::new());
        Self { names, genotypes, places, values, scores, is_scored: true }
    }

    /// Number of proxies.
    pub(crate) fn n_proxies(&self) -> usize {
        self.names.len()
    }

    /// The networks, in the order in which they were added.
    pub(crate) fn genotypes(&self) -> &[Genotype] {
        &self.genotypes
    }

    pub(crate) fn contains(&self, genotype: &Genotype) -> bool {
        self.places.contains_key(genotype)
    }

    /// Adds a network; what was measured may lack proxies, or all of them.
    pub(crate) fn add(&mut self, genotype: &Genotype, measured: &Measurements) {
        if self.contains(genotype) {
            return;
        }
        self.places.insert(genotype.clone(), self.genotypes.len());
        self.genotypes.push(genotype.clone());
        for (values, name) in self.values.iter_mut().zip(&self.names) {
            let value = measured.get(name).filter(|value| value.is_finite());
            values.push(value.unwrap_or(f64::NAN));
        }
        self.is_scored = false;
    }

    /// Takes all networks so far into account.
    pub(crate) fn score(&mut self) {
        if std::mem::replace(&mut self.is_scored, true) {
            return;
        }
        let n_proxies = self.n_proxies();
        self.scores = vec![0.0; self.genotypes.len() * n_proxies];
        for (proxy, values) in self.values.iter().enumerate() {
            for (place, score) in normal_scores(values) {
                self.scores[place * n_proxies + proxy] = score;
            }
        }
    }

    /// The scores of a network when the pool was scored last: 0, which is the middle, for proxies
    /// that could not be computed and for networks that were not measured.
    pub(crate) fn scores(&self, genotype: &Genotype) -> Vec<f64> {
        let n = self.n_proxies();
        let scores =
            self.places.get(genotype).and_then(|place| self.scores.get(place * n..)?.get(..n));
        scores.map_or_else(|| vec![0.0; n], <[f64]>::to_vec)
    }

    /// How good the proxies together say that a network is: the mean of its scores.
    pub(crate) fn promise(&self, genotype: &Genotype) -> f64 {
        self.scores(genotype).iter().sum::<f64>() / self.n_proxies().max(1) as f64
    }
}

/// Places of the numbers that are there, with the quantile of the standard normal distribution at
/// which each stands among all; equal numbers share one. Whatever the numbers' distribution is, their
/// scores have the same.
fn normal_scores(values: &[f64]) -> Vec<(usize, f64)> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&i| !values[i].is_nan()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let n = order.len() as f64;
    let mut scores = Vec::with_capacity(order.len());
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = scores.len() as f64 + equal.len() as f64 / 2.0;
        let score = normal_quantile(rank / n);
        scores.extend(equal.iter().map(|&place| (place, score)));
    }
    scores
}

/// The number below which this share of a standard normal distribution lies, to 5e-4.
///
/// # Source
/// Abramowitz, Stegun. Handbook of mathematical functions, 1964, 26.2.23.
fn normal_quantile(share: f64) -> f64 {
    let t = (-2.0 * share.min(1.0 - share).ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let distance = t - above / below;
    if share < 0.5 { -distance } else { distance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (share, quantile) in [(0.5, 0.0), (0.975, 1.959_964), (0.01, -2.326_348)] {
            assert!((normal_quantile(share) - quantile).abs() < 5e-4);
        }
    }

    #[test]
    fn scores_depend_on_the_order_alone_and_missing_ones_are_in_the_middle() {
        let mut pool = Pool::new(vec!["synflow".to_owned()]);
        let network = |place: u16| Genotype(vec![place]);
        for (place, value) in [(0, 7.0), (1, 1e9), (2, 7.0), (3, f64::NAN), (4, -3.0)] {
            pool.add(&network(place), &Measurements::from([("synflow", value)]));
        }
        pool.add(&network(5), &Measurements::default());
        pool.score();
        let promise = |place| pool.promise(&network(place));
        assert_eq!((promise(3), promise(5), promise(6)), (0.0, 0.0, 0.0));
        assert_eq!(promise(0), promise(2));
        assert!((promise(1) + promise(4)).abs() < 1e-12 && promise(1) > promise(0));
    }
}
