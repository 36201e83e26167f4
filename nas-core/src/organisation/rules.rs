//! What an organisation's policy can say.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budget::{QuotaSettings, Rates};
use crate::plugin::Isolation;
use crate::protocol::data::DataFormat;
use crate::search::KeepWeights;
use crate::settings::ComponentSettings;
use crate::time_span::TimeSpan;

/// The content of an organisation's policy file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Whose policy it is; messages name it.
    pub organisation: String,
    /// Policies that judge every search, with these settings; always obeyed.
    #[serde(default, rename = "policy", skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<ComponentSettings>,
    /// The most that a search may spend.
    #[serde(default)]
    pub budget: BudgetCaps,
    /// Whose monthly quota every search counts against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSettings>,
    /// Libraries that may take part.
    #[serde(default)]
    pub plugins: PluginRules,
    /// Candidate operations that a space may have.
    #[serde(default)]
    pub operations: OperationRules,
    /// Data that may be searched on.
    #[serde(default)]
    pub data: DataRules,
    /// How often the holdout may be read.
    #[serde(default)]
    pub holdout: HoldoutRules,
    /// Signs of life that every run needs.
    #[serde(default)]
    pub stop: StopRules,
    /// What may be written out.
    #[serde(default)]
    pub export: ExportRules,
    /// Who approves.
    #[serde(default)]
    pub approval: ApprovalRules,
}

/// The most that a search may spend: what a run leaves out has the limit from here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetCaps {
    /// Wall seconds with a live supervisor, resumed parts included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e9))]
    pub wall_seconds: Option<f64>,
    /// Trials that are trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub trials: Option<u64>,
    /// Processor seconds of all workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e12))]
    pub cpu_seconds: Option<f64>,
    /// Seconds of GPU of all workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e12))]
    pub gpu_seconds: Option<f64>,
    /// Energy in kilowatt-hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-9, max = 1e12))]
    pub energy_kwh: Option<f64>,
    /// Money.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-9, max = 1e12))]
    pub money: Option<f64>,
    /// Longest wall time of one trial, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e9))]
    pub trial_seconds: Option<f64>,
    /// Most resident memory of one worker, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 67108864))]
    pub trial_memory_bytes: Option<u64>,
    /// What energy and money are computed by, at least.
    pub rates: Rates,
}

/// Libraries that may take part. What is linked into `nas` itself always may.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PluginRules {
    /// Hexadecimal sha256 of each library that may be loaded, as `nas plugin list --json` shows
    /// them; any where this and `signer` are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Vec<String>>,
    /// Public key of minisign's: a library may be loaded if this key signed it, with the signature
    /// beside it, in a file of its name and `.minisig`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Hexadecimal sha256 of each library that may run inside `nas`, if it is pinned on the machine
    /// too; every other one runs in a process of its own. Whatever is pinned where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted: Option<Vec<String>>,
    /// Which components run in a process of their own: `untrusted`, or `all` of all libraries.
    pub isolation: Isolation,
}

/// Candidate operations that a space may have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OperationRules {
    /// Names of those that may be candidates; any where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
}

/// Data that may be searched on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataRules {
    /// Kinds of sources; any where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<DataFormat>>,
    /// Folders in one of which the data must lie, links followed; any where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folders: Option<Vec<PathBuf>>,
    /// Hexadecimal sha256 of each source that may be searched on: of the file, or of the list of a
    /// folder's files that `sha256sum` would print; any where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Vec<String>>,
}

/// How often the holdout may be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HoldoutRules {
    /// The most reads that a run may make in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub queries: Option<u32>,
}

/// Signs of life that every run needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StopRules {
    /// The longest that a run may go without a sign of life (`nas heartbeat`), such as `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<TimeSpan>,
}

/// What may be written out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExportRules {
    /// The most trained weights that a run may keep: `none`, `best` or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<KeepWeights>,
    /// Folders in one of which runs are written; any where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folders: Option<Vec<PathBuf>>,
}

/// Who approves what policies want approved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalRules {
    /// Public key of minisign's that must have signed each approval; anybody may approve where this
    /// is left out and the policy that asks names no key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
