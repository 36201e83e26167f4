//! Results that can't be, and networks that only guess.

use nas_plugin_api::measurement::names::{TRAIN_ACCURACY, VALIDATION_ACCURACY};
use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{Action, Progress, Review, Verdict};

use crate::AnomalyConfig;

/// Judges one result by itself: a value that is no number spoils its own trial, an accuracy that
/// can't exist puts all others in doubt too.
pub(crate) fn judge(review: &Review) -> Verdict {
    for name in [VALIDATION_ACCURACY, TRAIN_ACCURACY] {
        let value = review.measurements.get(name);
        if let Some(accuracy) = value.filter(|value| *value < 0.0 || *value > 1.0) {
            let reason = format!("{name} is {accuracy}; no accuracy is outside of 0 to 1");
            return Verdict::new(Action::HaltRun, "impossible_accuracy", reason)
                .with(name, accuracy);
        }
    }
    if review.outcome != Outcome::Finished {
        return Verdict::allow();
    }
    let measured = review.measurements.0.iter().map(|(name, value)| (name.as_str(), *value));
    let scored = review.objectives.iter().map(|value| ("objective", *value));
    match measured.chain(scored).find(|(_, value)| !value.is_finite()) {
        Some((name, value)) => {
            let reason = format!("{name} is {value}, so the trial counts for nothing");
            Verdict::new(Action::RejectCandidate, "not_finite", reason).with(name, value)
        }
        None => Verdict::allow(),
    }
}

/// The same of an epoch of a one-shot search, whose score is an accuracy. Minus infinity stands
/// for none.
pub(crate) fn judge_progress(progress: &Progress) -> Verdict {
    let best = progress.best;
    if progress.unit != "epoch" || best == f64::NEG_INFINITY || (0.0..=1.0).contains(&best) {
        return Verdict::allow();
    }
    let reason = format!(
        "the validation accuracy of epoch {} is {best}; no accuracy is outside of 0 to 1",
        progress.completed.saturating_sub(1)
    );
    Verdict::new(Action::HaltRun, "impossible_accuracy", reason).with("best", best)
}

/// Follows networks that learn nothing.
#[derive(Default)]
pub(crate) struct Guessing {
    /// How many in a row had the accuracy of the last one.
    equal: u32,
    last: Option<f64>,
    /// How many in a row were no better than chance.
    at_chance: u32,
}

impl Guessing {
    /// Notes a result. A network that gives every image to one class has that class's share as its
    /// accuracy, whatever else it is: the same number again and again means that nothing is learnt.
    pub(crate) fn judge(&mut self, review: &Review, config: &AnomalyConfig) -> Verdict {
        let accuracy = review.measurements.get(VALIDATION_ACCURACY);
        let Some(accuracy) = accuracy.filter(|_| review.outcome == Outcome::Finished) else {
            return Verdict::allow();
        };
        // Networks that are all perfect guess nothing.
        let is_equal = self.last == Some(accuracy) && accuracy < 1.0;
        self.equal = if is_equal { self.equal.saturating_add(1) } else { 1 };
        self.last = Some(accuracy);
        let limit = config.chance.map(|chance| chance + config.chance_margin);
        let guesses = limit.is_some_and(|limit| accuracy <= limit);
        self.at_chance = if guesses { self.at_chance.saturating_add(1) } else { 0 };
        let (n, stuck) = (config.stuck_trials, |text: String| {
            Verdict::new(Action::HaltRun, "stuck", text).with(VALIDATION_ACCURACY, accuracy)
        });
        if n > 1 && self.equal >= n {
            let text = format!(
                "the last {} networks all have the validation accuracy {accuracy}: they learn \
                 nothing, or what is measured is not what they do",
                self.equal
            );
            return stuck(text).with("networks", self.equal.into());
        }
        if n > 0 && self.at_chance >= n {
            let text = format!(
                "the last {} networks are no better than chance: the best that counts as such is \
                 {}",
                self.at_chance,
                limit.unwrap_or(f64::NAN)
            );
            return stuck(text).with("networks", self.at_chance.into());
        }
        Verdict::allow()
    }
}
