//! What the events of a one-shot search add up to. The search itself keeps its state here, so that
//! live and after a resume it is the same.

use super::{ChoicePaths, Event, SearchEnd};
use crate::budget::Reservation;
use crate::protocol::Usage;
use crate::protocol::one_shot::{OneShotEpoch, SearchPlan};

/// A one-shot search as its events tell it.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchHistory {
    /// What it is going to do; absent before a worker said so.
    pub plan: Option<SearchPlan>,
    /// What the numbers of a mixture belong to.
    pub choices: Vec<ChoicePaths>,
    /// Every epoch in the order in which it ended, those that were gone back from too.
    pub epochs: Vec<ToldEpoch>,
    /// How it went back.
    pub roll_backs: Vec<RollBack>,
    /// Factor on the weight decay that is in force.
    pub weight_decay_factor: f64,
    /// How it ended; absent while it goes on.
    pub end: Option<SearchEnd>,
    /// How many workers it was given to.
    pub attempts: u32,
    /// What a worker has reserved that has it now, or had it when the supervisor died.
    pub open: Option<Reservation>,
    /// Whether what follows from its last epoch is not written down yet.
    pub is_undecided: bool,
    /// What it used.
    pub usage: Usage,
    /// The part of it since the last epoch ended.
    usage_of_epoch: Usage,
    /// Positions in `epochs` of those that the search stands on.
    line: Vec<usize>,
}

/// An epoch that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldEpoch {
    /// How often the search had gone back before.
    pub round: u32,
    /// What it showed.
    pub shown: OneShotEpoch,
    /// What it used, attempts that were cut off in it included.
    pub usage: Usage,
}

/// A way back.
#[derive(Clone, Debug, PartialEq)]
pub struct RollBack {
    /// The policy that wanted it.
    pub policy: String,
    /// The epoch after which it was wanted.
    pub from: u32,
    /// The epoch that the search went back to.
    pub to: u32,
    /// Factor on the weight decay from there on.
    pub weight_decay_factor: f64,
}

impl Default for SearchHistory {
    fn default() -> Self {
        Self {
            plan: None,
            choices: Vec::new(),
            epochs: Vec::new(),
            roll_backs: Vec::new(),
            weight_decay_factor: 1.0,
            end: None,
            attempts: 0,
            open: None,
            is_undecided: false,
            usage: Usage::default(),
            usage_of_epoch: Usage::default(),
            line: Vec::new(),
        }
    }
}

impl SearchHistory {
    /// Adds one event; those of other things change nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::SearchPlanned { plan, choices } => {
                self.plan = Some(plan.clone());
                self.choices.clone_from(choices);
            }
            Event::SearchDispatched { reservation, .. } => {
                self.attempts += 1;
                self.open = Some(*reservation);
                self.is_undecided = false;
            }
            Event::SearchTicked { usage, .. } => self.charge(usage),
            Event::SearchEpoch { round, epoch, usage, .. } => {
                self.charge(usage);
                let usage = std::mem::take(&mut self.usage_of_epoch);
                let number = epoch.checkpoint.epoch;
                self.forget_after(number.checked_sub(1));
                self.line.push(self.epochs.len());
                self.epochs.push(ToldEpoch { round: *round, shown: (**epoch).clone(), usage });
                self.is_undecided = true;
            }
            Event::SearchRolledBack { policy, epoch, weight_decay_factor } => {
                let from = self.last().map_or(0, |last| last.checkpoint.epoch);
                self.forget_after(Some(*epoch));
                self.weight_decay_factor = *weight_decay_factor;
                self.roll_backs.push(RollBack {
                    policy: policy.clone(),
                    from,
                    to: *epoch,
                    weight_decay_factor: *weight_decay_factor,
                });
                self.is_undecided = false;
            }
            Event::SearchAbandoned { usage, .. } => {
                self.charge(usage);
                self.open = None;
            }
            Event::SearchEnded(end) => {
                self.charge(&end.usage);
                self.end = Some((**end).clone());
                self.open = None;
                self.is_undecided = false;
            }
            // What a policy said is written down together with what follows from it.
            Event::Judged { .. } | Event::Stopped { .. } => self.is_undecided = false,
            _ => {}
        }
    }

    /// Whether there is such a search.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.attempts > 0 || self.plan.is_some()
    }

    /// How often it went back.
    #[must_use]
    pub fn round(&self) -> u32 {
        u32::try_from(self.roll_backs.len()).unwrap_or(u32::MAX)
    }

    /// The epochs that the search stands on, in order: those that it went back from are left out.
    pub fn line(&self) -> impl DoubleEndedIterator<Item = &ToldEpoch> {
        self.line.iter().filter_map(|&place| self.epochs.get(place))
    }

    /// The epoch that the search goes on from.
    #[must_use]
    pub fn last(&self) -> Option<&OneShotEpoch> {
        self.line().next_back().map(|told| &told.shown)
    }

    /// An epoch that the search stands on.
    #[must_use]
    pub fn epoch(&self, epoch: u32) -> Option<&OneShotEpoch> {
        self.line().map(|told| &told.shown).find(|shown| shown.checkpoint.epoch == epoch)
    }

    /// The number of the epoch that comes next.
    #[must_use]
    pub fn next_epoch(&self) -> u32 {
        self.last().map_or(0, |last| last.checkpoint.epoch.saturating_add(1))
    }

    fn forget_after(&mut self, epoch: Option<u32>) {
        let epochs = &self.epochs;
        self.line.retain(|&place| {
            let number = epochs[place].shown.checkpoint.epoch;
            epoch.is_some_and(|epoch| number <= epoch)
        });
    }

    fn charge(&mut self, usage: &Usage) {
        self.usage.add(usage);
        self.usage_of_epoch.add(usage);
    }
}
