//! What a benchmark knows of untrained networks.

use nas_plugin_api::measurement::{Measurements, names};

/// Zero-cost proxies of all genotypes of a space.
#[derive(Clone, Debug)]
pub struct Untrained {
    proxies: Vec<String>,
    /// By genotype and proxy; NaN where there is none.
    values: Vec<f64>,
    /// By genotype, what taking them costs; NaN where the benchmark does not say.
    seconds: Vec<f64>,
}

impl Untrained {
    pub(super) fn new(proxies: &[String]) -> Self {
        Self { proxies: proxies.to_vec(), values: Vec::new(), seconds: Vec::new() }
    }

    /// Adds the next genotype.
    pub(super) fn push(&mut self, measured: &Measurements) {
        let get = |name: &str| measured.get(name).unwrap_or(f64::NAN);
        self.values.extend(self.proxies.iter().map(|name| get(name)));
        self.seconds.push(get(names::SIMULATED_SECONDS));
    }

    /// The proxies of the genotype at a place; those that could not be computed are absent.
    #[must_use]
    pub fn measurements(&self, place: usize) -> Measurements {
        let n = self.proxies.len();
        let values = self.values[place * n..][..n].iter();
        let present = self.proxies.iter().zip(values).filter(|(_, value)| !value.is_nan());
        Measurements(present.map(|(name, &value)| (name.clone(), value)).collect())
    }

    /// What taking those of all genotypes costs, in seconds.
    pub(super) fn all_seconds(&self) -> f64 {
        (0..self.seconds.len()).map(|place| self.seconds(place)).sum()
    }

    /// What taking them costs, in seconds; 0 where the benchmark does not say.
    #[must_use]
    pub fn seconds(&self, place: usize) -> f64 {
        Some(self.seconds[place]).filter(|seconds| !seconds.is_nan()).unwrap_or(0.0)
    }
}
