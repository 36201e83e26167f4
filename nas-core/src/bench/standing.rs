//! What a search has to show for itself so far.

use nas_plugin_api::objective::{Objective, violation};

use super::answers::{Answer, Answers};
use super::tradeoffs::Front;

/// The answer of a search if it ended now, and what that is worth.
pub(super) struct Standing<'a> {
    answers: &'a Answers,
    objectives: &'a [Objective],
    /// The signal of its answer; with several objectives the best of its front.
    pub(super) signal: f64,
    /// What the answer is worth; with several objectives the share of the hypervolume. NaN before
    /// there is one.
    pub(super) verdict: f64,
    /// With several objectives, what it would answer with.
    pub(super) front: Front,
    has_answered: bool,
}

impl<'a> Standing<'a> {
    pub(super) fn new(answers: &'a Answers, objectives: &'a [Objective]) -> Self {
        Self {
            answers,
            objectives,
            signal: f64::NEG_INFINITY,
            verdict: f64::NAN,
            front: Front::default(),
            has_answered: false,
        }
    }

    /// A genotype was evaluated, or named as the answer; `values` are its objectives, if the
    /// benchmark has them all.
    pub(super) fn see(
        &mut self,
        place: usize,
        answer: Answer,
        values: Option<&[f64]>,
        is_answer: bool,
    ) {
        let Some(values) = values.filter(|values| violation(self.objectives, values) == 0.0) else {
            return;
        };
        if let Some(tradeoffs) = self.answers.tradeoffs() {
            let is_new = tradeoffs.gains(values).is_some_and(|gains| self.front.add(place, gains));
            if is_new {
                self.signal = self.signal.max(answer.signal);
                self.verdict = tradeoffs.share(&self.front);
            }
            return;
        }
        self.has_answered |= is_answer;
        if is_answer || (!self.has_answered && answer.signal > self.signal) {
            (self.signal, self.verdict) = (answer.signal, answer.verdict);
        }
    }
}
