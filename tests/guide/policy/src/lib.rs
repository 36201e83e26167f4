//! The policy `failures`: halts a search whose trials fail one after another.
//!
//! One network that needs too much memory is a result like any other. Ten in a row say that
//! something else is wrong, and that the rest of the budget would be spent on nothing.

use nas_plugin_api::component::{Component, SafetyPolicy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{Action, PolicyContext, Question, QuestionKind, Verdict};

nas_plugin_api::export_plugin! { policies: [Failures] }

nas_plugin_api::configuration! {
    /// Settings of the policy.
    pub struct FailuresConfig {
        /// Halt after so many failures in a row.
        #[schemars(range(min = 1, max = 1000000))]
        pub in_a_row: u32 = 10_u32,
    }
}

/// Halts a search whose trials fail one after another.
pub struct Failures {
    config: FailuresConfig,
    in_a_row: u32,
}

impl Component for Failures {
    const NAME: &'static str = "failures";
    const SUMMARY: &'static str = "halts a search whose trials fail one after another";
    type Config = FailuresConfig;
    type Context = ();

    fn create(config: FailuresConfig, (): ()) -> Result<Self, PluginError> {
        Ok(Self { config, in_a_row: 0 })
    }
}

impl SafetyPolicy for Failures {
    fn answers(&self) -> Vec<QuestionKind> {
        vec![QuestionKind::Review]
    }

    fn judge(&mut self, question: &Question, _: &PolicyContext) -> Result<Verdict, PluginError> {
        // A review follows every trial that was trained, however it ended.
        let Question::Review(review) = question else {
            return Ok(Verdict::allow());
        };
        self.in_a_row = if is_failure(review.outcome) { self.in_a_row + 1 } else { 0 };
        if self.in_a_row < self.config.in_a_row {
            return Ok(Verdict::allow());
        }
        let reason = format!(
            "{} trials failed in a row, the last one as `{}`",
            self.in_a_row,
            review.outcome.name()
        );
        Ok(Verdict::new(Action::HaltRun, "failures_in_a_row", reason)
            .with("in_a_row", self.in_a_row.into()))
    }
}

fn is_failure(outcome: Outcome) -> bool {
    use Outcome::{Diverged, Failed, OutOfMemory, TimedOut};
    matches!(outcome, Failed | Diverged | OutOfMemory | TimedOut)
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::measurement::Measurements;
    use nas_plugin_api::verdict::{Candidate, Review};

    use super::*;

    /// Whether the search is halted by the last of these outcomes, and by none before.
    #[track_caller]
    fn check(outcomes: &[Outcome], halted: bool) {
        let mut policy = Failures::create(FailuresConfig { in_a_row: 2 }, ()).unwrap();
        let mut judge = |&outcome: &Outcome| {
            let review = Review {
                candidate: Candidate::default(),
                outcome,
                measurements: Measurements::default(),
                objectives: Vec::new(),
            };
            let verdict = policy.judge(&Question::Review(review), &PolicyContext::default());
            verdict.unwrap().action == Action::HaltRun
        };
        let verdicts: Vec<bool> = outcomes.iter().map(&mut judge).collect();
        let (last, before) = verdicts.split_last().unwrap();
        assert!(*last == halted && !before.contains(&true), "{verdicts:?}");
    }

    #[test]
    fn failures_in_a_row_halt() {
        check(&[Outcome::Failed, Outcome::OutOfMemory], true);
        check(&[Outcome::Failed, Outcome::Finished, Outcome::TimedOut], false);
        check(&[Outcome::Refused, Outcome::Stopped], false);
    }
}
