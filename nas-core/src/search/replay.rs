//! Repeating a journalled search up to where it was cut off.
//!
//! The strategy is asked and told the same in the same order; an answer that differs from the
//! journal's ends the resume, since then nothing that follows could be trusted. Results are never
//! computed again: they come from the journal.

use std::collections::HashMap;
use std::sync::Arc;

use nas_plugin_api::trial::TrialId;

use super::run::answer_of;
use super::{Search, SearchError};
use crate::controls::cut_off;
use crate::journal::{Answer, Control, Event, Recorded, TrialResult};

impl Search<'_> {
    /// Repeats a journal's events; afterwards the search stands where the journal ends, and
    /// attempts that were under way are charged in full and queued again.
    ///
    /// # Errors
    /// A strategy that answers differently now, or a component that fails.
    pub fn replay(&mut self, journal: &[Recorded]) -> Result<(), SearchError> {
        let mut events = Vec::new();
        for (place, recorded) in journal.iter().enumerate() {
            events.clear();
            self.ledger.apply(&recorded.event);
            match &recorded.event {
                Event::Asked { slots, answer, spent } => {
                    self.ask_again(recorded.seq, *slots, answer)?;
                    let settled = settled_at_gate(&journal[place + 1..]);
                    self.state.asked(&self.parts, answer, *spent, Some(&settled), &mut events);
                    self.set_waiting(*answer == Answer::Wait);
                }
                Event::Approval(approval) if approval.granted => {
                    self.state.approve(approval);
                }
                Event::Dispatched { trial, attempt, .. } => {
                    self.state.dispatched(*trial, *attempt);
                }
                Event::Abandoned { trial, .. } => self.state.abandoned(*trial),
                Event::Repeated { trial, measurements, .. } => {
                    self.state.repeated(*trial, measurements.clone());
                }
                Event::CheckpointKept { trial, sha256 } => {
                    self.state.kept_checkpoint(*trial, sha256);
                }
                Event::Ended { trial, result, .. } => {
                    self.state.review_again(&self.parts, *trial, result);
                    let beaten =
                        self.state.ended(&self.parts, *trial, Arc::clone(result), &mut events);
                    beaten.into_iter().for_each(|trial| self.work.discard(trial));
                }
                Event::Told { trials: ids } => {
                    let trials = self.state.told(&self.parts, ids, &mut events);
                    self.parts
                        .call_strategy("take results", move |strategy| strategy.tell(&trials))?;
                    self.set_waiting(false);
                }
                event => self.state.apply_holdout(event),
            }
        }
        // What stopped the search then is decided anew.
        self.state.stop = None;
        self.abandon_open_attempts()
    }

    fn ask_again(&mut self, seq: u64, slots: u32, journalled: &Answer) -> Result<(), SearchError> {
        let answer =
            self.parts.call_strategy("propose", move |strategy| strategy.ask(slots as usize))?;
        let answer = answer_of(answer, self.state.next_trial);
        match answer == *journalled {
            true => Ok(()),
            false => Err(SearchError::Replay {
                seq,
                journalled: describe(journalled),
                repeated: describe(&answer),
            }),
        }
    }

    /// Attempts and reads of the holdout without an end: nobody knows what they used, so they are
    /// charged in full.
    fn abandon_open_attempts(&mut self) -> Result<(), SearchError> {
        let mut events = Vec::new();
        if let Some(unread) = self.state.holdout.history.cut_off() {
            self.ledger.apply(&unread);
            self.state.apply_holdout(&unread);
            events.push(unread);
        }
        for (trial, usage) in self.ledger.abandon_all() {
            if trial >= Control::FIRST_ID {
                events.push(cut_off(trial, usage));
                continue;
            }
            let attempt = self.state.open.get(&trial).map_or(0, |open| open.attempt);
            self.state.abandoned(trial);
            events.push(Event::Abandoned { trial, attempt, usage });
        }
        self.journal(events)
    }
}

/// Trials that were settled at the gate right after an answer.
pub(super) fn settled_at_gate(following: &[Recorded]) -> HashMap<TrialId, Arc<TrialResult>> {
    following
        .iter()
        .take_while(|recorded| {
            matches!(recorded.event, Event::Judged { .. } | Event::Settled { .. })
        })
        .filter_map(|recorded| match &recorded.event {
            Event::Settled { trial, result } => Some((*trial, Arc::clone(result))),
            _ => None,
        })
        .collect()
}

fn describe(answer: &Answer) -> String {
    match answer {
        Answer::Wait => "that the strategy waits".to_owned(),
        Answer::Done { reason } => format!("that the strategy is done ({reason})"),
        Answer::Proposals { proposals, .. } => {
            let genotypes: Vec<String> =
                proposals.iter().take(4).map(|p| format!("{:?}", p.genotype.0)).collect();
            format!("{} proposals: {}", proposals.len(), genotypes.join(" "))
        }
    }
}
