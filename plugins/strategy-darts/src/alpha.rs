//! The architecture weights and their optimiser.

use nas_plugin_api::error::PluginError;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::template::ChoiceIndex;
use nas_plugin_api::toolkit::adam::Adam;
use nas_plugin_api::toolkit::rng::{Generator, normal};

use crate::structure::{Kind, Structure};

/// How architecture weights begin and how they are stepped.
#[derive(Clone, Copy, Debug)]
pub struct AlphaSettings {
    /// Mean of the first architecture weights.
    pub initial_mean: f64,
    /// Standard deviation of the first architecture weights.
    pub initial_deviation: f64,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Adam's betas.
    pub betas: [f64; 2],
    /// Share of each architecture weight that is added to its gradient.
    pub weight_decay: f64,
    /// Largest norm of the whole gradient; 0 means no limit.
    pub clip: f64,
    /// Whether edges have weights besides those of their operations (PC-DARTS).
    pub weights_edges: bool,
}

/// One number per path of a mixture, as far as it has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub struct Alpha {
    /// The numbers; 0 where there is none.
    numbers: Vec<f64>,
    /// Which paths have one.
    learnt: Vec<bool>,
    /// Which paths were dropped.
    dropped: Vec<bool>,
    adam: Adam,
    clip: f64,
}

impl Alpha {
    /// New architecture weights; paths that `dropped` names have none.
    pub fn new(
        structure: &Structure,
        settings: &AlphaSettings,
        dropped: Vec<bool>,
        rng: &mut Generator,
    ) -> Self {
        let has_alpha = |path: usize| match structure.kind(structure.layout.choice_of(path)) {
            Kind::Edges => settings.weights_edges,
            Kind::Operation | Kind::OtherInputs | Kind::Number => true,
        };
        let learnt: Vec<bool> =
            (0..structure.layout.n_paths()).map(|path| !dropped[path] && has_alpha(path)).collect();
        let mut first = |learnt: &bool| match learnt {
            true => settings.initial_mean + settings.initial_deviation * normal(rng),
            false => 0.0,
        };
        let numbers = learnt.iter().map(&mut first).collect();
        let [beta1, beta2] = settings.betas;
        let adam = Adam::new(settings.learning_rate)
            .betas(beta1, beta2)
            .weight_decay(settings.weight_decay);
        Self { numbers, learnt, dropped, adam, clip: settings.clip }
    }

    /// With every path of the structure still there.
    pub fn of_all_paths(
        structure: &Structure,
        settings: &AlphaSettings,
        rng: &mut Generator,
    ) -> Self {
        Self::new(structure, settings, vec![false; structure.layout.n_paths()], rng)
    }

    /// The numbers, NaN where a path has none.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let number = |(&number, &learnt): (&f64, &bool)| if learnt { number } else { f64::NAN };
        self.numbers.iter().zip(&self.learnt).map(number).collect()
    }

    /// Which paths were dropped.
    #[must_use]
    pub fn dropped(&self) -> &[bool] {
        &self.dropped
    }

    /// The paths of a choice that have an architecture weight, as positions in a mixture.
    #[must_use]
    pub fn learnt(&self, structure: &Structure, choice: ChoiceIndex) -> Vec<usize> {
        structure.layout.paths(choice).filter(|&path| self.learnt[path]).collect()
    }

    /// Whether any path has an architecture weight.
    #[must_use]
    pub fn has_any(&self) -> bool {
        self.learnt.contains(&true)
    }

    /// Takes paths out, given as positions in a mixture.
    pub fn drop_paths(&mut self, paths: &[usize]) {
        for &path in paths {
            (self.dropped[path], self.learnt[path], self.numbers[path]) = (true, false, 0.0);
        }
    }

    /// Gives paths weight 1 for good: they have no architecture weight any more.
    pub fn settle(&mut self, paths: &[usize]) {
        for &path in paths {
            (self.learnt[path], self.numbers[path]) = (false, 0.0);
        }
    }

    /// Takes one step of Adam; a gradient that is NaN leaves its number as it is.
    ///
    /// # Shapes
    /// One number per path of a mixture.
    /// # Errors
    /// An infinite gradient, with the choice's name.
    /// # Source
    /// The clip is `torch.nn.utils.clip_grad_norm_`, its 1e-6 included.
    pub fn step(&mut self, structure: &Structure, gradient: &[f64]) -> Result<(), PluginError> {
        let mut gradient = gradient.to_vec();
        for (path, number) in gradient.iter_mut().enumerate() {
            if !self.learnt[path] {
                *number = f64::NAN;
            } else if number.is_infinite() {
                let id = structure.id(structure.layout.choice_of(path));
                return Err(PluginError::internal(format!(
                    "step the architecture weights: choice `{id}` has an infinite gradient"
                ))
                .with_help("lower the learning rates, or set a gradient clip"));
            }
        }
        if self.clip > 0.0 {
            let squares = gradient.iter().filter(|number| !number.is_nan()).map(|g| g * g);
            let norm = squares.sum::<f64>().sqrt();
            let factor = (self.clip / (norm + 1e-6)).min(1.0);
            gradient.iter_mut().for_each(|number| *number *= factor);
        }
        self.adam.step(&mut self.numbers, &gradient);
        Ok(())
    }
}
