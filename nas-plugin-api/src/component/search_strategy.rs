//! Strategies that propose whole genotypes.

use crate::error::PluginError;
use crate::objective::{Objective, violation};
use crate::template::Space;
use crate::trial::{Fidelity, Proposal, Trial};

/// Proposes genotypes and is told what became of them (random search, evolution, …).
///
/// Calls come one at a time; the answer may depend on configuration, seed and the calls so far,
/// and on nothing else, so that a journalled search can be replayed.
pub trait SearchStrategy: Send {
    /// Proposes up to `slots` genotypes.   \[configured\]
    ///
    /// `slots` is how many could be dispatched now, at least 1. Trials get consecutive numbers in
    /// the order in which they are proposed, from 0.
    ///
    /// # Errors
    /// Only what ends the search.
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError>;

    /// Is told how trials ended, in the order of the journal.   \[configured\]
    ///
    /// # Errors
    /// Only what ends the search.
    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError>;

    /// The state, where a strategy wants to be restored rather than replayed.
    ///
    /// Must agree with replay: a strategy restored from it answers like one that was asked and
    /// told everything again.
    ///
    /// # Errors
    /// What prevents it.
    fn save(&self) -> Result<Option<Vec<u8>>, PluginError> {
        Ok(None)
    }

    /// Takes a state back that `save` gave.
    ///
    /// # Errors
    /// A state that can't be read.
    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        let _ = state;
        Err(PluginError::unsupported("restore a strategy that does not save"))
    }
}

/// A strategy's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Evaluate these, at most as many as there were slots, at least one.
    Proposals(Vec<Proposal>),
    /// Nothing until a running trial is told.
    Wait,
    /// The search is over.
    Done {
        /// Why, for a person.
        reason: String,
    },
}

/// What a strategy is created with.
#[derive(Clone, Debug)]
pub struct StrategyContext {
    /// The space to search.
    pub space: Space,
    /// Seed of everything random.
    pub seed: u64,
    /// What the fitness function computes, in the order of [`Trial::objectives`].
    pub objectives: Vec<Objective>,
    /// How thoroughly a trial is evaluated where a proposal does not say.
    pub fidelity: Fidelity,
    /// The zero-cost proxies ([`names::PROXIES`]) that proposals at [`Fidelity::UNTRAINED`] are
    /// measured by; where there are none, such proposals are invalid.
    ///
    /// [`names::PROXIES`]: crate::measurement::names::PROXIES
    pub proxies: Vec<String>,
    /// About how long measuring an untrained network takes, as a share of a trial at
    /// [`Self::fidelity`]; 0 where nobody knows.
    pub untrained_share: f64,
}

impl StrategyContext {
    /// The first objective of a trial, turned so that larger is better; minus infinity for a trial
    /// without a result.
    #[must_use]
    pub fn gain(&self, trial: &Trial) -> f64 {
        match (trial.objectives.first(), self.objectives.first()) {
            (Some(&value), Some(objective)) if trial.outcome.has_result() => objective.gain(value),
            _ => f64::NEG_INFINITY,
        }
    }
    /// All objectives of a trial, each turned so that larger is better; absent for a trial without
    /// a result.
    #[must_use]
    pub fn gains(&self, trial: &Trial) -> Option<Vec<f64>> {
        let is_whole = trial.objectives.len() == self.objectives.len();
        let pairs = self.objectives.iter().zip(&trial.objectives);
        (trial.outcome.has_result() && is_whole)
            .then(|| pairs.map(|(objective, &value)| objective.gain(value)).collect())
    }

    /// How far a trial is from being feasible ([`violation()`]); infinite for one without a result.
    #[must_use]
    pub fn violation(&self, trial: &Trial) -> f64 {
        match trial.outcome.has_result() {
            true => violation(&self.objectives, &trial.objectives),
            false => f64::INFINITY,
        }
    }
}
