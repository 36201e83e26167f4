//! The `[supernet]` table of a configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::recipe::Recipe;

/// How a one-shot strategy's supernet is built and trained, and what follows. The strategy's own
/// settings hold its epochs and schedules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SupernetSettings {
    /// Channels of the supernet's first stage; those of `[space]` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 8192))]
    pub channels: Option<usize>,
    /// Cells of the supernet, or cells a stage; those of `[space]` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub cells: Option<usize>,
    /// Share of the training split that network weights are trained on.
    #[schemars(range(min = 0.001, max = 1.0))]
    pub data_fraction: f64,
    /// Threads of the supernet's worker; 0 means those of all workers together.
    #[schemars(range(min = 0, max = 1024))]
    pub threads: usize,
    /// How many of the derived genotypes are trained from scratch, best first.
    #[schemars(range(min = 1, max = 1000))]
    pub derive: usize,
    /// How many random genotypes of the same space are trained at the same cost beside them.
    #[schemars(range(min = 0, max = 1000))]
    pub baseline: usize,
    /// Signals to take each epoch besides the cheap ones and those that a policy needs
    /// (`hessian_eigenvalue`).
    pub signals: Vec<String>,
    /// Checkpoints that are kept, the newest ones: a search can go back as far as these reach.
    #[schemars(range(min = 2, max = 100000))]
    pub keep_checkpoints: u32,
    /// How often in a row a worker that died is replaced before the search stops.
    #[schemars(range(min = 0, max = 1000))]
    pub retries: u32,
    /// Wall seconds of the search on the supernet; its last epoch counts when they are used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e9))]
    pub wall_seconds: Option<f64>,
    /// Processor seconds of the search on the supernet; its last epoch counts when they are used
    /// up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e12))]
    pub cpu_seconds: Option<f64>,
    /// Longest that the worker may be silent before it counts as dead, in seconds.
    #[schemars(range(min = 0.1, max = 1e9))]
    pub silence_seconds: f64,
    /// Most resident memory of the worker, in bytes; that of a trial where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 67108864))]
    pub memory_bytes: Option<u64>,
    /// What strategies that look at the price of a path (`proxyless`, `spos`) are told of it.
    pub path_cost: PathCost,
    /// How network weights are trained until the strategy says otherwise.
    pub training: Recipe,
}

/// What a path costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PathCost {
    /// Multiply-adds of one example.
    #[default]
    MultiplyAdds,
    /// Milliseconds of one example, measured on the search's own device and threads when it begins,
    /// each operation alone.
    Latency,
}

impl Default for SupernetSettings {
    fn default() -> Self {
        Self {
            channels: None,
            cells: None,
            data_fraction: 1.0,
            threads: 0,
            derive: 1,
            baseline: 3,
            signals: Vec::new(),
            keep_checkpoints: 16,
            retries: 2,
            wall_seconds: None,
            cpu_seconds: None,
            silence_seconds: 3600.0,
            memory_bytes: None,
            path_cost: PathCost::default(),
            training: Recipe::default(),
        }
    }
}
