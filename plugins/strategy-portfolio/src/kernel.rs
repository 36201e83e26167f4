//! How alike genotypes are, and what is believed of one before it is trained.

use std::sync::Arc;

use nas_plugin_api::toolkit::rng::{Generator, RngExt};

use crate::views::{Differences, LONGEST, Views};

/// A genotype as it is compared.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) views: Arc<Views>,
    /// Normal scores of its proxies; empty where the run has none.
    pub(crate) scores: Vec<f64>,
}

/// What a process is made of, all of it drawn at random; what was observed decides which shapes count.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// Shares of alikeness by values, counts and paths, by proxies, and of what is linear in them;
    /// together 1.
    views_share: f64,
    proxies_share: f64,
    linear_share: f64,
    /// By view, its part and the difference at which alikeness has fallen to 1/e; parts sum to 1.
    views: [(f64, f64); 3],
    /// How much each proxy counts; together 1.
    relevances: Vec<f64>,
    /// The distance in standard deviations of proxies at which alikeness has fallen to e^(-1/2).
    proxies_length: f64,
    /// By how many deviations of the results one goes up where all proxies go up by one.
    slope: f64,
    /// Variance of what can't be explained, as a share of all.
    pub(crate) noise: f64,
}

/// What shapes are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ingredients {
    /// Proxies of the run.
    pub(crate) n_proxies: usize,
    /// Whether counts and paths are looked at beside values.
    pub(crate) structure: bool,
}

impl Shape {
    /// A shape, every part of it drawn without any preference.
    pub(crate) fn draw(ingredients: Ingredients, rng: &mut Generator) -> Self {
        let Ingredients { n_proxies, structure } = ingredients;
        let has_proxies = n_proxies > 0;
        let kinds = if has_proxies { shares(3, rng) } else { vec![1.0, 0.0, 0.0] };
        let parts = if structure { shares(3, rng) } else { vec![1.0, 0.0, 0.0] };
        // From what tells nearly all genotypes apart to what tells hardly any.
        let lengths = [between(1.0, 4.0, rng), between(2.0, 16.0, rng), between(1.5, 6.0, rng)];
        Self {
            views_share: kinds[0],
            proxies_share: kinds[1],
            linear_share: kinds[2],
            views: [0, 1, 2].map(|view| (parts[view], lengths[view])),
            relevances: shares(n_proxies, rng),
            proxies_length: between(0.5, 4.0, rng),
            slope: if has_proxies { rng.random::<f64>() } else { 0.0 },
            noise: between(0.003, 0.3, rng),
        }
    }
}

/// So many numbers that sum to 1, every such choice being as likely (a Dirichlet distribution).
fn shares(n: usize, rng: &mut Generator) -> Vec<f64> {
    let drawn: Vec<f64> = (0..n).map(|_| -(1.0 - rng.random::<f64>()).ln()).collect();
    let sum: f64 = drawn.iter().sum();
    drawn.iter().map(|share| share / sum.max(f64::MIN_POSITIVE)).collect()
}

/// A number between two, its logarithm being uniform.
fn between(low: f64, high: f64, rng: &mut Generator) -> f64 {
    low * (high / low).powf(rng.random::<f64>())
}

/// A shape made ready: exponentials of all differences, and scores weighted.
pub(crate) struct Kernel {
    tables: [[f64; LONGEST + 1]; 3],
    /// By proxy, how much its distance counts.
    relevances: Vec<f64>,
    proxies_share: f64,
    linear_share: f64,
    views_share: f64,
    /// What a squared distance is multiplied with.
    per_square: f64,
    slope: f64,
}

impl Kernel {
    pub(crate) fn new(shape: &Shape) -> Self {
        let table = |(part, length): (f64, f64)| {
            let alike = |difference| (-(difference as f64) / length).exp();
            std::array::from_fn(|difference| shape.views_share * part * alike(difference))
        };
        Self {
            tables: shape.views.map(table),
            relevances: shape.relevances.clone(),
            proxies_share: shape.proxies_share,
            linear_share: shape.linear_share,
            views_share: shape.views_share,
            per_square: -0.5 / (shape.proxies_length * shape.proxies_length),
            slope: shape.slope,
        }
    }

    /// How much two results vary together; the differences of the views are given.
    pub(crate) fn of(&self, differences: Differences, a: &[f64], b: &[f64]) -> f64 {
        let Differences { values, counts, paths } = differences;
        let [by_values, by_counts, by_paths] = &self.tables;
        let views = by_values[usize::from(values)]
            + by_counts[usize::from(counts)]
            + by_paths[usize::from(paths)];
        if a.is_empty() {
            return views;
        }
        let (mut square, mut product) = (0.0, 0.0);
        for ((a, b), relevance) in a.iter().zip(b).zip(&self.relevances) {
            square += relevance * (a - b) * (a - b);
            product += relevance * a * b;
        }
        let alike = (self.per_square * square).exp();
        views + self.proxies_share * alike + self.linear_share * product
    }

    /// How much a result varies.
    pub(crate) fn variance(&self, scores: &[f64]) -> f64 {
        let squares =
            scores.iter().zip(&self.relevances).map(|(score, share)| share * score * score);
        self.views_share + self.proxies_share + self.linear_share * squares.sum::<f64>()
    }

    /// What a result is thought to be before anything was observed.
    pub(crate) fn mean(&self, scores: &[f64]) -> f64 {
        self.slope * scores.iter().sum::<f64>() / scores.len().max(1) as f64
    }
}
