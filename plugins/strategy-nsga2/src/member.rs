//! What a population consists of, and its order.

use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::pareto;
use nas_plugin_api::trial::{Trial, TrialId};

/// A genotype that was evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: TrialId,
    pub(crate) genotype: Genotype,
    /// One number for each objective, larger being better; empty for a trial without a result.
    pub(crate) gains: Vec<f64>,
    /// How far it is from being feasible; infinite for a trial without a result.
    pub(crate) violation: f64,
}

impl Member {
    pub(crate) fn new(context: &StrategyContext, trial: &Trial) -> Self {
        Self {
            id: trial.id,
            genotype: trial.proposal.genotype.clone(),
            gains: context.gains(trial).unwrap_or_default(),
            violation: context.violation(trial),
        }
    }
}

impl AsRef<[f64]> for Member {
    fn as_ref(&self) -> &[f64] {
        &self.gains
    }
}

/// Fronts by constrained domination: those of the feasible members first, then the others by how
/// far they are from being feasible.
///
/// # Source
/// Deb, Pratap, Agarwal, Meyarivan. A fast and elitist multiobjective genetic algorithm: NSGA-II.
/// IEEE Transactions on Evolutionary Computation 6, 2002, section VI.
pub(crate) fn fronts(members: &[Member]) -> Vec<Vec<usize>> {
    let (feasible, mut others): (Vec<usize>, Vec<usize>) =
        (0..members.len()).partition(|&index| members[index].violation == 0.0);
    let gains: Vec<&[f64]> = feasible.iter().map(|&index| members[index].as_ref()).collect();
    let mut fronts = pareto::fronts(&gains);
    fronts.iter_mut().flatten().for_each(|place| *place = feasible[*place]);
    others.sort_by(|&a, &b| members[a].violation.total_cmp(&members[b].violation));
    let equal = |&a: &usize, &b: &usize| members[a].violation == members[b].violation;
    fronts.extend(others.chunk_by(equal).map(<[usize]>::to_vec));
    fronts
}
