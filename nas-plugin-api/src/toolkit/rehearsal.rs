//! Running a strategy against a function of the genotype, for the tests of strategies.

use super::rng::{Generator, RngExt, generator};
use crate::component::{Ask, SearchStrategy};
use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::trial::{Outcome, Trial, TrialId};

/// How a strategy is run; what the core adds (journal, budget, policies) is left out.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal {
    /// Trials at once.
    pub workers: usize,
    /// Most trials in all.
    pub trials: usize,
    /// Trials end in an order drawn with this seed; absent means in the order of proposals.
    pub shuffle: Option<u64>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsed {
    /// The trials, in the order in which they were told.
    pub trials: Vec<Trial>,
    /// Why the strategy ended; absent where it would have gone on.
    pub done: Option<String>,
}

impl Rehearsal {
    /// One trial after the other, up to so many.
    #[must_use]
    pub fn of(trials: usize) -> Self {
        Self { workers: 1, trials, shuffle: None }
    }

    /// So many trials at once, ending in an order drawn with this seed.
    #[must_use]
    pub fn with_workers(mut self, workers: usize, seed: u64) -> Self {
        self.workers = workers;
        self.shuffle = Some(seed);
        self
    }

    /// Runs a strategy; `evaluate` gives the objectives of a genotype, or how its trial fails.
    ///
    /// # Errors
    /// The strategy's, and an internal one where it breaks the rules of
    /// [`SearchStrategy::ask`]: no proposal or more than there are slots, or waiting for nothing.
    pub fn run(
        &self,
        strategy: &mut dyn SearchStrategy,
        mut evaluate: impl FnMut(&Genotype) -> Result<Vec<f64>, Outcome>,
    ) -> Result<Rehearsed, PluginError> {
        let mut rng = self.shuffle.map(generator);
        let mut running: Vec<Trial> = Vec::new();
        let mut rehearsed = Rehearsed { trials: Vec::new(), done: None };
        let mut next_id: TrialId = 0;
        loop {
            let left = self.trials.saturating_sub(next_id as usize);
            let slots = self.workers.saturating_sub(running.len()).min(left);
            let mut waits = slots == 0 || rehearsed.done.is_some();
            if !waits {
                match strategy.ask(slots)? {
                    Ask::Proposals(proposals) if (1..=slots).contains(&proposals.len()) => {
                        for proposal in proposals {
                            running.push(ended(next_id, proposal, &mut evaluate));
                            next_id += 1;
                        }
                    }
                    Ask::Proposals(proposals) => return Err(miscounted(proposals.len(), slots)),
                    Ask::Wait if running.is_empty() => {
                        return Err(PluginError::internal("go on: it waits, but nothing runs"));
                    }
                    Ask::Wait => waits = true,
                    Ask::Done { reason } => rehearsed.done = Some(reason),
                }
            }
            let full = waits || running.len() == self.workers;
            if running.is_empty() && (left == 0 || rehearsed.done.is_some()) {
                return Ok(rehearsed);
            }
            if full && !running.is_empty() {
                let trial = running.remove(pick(rng.as_mut(), running.len()));
                strategy.tell(std::slice::from_ref(&trial))?;
                rehearsed.trials.push(trial);
            }
        }
    }
}

fn ended(
    id: TrialId,
    proposal: crate::trial::Proposal,
    evaluate: &mut impl FnMut(&Genotype) -> Result<Vec<f64>, Outcome>,
) -> Trial {
    let (outcome, objectives) = match evaluate(&proposal.genotype) {
        Ok(objectives) => (Outcome::Finished, objectives),
        Err(outcome) => (outcome, Vec::new()),
    };
    Trial {
        id,
        proposal,
        outcome,
        objectives,
        measurements: crate::measurement::Measurements::default(),
        cost: crate::measurement::Cost::default(),
        reason: None,
    }
}

fn pick(rng: Option<&mut Generator>, n: usize) -> usize {
    rng.map_or(0, |rng| rng.random_range(0..n as u32) as usize)
}

fn miscounted(found: usize, slots: usize) -> PluginError {
    PluginError::internal(format!("ask: {found} proposals for {slots} slots"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Proposal;

    /// Proposes numbers one after the other, and notes what it is told.
    struct Counter {
        proposed: u16,
        last: u16,
        told: Vec<TrialId>,
        greed: usize,
    }

    impl SearchStrategy for Counter {
        fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
            let n = slots.min(usize::from(self.last - self.proposed)) as u16;
            if n == 0 {
                return Ok(Ask::Done { reason: "counted".to_owned() });
            }
            let numbers = self.proposed..self.proposed + n + self.greed as u16;
            self.proposed += n;
            Ok(Ask::Proposals(numbers.map(|n| Proposal::from(Genotype(vec![n]))).collect()))
        }

        fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
            self.told.extend(trials.iter().map(|trial| trial.id));
            Ok(())
        }
    }

    fn run(rehearsal: Rehearsal, greed: usize) -> Result<(Rehearsed, Vec<TrialId>), PluginError> {
        let mut counter = Counter { proposed: 0, last: 20, told: Vec::new(), greed };
        let rehearsed = rehearsal.run(&mut counter, |genotype| match genotype.0[0] {
            3 => Err(Outcome::Failed),
            n => Ok(vec![f64::from(n)]),
        })?;
        Ok((rehearsed, counter.told))
    }

    #[test]
    fn every_trial_is_told_once_even_after_the_end() {
        let (rehearsed, mut told) = run(Rehearsal::of(100).with_workers(7, 1), 0).unwrap();
        assert_eq!(rehearsed.done.as_deref(), Some("counted"));
        assert!(!told.is_sorted());
        told.sort_unstable();
        assert_eq!(told, (0..20).collect::<Vec<_>>());
        let failed = rehearsed.trials.iter().find(|trial| trial.id == 3).unwrap();
        assert_eq!((failed.outcome, failed.objectives.len()), (Outcome::Failed, 0));
    }

    #[test]
    fn trials_are_limited() {
        let (rehearsed, told) = run(Rehearsal::of(5), 0).unwrap();
        assert_eq!((rehearsed.done, told), (None, vec![0, 1, 2, 3, 4]));
    }

    #[test]
    fn more_proposals_than_slots_are_an_error() {
        assert!(run(Rehearsal::of(5), 1).is_err());
    }
}
