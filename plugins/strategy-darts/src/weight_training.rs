//! How the network weights are trained beside the architecture weights.

use nas_plugin_api::component::TrainingSettings;

use crate::schedule::cosine;

/// Stochastic gradient descent whose learning rate falls by a cosine, set once per epoch.
#[derive(Clone, Copy, Debug)]
pub struct WeightTraining {
    /// The first epoch's learning rate.
    pub learning_rate: f64,
    /// What the learning rate falls to.
    pub min_learning_rate: f64,
    /// Momentum.
    pub momentum: f64,
    /// Whether momentum is Nesterov's.
    pub nesterov: bool,
    /// Share of each weight that is added to its gradient.
    pub weight_decay: f64,
    /// Largest norm of the whole gradient; 0 means no limit.
    pub clip: f64,
}

impl WeightTraining {
    /// The settings of one epoch of a cosine over `epochs`.
    ///
    /// All of them every time, so that an epoch that is repeated needs no other before it.
    #[must_use]
    pub fn settings(&self, epoch: u32, epochs: u32) -> TrainingSettings {
        let rate = cosine(self.learning_rate, self.min_learning_rate, epoch, epochs);
        TrainingSettings {
            learning_rate: Some(rate),
            momentum: Some(self.momentum),
            nesterov: Some(self.nesterov),
            weight_decay: Some(self.weight_decay),
            gradient_clip: Some(self.clip),
            // The loss is the run's own: no method of the family smooths labels in its search.
            label_smoothing: None,
        }
    }
}
