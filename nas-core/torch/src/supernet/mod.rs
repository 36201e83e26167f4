//! A supernet and the training of its weights; the architecture's weights are a strategy's.
//!
//! Every step is given its batch and its mixture: what comes when is decided by
//! [`nas_plugin_api::component::OneShotStrategy`], and which images by the data's order.

mod curvature;
mod evaluate;
mod recalibrate;
mod settings;
mod step;
mod unrolled;

pub use curvature::{Gradient, Spectrum, largest_eigenvalue};
pub use evaluate::evaluate_mixture;
pub use settings::Settings;

use nas_core::network;
use nas_plugin_api::component::Mixture;
use tch::TchError;

use crate::mixture::{Mixed, MixtureError};
use crate::network::{Network, NetworkError, Options};
use crate::optimizer::Sgd;

/// A supernet in training.
#[derive(Debug)]
pub struct Supernet {
    network: Network,
    optimizer: Sgd,
    settings: Settings,
    n_paths: usize,
}

/// What one step showed.
#[derive(Clone, Debug, PartialEq)]
pub struct StepResult {
    /// Mean loss of the batch.
    pub loss: f64,
    /// Share of the batch that was right.
    pub accuracy: f64,
    /// Gradient of the loss in the mixture's weights; NaN where none was asked for, empty where
    /// the step has none.
    pub gradient: Vec<f64>,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SupernetError {
    /// The strategy's numbers make no mixture.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// The network can't be computed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// libtorch refused something.
    #[error("{}", crate::network::first_line(.0))]
    Torch(#[from] TchError),
    /// The loss is no number.
    #[error(
        "the loss of a {step} is {loss}: the search has diverged; a lower learning rate of the weights may help"
    )]
    Diverged {
        /// Which step.
        step: &'static str,
        /// The loss.
        loss: f64,
    },
}

impl Supernet {
    /// Builds a supernet with new weights.
    ///
    /// # Errors
    /// [`SupernetError`]
    pub fn build(
        supernet: &network::Supernet,
        settings: Settings,
        seed: u64,
        options: Options,
    ) -> Result<Self, SupernetError> {
        Self::of(Network::build_supernet(supernet, seed, options)?, settings)
    }

    /// A supernet of a network that is built.
    ///
    /// # Errors
    /// Want of memory.
    pub fn of(network: Network, settings: Settings) -> Result<Self, SupernetError> {
        let optimizer = Sgd::new(
            network.parameters(),
            settings.momentum,
            settings.nesterov,
            settings.weight_decay,
        )?;
        let n_paths = network.program().n_paths;
        Ok(Self { network, optimizer, settings, n_paths })
    }

    /// Number of paths: the length of a mixture.
    #[must_use]
    pub fn n_paths(&self) -> usize {
        self.n_paths
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same, to change its parameters.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The weights' optimiser.
    #[must_use]
    pub fn optimizer(&self) -> &Sgd {
        &self.optimizer
    }

    /// The same, to change it.
    pub fn optimizer_mut(&mut self) -> &mut Sgd {
        &mut self.optimizer
    }

    /// How the weights are trained.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes how the weights are trained from the next step on.
    pub fn set(&mut self, settings: Settings) {
        self.optimizer.set(settings.momentum, settings.nesterov, settings.weight_decay);
        self.settings = settings;
    }

    /// Takes the weights and running statistics of another supernet of the same form, whatever its
    /// kind of numbers.
    ///
    /// # Errors
    /// [`SupernetError::Torch`] if the forms differ.
    pub fn copy_parameters(&mut self, from: &Self) -> Result<(), SupernetError> {
        let _no_grad = tch::no_grad_guard();
        let (old, new) = (from.network.parameters(), self.network.parameters());
        let learnt = old.learnt().iter().zip(new.learnt());
        let statistics = old.statistics().iter().zip(new.statistics());
        for (from, to) in learnt.chain(statistics) {
            to.tensor.shallow_clone().f_copy_(&from.tensor)?;
        }
        Ok(())
    }

    /// Takes a strategy's numbers, with the dropout of this supernet.
    fn mixed(&self, mixture: &Mixture) -> Result<Mixed, MixtureError> {
        let mut mixed = Mixed::new(mixture, self.n_paths)?;
        mixed.skip_dropout = self.settings.skip_dropout;
        mixed.drop_path = self.settings.drop_path;
        Ok(mixed)
    }
}
