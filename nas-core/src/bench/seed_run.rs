//! One search.

use std::sync::Arc;

use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, Trial};

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

/// What became of a proposal.
struct Step {
    /// What the strategy is told.
    told: Trial,
    /// What it is charged.
    cost: f64,
    /// The place of a trained network, and what the benchmark says of it.
    seen: Option<(usize, Answer)>,
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
                let is_answer = proposal.details.answer;
                let repeats = repeats(&proposal);
                let Step { told, cost, seen } = self.step(next_id, proposal, &evaluated)?;
                let is_new = seen.is_some() && told.outcome != Outcome::Duplicate;
                free = if is_new || cost > 0.0 { 0 } else { free + 1 };
                if free > MAX_FREE {
                    let (strategy, seed) = (self.plan.strategy.clone(), self.seed);
                    return Err(BenchError::NothingToEvaluate { strategy, seed, n: free });
                }
                spent += cost;
                while point < grid.len() && grid[point] < spent {
                    verdicts[point] = standing.verdict as f32;
                    point += 1;
                }
                if let Some((place, answer)) = seen {
                    evaluated[place] = true;
                    if is_new {
                        evaluations += repeats;
                    }
                    let values = Some(told.objectives.as_slice()).filter(|all| !all.is_empty());
                    standing.see(place, answer, values, is_answer);
                }
                next_id += 1;
                strategy.tell(&[told]).map_err(failed)?;
            }
        }
        verdicts[point..].fill(standing.verdict as f32);
        let Standing { signal, verdict, front, .. } = standing;
        let front = front.places();
        Ok(Found { seed: self.seed, signal, verdict, front, evaluations, spent, done })
    }

    /// What becomes of a proposal; naming an answer that was `evaluated` before is free.
    fn step(&self, id: u64, proposal: Proposal, evaluated: &[bool]) -> Result<Step, BenchError> {
        let place = self.answers.place(&proposal.genotype);
        if proposal.is_untrained() {
            return self.step_untrained(id, proposal, place);
        }
        let other: Arc<Answers>;
        let answers = match proposal.details.fidelity {
            Some(fidelity) if fidelity != self.plan.fidelity => {
                other = self.oracle.answers(&fidelity)?;
                &other
            }
            _ => self.answers,
        };
        let seen = place.and_then(|place| Some((place, answers.at(place)?)));
        let Some((place, answer)) = seen else {
            let told = trial(id, proposal, Outcome::Invalid);
            return Ok(Step { told, cost: 0.0, seen });
        };
        let is_free = proposal.details.answer && evaluated[place];
        let cost = match self.unit {
            _ if is_free => 0.0,
            Unit::Seconds => answer.seconds * repeats(&proposal) as f64,
            Unit::Evaluations => repeats(&proposal) as f64,
        };
        let told = match answers.objectives(place) {
            Some(objectives) => {
                let outcome = if is_free { Outcome::Duplicate } else { Outcome::Finished };
                Trial { objectives, ..trial(id, proposal, outcome) }
            }
            None => {
                let reason = Some("the benchmark lacks an objective of it".to_owned());
                Trial { reason, ..trial(id, proposal, Outcome::Failed) }
            }
        };
        Ok(Step { told, cost, seen })
    }

    /// Zero-cost proxies; what they cost is nothing where evaluations are counted.
    fn step_untrained(
        &self,
        id: u64,
        proposal: Proposal,
        place: Option<usize>,
    ) -> Result<Step, BenchError> {
        let Some(place) = place.filter(|_| !self.oracle.proxies().is_empty()) else {
            let told = trial(id, proposal, Outcome::Invalid);
            return Ok(Step { told, cost: 0.0, seen: None });
        };
        let untrained = self.oracle.untrained()?;
        let cost = match self.unit {
            Unit::Seconds => untrained.seconds(place),
            Unit::Evaluations => 0.0,
        };
        let measurements = untrained.measurements(place);
        let told = Trial { measurements, ..trial(id, proposal, Outcome::Untrained) };
        Ok(Step { told, cost, seen: None })
    }
}

fn repeats(proposal: &Proposal) -> u64 {
    u64::from(proposal.details.repeats.max(1))
}

/// As the strategy is told. Of the measurements of trained networks it gets its objectives alone.
fn trial(id: u64, proposal: Proposal, outcome: Outcome) -> Trial {
    Trial {
        id,
        proposal,
        outcome,
        objectives: Vec::new(),
        measurements: Measurements::default(),
        cost: Cost::default(),
        reason: None,
    }
}
