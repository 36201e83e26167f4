//! Why a benchmark run can't go on.

use nas_plugin_api::error::PluginError;

use crate::plugin::PluginLoadError;

/// Why a benchmark run can't go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A component can't be made.
    #[error("failed to {0}")]
    Load(#[from] PluginLoadError),
    /// The benchmark failed.
    #[error("benchmark `{benchmark}` failed to {source}{}", help(.source))]
    Benchmark {
        /// The benchmark.
        benchmark: String,
        /// What happened.
        source: PluginError,
    },
    /// The benchmark does not deliver what was asked for.
    #[error("benchmark `{benchmark}` delivers no `{name}` (it has {known})")]
    NotDelivered {
        /// The benchmark.
        benchmark: String,
        /// The measurement that is missing.
        name: String,
        /// What it delivers.
        known: String,
    },
    /// The space is larger than what is kept in memory.
    #[error("space `{space}` has {size:.2e} genotypes, more than {limit}")]
    TooLarge {
        /// The space.
        space: String,
        /// Its genotypes.
        size: f64,
        /// Most that are kept.
        limit: usize,
    },
    /// The strategy failed.
    #[error("`{strategy}` failed with seed {seed} to {source}{}", help(.source))]
    Strategy {
        /// The strategy.
        strategy: String,
        /// The seed of the search.
        seed: u64,
        /// What happened.
        source: PluginError,
    },
    /// The strategy proposes nothing that costs anything.
    #[error("`{strategy}` proposed {n} times in a row what costs nothing (seed {seed})")]
    NothingToEvaluate {
        /// The strategy.
        strategy: String,
        /// The seed of the search.
        seed: u64,
        /// How many.
        n: u32,
    },
    /// Nothing is to be made large or small.
    #[error("a search has no objective")]
    NoObjective,
    /// Nothing limits a search.
    #[error("nothing limits a search: give a budget or a number of evaluations")]
    NoLimit,
}

fn help(error: &PluginError) -> String {
    error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default()
}
