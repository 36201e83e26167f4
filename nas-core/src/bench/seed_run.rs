//! One search.

use std::sync::Arc;

use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, Trial};

use super::answers::{Answer, Answers, Oracle};
use super::standing::Standing;
use super::{BenchError, Plan, Unit};

/// Proposals in a row that cost nothing before a search counts as stuck.
const MAX_FREE: u32 = 10_000;

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its seed.
    pub seed: u64,
    /// The signal of its answer: of the network that the strategy named last, or else of the one with
    /// the best signal.
    pub signal: f64,
    /// What that network is worth; with several objectives, the share of the hypervolume that the
    /// front dominates.
    pub verdict: f64,
    /// With several objectives, the places of the genotypes on the front.
    pub front: Vec<usize>,
    /// Evaluations, repeats included.
    pub evaluations: u64,
    /// What they cost, in the benchmark's unit.
    pub spent: f64,
    /// Why it ended before its budget was spent.
    pub done: Option<String>,
}

/// One search of a strategy on a benchmark.
pub struct SeedRun<'a> {
    oracle: &'a Oracle,
    plan: &'a Plan,
    /// The answers at the plan's fidelity.
    answers: &'a Answers,
    unit: Unit,
    seed: u64,
}

/// What a proposal shows and costs.
struct Evaluated {
    answer: Option<Answer>,
    /// Absent where the benchmark lacks one.
    objectives: Option<Vec<f64>>,
    cost: f64,
}

impl<'a> SeedRun<'a> {
    /// A search with this seed; `answers` are those at the plan's fidelity.
    #[must_use]
    pub fn new(
        oracle: &'a Oracle,
        plan: &'a Plan,
        answers: &'a Answers,
        unit: Unit,
        seed: u64,
    ) -> Self {
        Self { oracle, plan, answers, unit, seed }
    }

    /// Runs a strategy until the budget is spent. `verdicts` gets what the best network known at
    /// each time of `grid` is worth, NaN before the first.
    ///
    /// # Errors
    /// A strategy that fails, or proposes nothing that has an entry; a fidelity that the benchmark
    /// does not have.
    pub fn run(
        &self,
        strategy: &mut dyn SearchStrategy,
        grid: &[f64],
        verdicts: &mut [f32],
    ) -> Result<Found, BenchError> {
        let failed = |source| BenchError::Strategy {
            strategy: self.plan.strategy.clone(),
            seed: self.seed,
            source,
        };
        let mut standing = Standing::new(self.answers, self.oracle.objectives());
        let (mut evaluations, mut spent, mut done) = (0, 0.0, None);
        let mut next_id = 0;
        let mut free = 0;
        let mut evaluated = vec![false; self.answers.n_genotypes()];
        let mut point = 0;
        while spent < self.plan.budget
            && self.plan.max_evaluations.is_none_or(|most| evaluations < most)
        {
            let proposals = match strategy.ask(1).map_err(failed)? {
                Ask::Proposals(proposals) => proposals,
                Ask::Wait => {
                    return Err(failed(PluginError::internal("propose: it waits for nothing")));
                }
                Ask::Done { reason } => {
                    done = Some(reason);
                    break;
                }
            };
            for proposal in proposals {
                let place = self.answers.place(&proposal.genotype);
                let is_free = proposal.details.answer && place.is_some_and(|p| evaluated[p]);
                let evaluated_now = self.evaluate(&proposal, place)?;
                let Evaluated { answer, objectives, cost } = &evaluated_now;
                free = if answer.is_some() && !is_free { 0 } else { free + 1 };
                if free > MAX_FREE {
                    let (strategy, seed) = (self.plan.strategy.clone(), self.seed);
                    return Err(BenchError::NothingToEvaluate { strategy, seed, n: free });
                }
                spent += if is_free { 0.0 } else { *cost };
                while point < grid.len() && grid[point] < spent {
                    verdicts[point] = standing.verdict as f32;
                    point += 1;
                }
                if let (Some(answer), Some(place)) = (*answer, place) {
                    evaluated[place] = true;
                    if !is_free {
                        evaluations += u64::from(proposal.details.repeats.max(1));
                    }
                    standing.see(place, answer, objectives.as_deref(), proposal.details.answer);
                }
                let told = [trial(next_id, proposal, evaluated_now, is_free)];
                next_id += 1;
                strategy.tell(&told).map_err(failed)?;
            }
        }
        verdicts[point..].fill(standing.verdict as f32);
        let Standing { signal, verdict, front, .. } = standing;
        let front = front.places();
        Ok(Found { seed: self.seed, signal, verdict, front, evaluations, spent, done })
    }

    fn evaluate(&self, proposal: &Proposal, place: Option<usize>) -> Result<Evaluated, BenchError> {
        let other: Arc<Answers>;
        let answers = match proposal.details.fidelity {
            Some(fidelity) if fidelity != self.plan.fidelity => {
                other = self.answers_at(&fidelity)?;
                &other
            }
            _ => self.answers,
        };
        let answer = place.and_then(|place| answers.at(place));
        let objectives = place.filter(|_| answer.is_some()).and_then(|p| answers.objectives(p));
        let cost = answer.map_or(0.0, |answer| match self.unit {
            Unit::Seconds => answer.seconds,
            Unit::Evaluations => 1.0,
        });
        let cost = cost * f64::from(proposal.details.repeats.max(1));
        Ok(Evaluated { answer, objectives, cost })
    }

    fn answers_at(&self, fidelity: &Fidelity) -> Result<Arc<Answers>, BenchError> {
        self.oracle.answers(fidelity)
    }
}

/// As the strategy is told. Of the measurements it gets its objectives alone.
fn trial(id: u64, proposal: Proposal, evaluated: Evaluated, is_free: bool) -> Trial {
    let (outcome, reason) = match (&evaluated.answer, &evaluated.objectives) {
        (None, _) => (Outcome::Invalid, None),
        (Some(_), None) => (Outcome::Failed, Some("the benchmark lacks an objective of it")),
        (Some(_), Some(_)) if is_free => (Outcome::Duplicate, None),
        (Some(_), Some(_)) => (Outcome::Finished, None),
    };
    Trial {
        id,
        proposal,
        outcome,
        objectives: evaluated.objectives.unwrap_or_default(),
        measurements: Measurements::default(),
        cost: Cost::default(),
        reason: reason.map(str::to_owned),
    }
}
