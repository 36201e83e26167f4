//! What policies would have said of a run that is over.
//!
//! The same steps as in a search that is taken up again ([`super::replay`]), without a strategy:
//! what was proposed and what came of it are the journal's, so the policies see what they would
//! have seen, as far as the run went the way it did. What they say changes nothing here.

use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::{Plan, PolicyContext, Question, QuestionKind, Spending, Verdict};
use std::sync::Arc;

use super::policies::judge;
use super::replay::settled_at_gate;
use super::state::State;
use super::{Judgement, Parts};
use crate::budget::Tally;
use crate::journal::{Event, Recorded};
use crate::one_shot::EpochJudge;
use crate::settings::Settings;

/// An objection that would have been made.
#[derive(Clone, Debug, PartialEq)]
pub struct Objection {
    /// The event of the journal at which.
    pub seq: u64,
    /// The policy.
    pub policy: String,
    /// What it was asked.
    pub question: QuestionKind,
    /// About this trial, if about one.
    pub trial: Option<TrialId>,
    /// What it answered.
    pub verdict: Verdict,
    /// Whether it would have been obeyed; otherwise it would only have been observed.
    pub enforced: bool,
    /// What the run had spent.
    pub spent: Spending,
}

/// Asks the policies of `parts` everything that they would have been asked in this run.
#[must_use]
pub fn replay_policies(
    parts: &Parts,
    settings: &Settings,
    plan: &Plan,
    journal: &[Recorded],
) -> Vec<Objection> {
    let caps = settings.budget.caps();
    let mut replay = PolicyReplay {
        parts,
        plan,
        state: State::of(settings),
        epochs: EpochJudge::new(caps),
        tally: Tally::default(),
        objections: Vec::new(),
    };
    for (place, recorded) in journal.iter().enumerate() {
        replay.tally.apply(&recorded.event);
        replay.step(recorded, &journal[place + 1..]);
    }
    replay.objections
}

struct PolicyReplay<'a> {
    parts: &'a Parts,
    plan: &'a Plan,
    state: State,
    epochs: EpochJudge,
    tally: Tally,
    objections: Vec<Objection>,
}

impl PolicyReplay<'_> {
    fn step(&mut self, recorded: &Recorded, following: &[Recorded]) {
        let (parts, seq) = (self.parts, recorded.seq);
        let mut events = Vec::new();
        match &recorded.event {
            Event::Started(start) => {
                self.budget(&start.settings);
                self.ask(seq, Question::Plan(self.plan.clone()));
            }
            Event::Resumed { settings, .. } => {
                if let Some(settings) = settings {
                    self.budget(settings);
                }
                self.ask(seq, Question::Resume(self.plan.clone()));
            }
            Event::Asked { answer, spent, .. } => {
                let settled = settled_at_gate(following);
                self.state.asked(parts, answer, *spent, Some(&settled), &mut events);
            }
            Event::Approval(approval) if approval.granted => {
                self.state.approve(approval);
                self.epochs.approve(approval);
            }
            Event::Dispatched { trial, attempt, .. } => self.state.dispatched(*trial, *attempt),
            Event::Abandoned { trial, .. } => self.state.abandoned(*trial),
            Event::Repeated { trial, measurements, .. } => {
                self.state.repeated(*trial, measurements.clone());
            }
            Event::CheckpointKept { trial, sha256 } => self.state.kept_checkpoint(*trial, sha256),
            Event::Ended { trial, result, .. } => {
                let judged = self.state.review_again(parts, *trial, result);
                self.note(seq, judged.into_iter().flat_map(|judged| judged.objections));
                self.state.ended(parts, *trial, Arc::clone(result), &mut events);
            }
            Event::Told { trials } => {
                self.state.told(parts, trials, &mut events);
            }
            Event::SearchEpoch { epoch, spent, .. } => {
                let Judgement { objections, .. } =
                    self.epochs.judge(&parts.policies, epoch, *spent);
                self.note(seq, objections);
            }
            Event::Stopped { .. } => {
                // With a policy that asks for it, the holdout is read before the answer is judged.
                following
                    .iter()
                    .take_while(|later| !matches!(later.event, Event::Resumed { .. }))
                    .for_each(|later| self.state.apply_holdout(&later.event));
                // A run that is resumed later goes on with its best trial.
                let champion = self.state.champion.clone();
                self.state.crown(parts, &mut events);
                self.state.champion = champion;
            }
            event => self.state.apply_holdout(event),
        }
        self.note(seq, events);
    }

    /// The budget that is in force from here.
    fn budget(&mut self, settings: &serde_json::Value) {
        if let Ok(settings) = serde_json::from_value::<Settings>(settings.clone()) {
            let caps = settings.budget.caps();
            self.state.set_budget(caps.clone());
            self.epochs.set_budget(caps);
        }
    }

    fn ask(&mut self, seq: u64, question: Question) {
        let budget = self.state.budget().clone();
        let context = Arc::new(PolicyContext { budget, ..PolicyContext::default() });
        let judged = judge(&self.parts.policies, question, &context);
        self.note(seq, judged.into_iter().flat_map(|judged| judged.objections));
    }

    fn note(&mut self, seq: u64, events: impl IntoIterator<Item = Event>) {
        let spent = self.tally.spent();
        self.objections.extend(events.into_iter().filter_map(|event| match event {
            Event::Judged { policy, question, trial, verdict, enforced } => {
                Some(Objection { seq, policy, question, trial, verdict, enforced, spent })
            }
            _ => None,
        }));
    }
}
