//! How the last proposals ended.

use std::collections::VecDeque;

use nas_plugin_api::trial::Outcome;
use nas_plugin_api::verdict::{Action, History, Verdict};

use crate::AnomalyConfig;

/// Outcomes of trials that were dispatched and came to nothing.
const FAILURES: [Outcome; 4] =
    [Outcome::Failed, Outcome::Diverged, Outcome::OutOfMemory, Outcome::TimedOut];

/// Follows how proposals end. What a policy is told are sums since the beginning; a rate is taken
/// between two of them that are at least a window apart.
#[derive(Default)]
pub(crate) struct Rates {
    /// Sums that rates may begin at, oldest first; the last one is the newest.
    seen: VecDeque<Sums>,
    /// How many had ended at the last warning.
    warned_at: u64,
}

/// How many proposals have ended, and how.
#[derive(Clone, Copy, Default, PartialEq)]
struct Sums {
    ended: u64,
    failed: u64,
    finished: u64,
    refused: u64,
    duplicates: u64,
}

impl Sums {
    fn of(history: &History) -> Self {
        let of = |outcome: Outcome| history.outcomes.get(outcome.name()).copied().unwrap_or(0);
        Self {
            ended: history.outcomes.values().sum(),
            failed: FAILURES.into_iter().map(of).sum(),
            finished: of(Outcome::Finished),
            refused: of(Outcome::Refused) + of(Outcome::Invalid),
            duplicates: of(Outcome::Duplicate),
        }
    }
}

impl Rates {
    /// Judges how proposals ended since the window began. Nothing new was heard of, nothing new is
    /// said.
    pub(crate) fn judge(&mut self, history: &History, config: &AnomalyConfig) -> Verdict {
        let now = Sums::of(history);
        if self.seen.is_empty() {
            self.seen.push_back(Sums::default());
        }
        if self.seen.back() == Some(&now) {
            return Verdict::allow();
        }
        self.seen.push_back(now);
        let window = u64::from(config.window);
        // The newest beginning that is a window away; all before it are of no use any more.
        while self.seen.get(1).is_some_and(|next| now.ended.saturating_sub(next.ended) >= window) {
            self.seen.pop_front();
        }
        let Some(first) = self.seen.front().copied() else { return Verdict::allow() };
        let since = |now: u64, first: u64| now.saturating_sub(first) as f64;
        let ended = since(now.ended, first.ended);
        if now.ended.saturating_sub(first.ended) < window {
            return Verdict::allow();
        }
        let failed = since(now.failed, first.failed);
        let tried = failed + since(now.finished, first.finished);
        let refused = since(now.refused, first.refused);
        // Few were tried where most were duplicates: a rate of those says little.
        if tried >= f64::from(config.window) / 2.0 && failed / tried > config.max_failure_rate {
            let most = config.max_failure_rate;
            return halt("failure_rate", "trials failed", failed, tried, most);
        }
        if refused / ended > config.max_refusal_rate {
            let (what, most) = ("proposals were refused or invalid", config.max_refusal_rate);
            return halt("refusal_rate", what, refused, ended, most);
        }
        let duplicates = since(now.duplicates, first.duplicates);
        let may_warn = self.warned_at == 0 || now.ended >= self.warned_at + window;
        if duplicates / ended > config.max_duplicate_rate && may_warn {
            self.warned_at = now.ended;
            let (what, most) = ("proposals were duplicates", config.max_duplicate_rate);
            let verdict = halt("duplicate_rate", what, duplicates, ended, most);
            return Verdict { action: Action::Warn, ..verdict };
        }
        Verdict::allow()
    }
}

fn halt(code: &str, what: &str, n: f64, of: f64, most: f64) -> Verdict {
    let reason = format!("{n} of the last {of} {what}, where a share of {most} is allowed");
    Verdict::new(Action::HaltRun, code, reason).with("rate", n / of).with("allowed", most)
}
