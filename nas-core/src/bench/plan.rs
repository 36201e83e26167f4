//! What is run.

use nas_plugin_api::trial::Fidelity;
use serde_json::Value;

use crate::settings::WarmStartSettings;

/// Which searches are run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The strategy's name.
    pub strategy: String,
    /// Its configuration, as [`crate::plugin::check_config()`] returned it.
    pub config: Value,
    /// What is evaluated before the strategy is asked.
    pub warm_start: Option<WarmStartSettings>,
    /// How many searches; their seeds follow each other.
    pub seeds: u32,
    /// Seed of the first search.
    pub first_seed: u64,
    /// What a search may spend, in the benchmark's [`Unit`]. The evaluation that crosses it counts
    /// still, as in NATS-Bench. Infinite where only evaluations are limited; time is then counted in
    /// them.
    pub budget: f64,
    /// Most evaluations of a search.
    pub max_evaluations: Option<u64>,
    /// How thoroughly networks are evaluated where a proposal does not say.
    pub fidelity: Fidelity,
    /// Searches at once.
    pub threads: usize,
}

/// What a budget is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds that the benchmark says evaluations would have taken.
    Seconds,
    /// Evaluations, where it does not say, or where only their number is limited.
    Evaluations,
}
