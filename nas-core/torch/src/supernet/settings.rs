//! How a supernet's weights are trained.

use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::component::TrainingSettings;
use serde::{Deserialize, Serialize};

/// How a supernet's weights are trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Learning rate.
    pub learning_rate: f64,
    /// Momentum of SGD.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay on every weight, as part of the gradient.
    pub weight_decay: f64,
    /// Largest global norm of the gradient; 0 means no limit.
    pub gradient_clip: f64,
    /// Share of the target that is spread over all classes, in training steps of the weights.
    pub label_smoothing: f64,
    /// Weight of auxiliary heads in the loss.
    pub auxiliary_weight: f64,
    /// Probability of dropout behind identity paths.
    pub skip_dropout: f64,
    /// Probability of dropping whole examples behind all other paths.
    pub drop_path: f64,
}

impl Settings {
    /// What a recipe says.
    #[must_use]
    pub fn from_recipe(recipe: &Recipe) -> Self {
        Self {
            learning_rate: recipe.learning_rate,
            momentum: recipe.momentum,
            nesterov: recipe.nesterov,
            weight_decay: recipe.weight_decay,
            gradient_clip: recipe.gradient_clip,
            label_smoothing: recipe.label_smoothing,
            auxiliary_weight: recipe.auxiliary_weight,
            skip_dropout: 0.0,
            drop_path: 0.0,
        }
    }

    /// What a strategy changes.
    pub fn change(&mut self, changes: &TrainingSettings) {
        let TrainingSettings {
            learning_rate,
            momentum,
            nesterov,
            weight_decay,
            gradient_clip,
            label_smoothing,
            ..
        } = changes;
        let numbers = [
            (&mut self.learning_rate, learning_rate),
            (&mut self.momentum, momentum),
            (&mut self.weight_decay, weight_decay),
            (&mut self.gradient_clip, gradient_clip),
            (&mut self.label_smoothing, label_smoothing),
        ];
        for (setting, change) in numbers {
            *setting = change.unwrap_or(*setting);
        }
        self.nesterov = nesterov.unwrap_or(self.nesterov);
    }
}
