//! Where a search stands: everything that is saved.

use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::toolkit::rng::Generator;

use crate::alpha::Alpha;
use crate::mixing::{self, Mixed};
use crate::relaxation::Relaxation;
use crate::structure::Structure;

/// The state of a search; `P` is what the method remembers for itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub struct Search<P> {
    /// The epoch, from 0; the number of epochs after the last one.
    pub epoch: u32,
    /// The architecture weights and their optimiser.
    pub alpha: Alpha,
    /// Everything random is drawn from it.
    pub rng: Generator,
    /// What the method remembers for itself.
    pub progress: P,
    pub(crate) position: Position,
    /// The mixture whose gradient is awaited.
    pub(crate) awaited: Option<Mixed>,
}

/// Where in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub(crate) enum Position {
    /// Before an epoch, or after the last one.
    Between,
    /// In a step.
    Step {
        /// The step, from 0.
        step: u32,
        /// Whether the first of its two halves is done.
        half: bool,
    },
}

impl<P> Search<P> {
    /// The weights of all paths without randomness, which genotypes are picked by; 0 for dropped
    /// paths.
    #[must_use]
    pub fn strengths(&self, structure: &Structure, relaxation: Relaxation) -> Vec<f64> {
        mixing::mean(structure, &self.alpha, relaxation, &self.alpha.numbers()).weights
    }
}
