//! What an organisation's policy can say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plugin::Isolation;
use crate::settings::ComponentSettings;

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
    /// Libraries that may take part.
    #[serde(default)]
    pub plugins: PluginRules,
    /// Candidate operations that a space may have.
    #[serde(default)]
    pub operations: OperationRules,
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
    /// Longest wall time of one trial, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 1e9))]
    pub trial_seconds: Option<f64>,
    /// Most resident memory of one worker, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 67108864))]
    pub trial_memory_bytes: Option<u64>,
}

/// Libraries that may take part. What is linked into `nas` itself always may.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PluginRules {
    /// Hexadecimal sha256 of each library that may be loaded, as `nas plugin list --json` shows
    /// them; any where this is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Vec<String>>,
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
