//! What people decided.

use nas_plugin_api::verdict::PolicyContext;
use serde::{Deserialize, Serialize};

/// A person's decision on a run that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Whether the run may go on.
    pub granted: bool,
    /// The policy that asked.
    pub policy: String,
    /// What it wanted approved.
    pub threshold: String,
    /// Who decided, by their own word.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The last day (`2026-01-31`, UTC) on which an approval can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The approver's signature, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
}

impl Approval {
    /// Tells policies what was approved.
    pub(crate) fn note(&self, context: &mut PolicyContext) {
        context.approve(&self.threshold, self.signed.as_ref().map(|signed| signed.key.as_str()));
    }
}

/// A signature of minisign's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The public key.
    pub key: String,
    /// The signature, as its file has it.
    pub signature: String,
}
