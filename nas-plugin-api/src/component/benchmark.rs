//! Benchmarks: evaluators that need no training.

use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::measurement::Measurements;
use crate::template::Space;
use crate::trial::Fidelity;

/// Looks results up (a table, a surrogate) instead of training.
pub trait Benchmark: Send {
    /// Is told the space, once, before anything is evaluated.
    ///
    /// # Errors
    /// A space that this benchmark does not cover.
    fn begin(&mut self, space: &Space) -> Result<(), PluginError>;

    /// Names of the measurements that it delivers.
    fn delivers(&self) -> Vec<String>;

    /// The measurements of these genotypes, in order.   \[configured, begun\]
    ///
    /// `seeds` has one seed per genotype, for tables with several runs of each.
    ///
    /// # Errors
    /// Only what ends the search; a genotype without an entry gives empty measurements.
    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        seeds: &[u64],
    ) -> Result<Vec<Measurements>, PluginError>;
}
