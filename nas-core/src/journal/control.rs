//! Trainings after a search that say how much of its result is luck.

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::TrialId;
use serde::{Deserialize, Serialize};

use crate::budget::Reservation;

/// A training that says how much of a result is luck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Its number in the run, from 0.
    pub number: u64,
    /// What it is for.
    pub kind: ControlKind,
    /// What is trained.
    pub genotype: Genotype,
    /// The seed of everything random in it.
    pub seed: u64,
    /// What it may use.
    pub reservation: Reservation,
}

impl Control {
    /// The ledger counts a control as the trial of this number plus its own; no strategy proposes as
    /// many.
    pub const FIRST_ID: TrialId = 1 << 63;

    /// As which trial the ledger counts it.
    #[must_use]
    pub fn id(&self) -> TrialId {
        Self::FIRST_ID + self.number
    }
}

/// What a control is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// The best network with another seed.
    Seed,
    /// A random network of the same space.
    Random,
    /// The best network on shuffled labels.
    ShuffledLabels,
}

impl ControlKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::ShuffledLabels, Self::Seed, Self::Random];

    /// As it is journalled.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Random => "random",
            Self::ShuffledLabels => "shuffled_labels",
        }
    }
}
