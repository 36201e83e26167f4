//! One search.

use std::sync::Arc;

use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, Trial};

use super::answers::{Answer, Answers, Oracle};
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
    /// What that network is worth.
    pub verdict: f64,
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

/// What a proposal costs and shows.
type Evaluated = (Option<Answer>, f64);

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
        let mut found = Found {
            seed: self.seed,
            signal: f64::NEG_INFINITY,
            verdict: f64::NAN,
            evaluations: 0,
            spent: 0.0,
            done: None,
        };
        let mut next_id = 0;
        let mut free = 0;
        let mut has_answered = false;
        let mut evaluated = vec![false; self.answers.n_genotypes()];
        let mut point = 0;
        while found.spent < self.plan.budget
            && self.plan.max_evaluations.is_none_or(|most| found.evaluations < most)
        {
            let proposals = match strategy.ask(1).map_err(failed)? {
                Ask::Proposals(proposals) => proposals,
                Ask::Wait => {
                    return Err(failed(PluginError::internal("propose: it waits for nothing")));
                }
                Ask::Done { reason } => {
                    found.done = Some(reason);
                    break;
                }
            };
            for proposal in proposals {
                let place = self.answers.place(&proposal.genotype);
                let is_free = proposal.details.answer && place.is_some_and(|p| evaluated[p]);
                let (answer, cost) = self.evaluate(&proposal)?;
                let cost = if is_free { 0.0 } else { cost };
                free = if answer.is_some() && !is_free { 0 } else { free + 1 };
                if free > MAX_FREE {
                    let (strategy, seed) = (self.plan.strategy.clone(), self.seed);
                    return Err(BenchError::NothingToEvaluate { strategy, seed, n: free });
                }
                found.spent += cost;
                while point < grid.len() && grid[point] < found.spent {
                    verdicts[point] = found.verdict as f32;
                    point += 1;
                }
                if let (Some(answer), Some(place)) = (answer, place) {
                    evaluated[place] = true;
                    if !is_free {
                        found.evaluations += u64::from(proposal.details.repeats.max(1));
                    }
                    has_answered |= proposal.details.answer;
                    let is_better = !has_answered && answer.signal > found.signal;
                    if proposal.details.answer || is_better {
                        (found.signal, found.verdict) = (answer.signal, answer.verdict);
                    }
                }
                let told = [trial(next_id, proposal, answer, is_free)];
                next_id += 1;
                strategy.tell(&told).map_err(failed)?;
            }
        }
        verdicts[point..].fill(found.verdict as f32);
        Ok(found)
    }

    fn evaluate(&self, proposal: &Proposal) -> Result<Evaluated, BenchError> {
        let other: Arc<Answers>;
        let answers = match proposal.details.fidelity {
            Some(fidelity) if fidelity != self.plan.fidelity => {
                other = self.answers_at(&fidelity)?;
                &other
            }
            _ => self.answers,
        };
        let answer = answers.get(&proposal.genotype);
        let cost = answer.map_or(0.0, |answer| match self.unit {
            Unit::Seconds => answer.seconds,
            Unit::Evaluations => 1.0,
        });
        Ok((answer, cost * f64::from(proposal.details.repeats.max(1))))
    }

    fn answers_at(&self, fidelity: &Fidelity) -> Result<Arc<Answers>, BenchError> {
        self.oracle.answers(fidelity)
    }
}

/// As the strategy is told. Of the measurements it gets the signal alone, as its objective.
fn trial(id: u64, proposal: Proposal, answer: Option<Answer>, is_free: bool) -> Trial {
    Trial {
        id,
        proposal,
        outcome: match answer {
            Some(_) if is_free => Outcome::Duplicate,
            Some(_) => Outcome::Finished,
            None => Outcome::Invalid,
        },
        objectives: answer.map(|answer| answer.signal).into_iter().collect(),
        measurements: Measurements::default(),
        cost: Cost::default(),
        reason: None,
    }
}
