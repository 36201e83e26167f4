//! What a population consists of.

use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::trial::{Trial, TrialId};

/// Draws made for a child that is not in the population yet; then a copy is accepted.
pub(crate) const TRIES: usize = 20;

/// A genotype that was evaluated.
pub(crate) struct Member {
    pub(crate) id: TrialId,
    pub(crate) genotype: Genotype,
    /// The first objective, larger being better; minus infinity for a trial without a result.
    pub(crate) gain: f64,
}

impl Member {
    pub(crate) fn new(context: &StrategyContext, trial: &Trial) -> Self {
        // NaN, which would break the order, becomes the worst there is.
        let gain = context.gain(trial).max(f64::NEG_INFINITY);
        Self { id: trial.id, genotype: trial.proposal.genotype.clone(), gain }
    }
}
