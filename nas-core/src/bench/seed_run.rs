//! One search.

use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::measurement::{Cost, Measurements};
use nas_plugin_api::trial::{Outcome, Proposal, Trial};

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
                let is_answer = proposal.details.answer;
                let repeats = u64::from(proposal.details.repeats.max(1));
                let Step { told, cost, seen } = self.step(next_id, proposal, &evaluated)?;
                let is_new = seen.is_some() && told.outcome == Outcome::Finished;
                free = if is_new || cost > 0.0 { 0 } else { free + 1 };
                if free > MAX_FREE {
                    let (strategy, seed) = (self.plan.strategy.clone(), self.seed);
                    return Err(BenchError::NothingToEvaluate { strategy, seed, n: free });
                }
                found.spent += cost;
                while point < grid.len() && grid[point] < found.spent {
                    verdicts[point] = found.verdict as f32;
                    point += 1;
                }
                if let Some((place, answer)) = seen {
                    evaluated[place] = true;
                    if is_new {
                        found.evaluations += repeats;
                    }
                    has_answered |= is_answer;
                    let is_better = !has_answered && answer.signal > found.signal;
                    if is_answer || is_better {
                        (found.signal, found.verdict) = (answer.signal, answer.verdict);
                    }
                }
                next_id += 1;
                strategy.tell(&[told]).map_err(failed)?;
            }
        }
        verdicts[point..].fill(found.verdict as f32);
        Ok(found)
    }

    /// What becomes of a proposal; naming an answer that was `evaluated` before is free.
    fn step(&self, id: u64, proposal: Proposal, evaluated: &[bool]) -> Result<Step, BenchError> {
        let place = self.answers.place(&proposal.genotype);
        if proposal.is_untrained() {
            return self.step_untrained(id, proposal, place);
        }
        let is_free = proposal.details.answer && place.is_some_and(|place| evaluated[place]);
        let seen = place.zip(self.answer(&proposal)?);
        let outcome = match seen {
            Some(_) if is_free => Outcome::Duplicate,
            Some(_) => Outcome::Finished,
            None => Outcome::Invalid,
        };
        let cost = match (seen, self.unit) {
            (Some((_, answer)), Unit::Seconds) if !is_free => answer.seconds,
            (Some(_), Unit::Evaluations) if !is_free => 1.0,
            _ => 0.0,
        };
        let cost = cost * f64::from(proposal.details.repeats.max(1));
        let objectives = seen.map(|(_, answer)| answer.signal).into_iter().collect();
        let told = Trial { objectives, ..trial(id, proposal, outcome) };
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

    /// What the benchmark says at the fidelity that is asked for.
    fn answer(&self, proposal: &Proposal) -> Result<Option<Answer>, BenchError> {
        match proposal.details.fidelity {
            Some(fidelity) if fidelity != self.plan.fidelity => {
                Ok(self.oracle.answers(&fidelity)?.get(&proposal.genotype))
            }
            _ => Ok(self.answers.get(&proposal.genotype)),
        }
    }
}

/// As the strategy is told. Of the measurements of trained networks it gets the signal alone, as
/// its objective.
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
