//! The settings of a run: what a configuration file says, with every default filled in.
//!
//! The host reads TOML and command-line overrides into a [`Settings`]; the journal stores it; the
//! book's configuration reference is generated from its schema.

use std::path::PathBuf;

use nas_plugin_api::component::ComponentKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::budget::{Budget, QuotaSettings};
use crate::journal::ControlKind;
use crate::one_shot::SupernetSettings;
use crate::plugin::Isolation;
use crate::protocol::data::DataConfig;
use crate::protocol::recipe::Recipe;
use crate::search::KeepWeights;
use crate::time_span::TimeSpan;

/// Everything a search needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A short name for the run; part of its folder's name.
    #[serde(default = "default_name")]
    pub name: String,
    /// Seed of everything random in the run.
    #[serde(default)]
    pub seed: u64,
    /// The organisation's policy file that the run keeps to, where neither the system nor the
    /// environment has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_policy: Option<PathBuf>,
    /// The operations to choose from.
    pub operations: ComponentSettings,
    /// The search space, with the scale of its networks.
    pub space: SpaceSettings,
    /// What proposes genotypes; `portfolio` where nothing is said.
    #[serde(default = "default_strategy")]
    pub strategy: ComponentSettings,
    /// What is trained before the strategy is asked: what zero-cost proxies promise most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<WarmStartSettings>,
    /// What makes a score out of measurements.
    pub fitness: ComponentSettings,
    /// What may object, each with its own settings; the strictest wins.
    #[serde(default, rename = "policy")]
    pub policies: Vec<ComponentSettings>,
    /// The images, and how they are split; needed unless a benchmark evaluates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataConfig>,
    /// A benchmark that is asked instead of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<ComponentSettings>,
    /// How the supernet of a one-shot strategy is built and trained; only with such a strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supernet: Option<SupernetSettings>,
    /// Weights that networks inherit from a trained supernet instead of being trained; not with a
    /// one-shot strategy, which trains a supernet itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherit: Option<InheritSettings>,
    /// How each network is trained.
    #[serde(default)]
    pub training: TrainingSettings,
    /// What the whole search may spend.
    #[serde(default)]
    pub budget: Budget,
    /// Whose monthly quota the run counts against, beside its own budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSettings>,
    /// How often the holdout may be read.
    #[serde(default)]
    pub holdout: HoldoutSettings,
    /// What is trained once the search is over, to see how much of its result is luck.
    #[serde(default)]
    pub controls: ControlSettings,
    /// How the work is done.
    #[serde(default)]
    pub execution: ExecutionSettings,
    /// What stops the search, besides signals and `nas stop`.
    #[serde(default, skip_serializing_if = "StopSettings::is_default")]
    pub stop: StopSettings,
}

fn default_name() -> String {
    "search".to_owned()
}

fn default_strategy() -> ComponentSettings {
    let (mode, config) = (PolicyMode::default(), Map::new());
    ComponentSettings { name: "portfolio".to_owned(), mode, config }
}

/// A component by name, with its own settings beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentSettings {
    /// The component's name, as `nas plugin list` shows it.
    pub name: String,
    /// Only for policies: `enforce` obeys it, `observe` writes down what it would have done.
    #[serde(default, skip_serializing_if = "is_enforce")]
    pub mode: PolicyMode,
    /// The component's own settings, as `nas plugin show` lists them.
    #[serde(flatten)]
    pub config: Map<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_enforce(mode: &PolicyMode) -> bool {
    *mode == PolicyMode::Enforce
}

/// Whether a policy is obeyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyMode {
    /// It is obeyed.
    #[default]
    Enforce,
    /// What it would have done is written down.
    Observe,
}

/// The search space by name, the scale of its networks, and the space's own settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceSettings {
    /// The space's name.
    pub name: String,
    /// Channels of the first stage; the space's own default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 8192))]
    pub channels: Option<usize>,
    /// Cells, or cells a stage; the space's own default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub cells: Option<usize>,
    /// Whether networks get an auxiliary head, where the space knows one.
    #[serde(default)]
    pub auxiliary_head: bool,
    /// The space's own settings, as `nas plugin show` lists them.
    #[serde(flatten)]
    pub config: Map<String, Value>,
}

/// How each network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrainingSettings {
    /// Epochs of one trial, unless a proposal says otherwise.
    #[schemars(range(min = 1, max = 100000))]
    pub epochs: u32,
    /// Share of the training split that one trial uses.
    #[schemars(range(min = 0.001, max = 1.0))]
    pub data_fraction: f64,
    /// Everything else.
    #[serde(flatten)]
    pub recipe: Recipe,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self { epochs: 5, data_fraction: 1.0, recipe: Recipe::default() }
    }
}

/// What a search begins with, whatever its strategy is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmStartSettings {
    /// Zero-cost proxies whose ranks are summed; all that the run measures where empty.
    #[serde(default)]
    pub proxies: Vec<String>,
    /// Random networks that are measured untrained.
    #[serde(default = "default_sample")]
    #[schemars(range(min = 1, max = 100000))]
    pub sample: usize,
    /// The best of them, which are trained.
    #[serde(default = "default_keep")]
    #[schemars(range(min = 1, max = 100000))]
    pub keep: usize,
}

fn default_sample() -> usize {
    200
}

fn default_keep() -> usize {
    10
}

/// Which weights networks inherit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InheritSettings {
    /// The run that trained the supernet: its folder, its name, the beginning of its name, or
    /// `last`.
    pub run: PathBuf,
    /// The epoch whose weights are taken, from 0; the last one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// Training batches from which each network's batch-norm statistics are made.
    #[serde(default = "default_recalibration")]
    #[schemars(range(min = 1, max = 1000000))]
    pub recalibration_batches: u32,
    /// The sha256 of these weights; filled in when the run begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
}

/// Guo et al. 2020 take 200 for ImageNet.
fn default_recalibration() -> u32 {
    20
}

/// How often the holdout may be read, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HoldoutSettings {
    /// Reads of the holdout that the run may make in all, for as long as it exists; one of them is
    /// kept for the end of the search. A read beyond is refused.
    #[schemars(range(min = 1, max = 10000))]
    pub queries: u32,
    /// Trials that must have got a result between one read in the middle of the search and the
    /// next; only a new best network is read, and only for a policy that asks for it.
    #[schemars(range(min = 1, max = 1000000))]
    pub trials_between_reads: u32,
}

impl Default for HoldoutSettings {
    fn default() -> Self {
        Self { queries: 5, trials_between_reads: 20 }
    }
}

/// What is trained once the search is over, to see how much of its result is luck. Each training
/// counts as a trial; without any, nothing is held back for them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ControlSettings {
    /// Trainings of the best network with other seeds: what is left of its score, and how large the
    /// noise of one training is. At least 2 say something.
    #[schemars(range(max = 1000))]
    pub seeds: u32,
    /// Random networks of the same space that are trained like the best one: what the search is
    /// worth. At least 2 say something.
    #[schemars(range(max = 1000))]
    pub random: u32,
    /// Whether the best network is trained on shuffled labels: it must fall to chance.
    pub shuffled_labels: bool,
    /// Share of the budget's wall, processor and GPU seconds that the search leaves for them.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub share: f64,
}

impl Default for ControlSettings {
    fn default() -> Self {
        Self { seeds: 0, random: 0, shuffled_labels: false, share: 0.25 }
    }
}

impl ControlSettings {
    /// How many trainings of a kind there are to be.
    #[must_use]
    pub fn wanted(&self, kind: ControlKind) -> u32 {
        match kind {
            ControlKind::Seed => self.seeds,
            ControlKind::Random => self.random,
            ControlKind::ShuffledLabels => self.shuffled_labels.into(),
        }
    }

    /// How many trainings there are to be.
    #[must_use]
    pub fn n_wanted(&self) -> u32 {
        ControlKind::ALL.iter().map(|kind| self.wanted(*kind)).sum()
    }
}

/// How the work is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExecutionSettings {
    /// Trials at once, each in a process of its own; 0 means one per processor.
    #[schemars(range(min = 0, max = 1024))]
    pub workers: usize,
    /// Threads of each worker.
    #[schemars(range(min = 1, max = 1024))]
    pub threads: usize,
    /// `cpu`, `cuda` or `cuda:N`.
    #[schemars(regex(pattern = r"^(cpu|cuda|cuda:[0-9]+)$"))]
    pub device: String,
    /// Whether trials are asked and told in an order that does not depend on how fast each one is,
    /// so that equal seeds give equal searches. Costs idle time where trials differ in length.
    pub deterministic: bool,
    /// Whether a network that was evaluated before is told its old result instead of being trained
    /// again; otherwise only equal genotypes are.
    pub reuse_results: bool,
    /// End the search after so many duplicates in a row.
    #[schemars(range(min = 1, max = 1000000))]
    pub max_duplicates: u32,
    /// End the search after so many refused or invalid proposals in a row.
    #[schemars(range(min = 1, max = 1000000))]
    pub max_refusals: u32,
    /// Which trained weights stay in the run's folder.
    pub keep_weights: KeepWeights,
    /// Which components run in a process of their own: `untrusted`, those of plugins that are not
    /// pinned as trusted, or `all`; `untrusted` where absent, unless an organisation requires more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// Longest that one call of a plugin may take, in seconds.
    #[schemars(range(min = 0.01, max = 86400.0))]
    pub plugin_seconds: f64,
    /// Folder in which the run's own folder is made.
    pub runs: PathBuf,
}

impl Default for ExecutionSettings {
    fn default() -> Self {
        Self {
            workers: 0,
            threads: 1,
            device: "cpu".to_owned(),
            deterministic: false,
            reuse_results: true,
            max_duplicates: 200,
            max_refusals: 1000,
            keep_weights: KeepWeights::Best,
            isolation: None,
            plugin_seconds: 60.0,
            runs: PathBuf::from("runs"),
        }
    }
}

/// What stops the search, besides signals and `nas stop`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StopSettings {
    /// A file whose appearance stops the run as `nas stop` does; while it is there, the run does not
    /// begin or go on. Any number of runs may name the same file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Longest time without a sign of life (`nas heartbeat`), such as `10m`. After it the run ends at
    /// once, and is resumed only after another sign of life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<TimeSpan>,
}

impl StopSettings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Settings {
    /// What the search itself may spend: the budget without what it leaves for controls.
    #[must_use]
    pub fn search_budget(&self) -> Budget {
        let (budget, n_controls) = (&self.budget, self.controls.n_wanted());
        if n_controls == 0 {
            return budget.clone();
        }
        let leave = |seconds: Option<f64>| seconds.map(|all| all * (1.0 - self.controls.share));
        Budget {
            wall_seconds: leave(budget.wall_seconds),
            trials: budget.trials.map(|trials| trials.saturating_sub(n_controls.into())),
            cpu_seconds: leave(budget.cpu_seconds),
            gpu_seconds: leave(budget.gpu_seconds),
            ..budget.clone()
        }
    }

    /// The components that these settings name, with their kinds and their own settings; whether
    /// the strategy is a one-shot strategy is for [`crate::plugin::Registry::strategy_kind`].
    #[must_use]
    pub fn components(
        &self,
        strategy: ComponentKind,
    ) -> Vec<(ComponentKind, &str, &Map<String, Value>)> {
        let mut all = vec![
            self.operations.as_part(ComponentKind::Operations),
            (ComponentKind::Space, self.space.name.as_str(), &self.space.config),
            self.strategy.as_part(strategy),
            self.fitness.as_part(ComponentKind::Fitness),
        ];
        all.extend(self.policies.iter().map(|policy| policy.as_part(ComponentKind::Policy)));
        all.extend(self.benchmark.iter().map(|table| table.as_part(ComponentKind::Benchmark)));
        all
    }
}

impl ComponentSettings {
    fn as_part(&self, kind: ComponentKind) -> (ComponentKind, &str, &Map<String, Value>) {
        (kind, self.name.as_str(), &self.config)
    }
}
