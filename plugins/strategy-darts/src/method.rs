//! What one method of the family decides; everything else is alike and stands in
//! [`crate::one_shot::OneShot`].

use nas_plugin_api::component::{
    ArchOrder, Command, Configuration, Edit, Mixture, OneShotPlan, Report,
};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::serde::{Serialize, de::DeserializeOwned};

use crate::alpha::AlphaSettings;
use crate::relaxation::Relaxation;
use crate::search::Search;
use crate::structure::Structure;

/// One method, with its constants.
pub trait Method: Sized + Send + 'static {
    /// The component's name.
    const NAME: &'static str;
    /// What it is, in one line.
    const SUMMARY: &'static str;
    /// Its constants, with the published values as defaults.
    type Config: Configuration;
    /// What it remembers besides what every method does.
    type Progress: Default + Serialize + DeserializeOwned + Send;

    /// With these constants, for this space.
    ///
    /// # Errors
    /// Constants that contradict each other.
    fn new(config: Self::Config, structure: &Structure) -> Result<Self, PluginError>;

    /// Epochs, and what a step consists of.
    fn schedule(&self) -> Schedule;

    /// How architecture weights begin and are stepped.
    fn alpha_settings(&self) -> AlphaSettings;

    /// How architecture weights become mixtures in this epoch.
    fn relaxation(&self, epoch: u32) -> Relaxation;

    /// Whether architecture weights are learnt in this epoch; otherwise only network weights are.
    fn learns(&self, epoch: u32) -> bool {
        let _ = epoch;
        true
    }

    /// What happens before an epoch, or after the last one, until there is nothing more.
    ///
    /// # Errors
    /// Only what ends the search.
    fn between_epochs(
        &self,
        structure: &Structure,
        search: &mut Search<Self::Progress>,
        report: &Report,
    ) -> Result<Option<Command>, PluginError> {
        let _ = (structure, search, report);
        Ok(None)
    }

    /// The edits with which an epoch begins: the schedules, and what changes at a stage's start.
    fn begin_epoch(&self, structure: &Structure, search: &mut Search<Self::Progress>) -> Vec<Edit>;

    /// Adds what the method's loss has besides the network's, as a gradient in the mixture.
    fn add_to_mixture_gradient(&self, report: &Report, mixture: &Mixture, gradient: &mut [f64]) {
        let _ = (report, mixture, gradient);
    }

    /// Adds what the method's loss has besides the network's, as a gradient in the architecture
    /// weights; NaN stands where there is none.
    fn add_to_alpha_gradient(
        &self,
        structure: &Structure,
        search: &Search<Self::Progress>,
        gradient: &mut [f64],
    ) {
        let _ = (structure, search, gradient);
    }

    /// What the method picks in every choice now.
    fn picks(&self, structure: &Structure, search: &Search<Self::Progress>) -> Vec<Vec<usize>>;
}

/// Epochs, and what a step consists of.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Epochs in all.
    pub epochs: u32,
    /// Most steps of one epoch; 0 means all batches.
    pub steps_per_epoch: u32,
    /// Examples of one step; 0 means what the run's training recipe says.
    pub batch_size: u32,
    /// What comes first in a step.
    pub order: StepOrder,
    /// How the gradient of an architecture step is made.
    pub gradient: ArchOrder,
}

/// What a step consists of, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOrder {
    /// Architecture weights on a validation batch, then network weights on a training batch.
    ArchitectureFirst,
    /// The other way round.
    WeightsFirst,
    /// Both from one training batch.
    SingleLevel,
}

impl Schedule {
    /// The plan that says so.
    #[must_use]
    pub fn plan(&self) -> OneShotPlan {
        let given = |number: u32| (number > 0).then_some(number);
        OneShotPlan {
            epochs: self.epochs,
            steps_per_epoch: given(self.steps_per_epoch),
            batch_size: given(self.batch_size),
            second_order: self.gradient == ArchOrder::Second,
            needs_gradients: true,
            signals: Vec::new(),
        }
    }
}
