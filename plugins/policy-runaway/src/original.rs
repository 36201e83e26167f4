//! The original rule: `(last − first) / window > threshold` over the last `window` checks.
//!
//! It divides by the number of checks, not of steps between them, and is kept so. It also fires on
//! an honest curve that rises from 0.1 to 0.95 within 5 checks, which most searches on small
//! images do: that is why it is not the default.

use nas_plugin_api::verdict::{Action, Verdict};

use crate::RunawayConfig;

pub(crate) fn judge(fitness: &[f64], config: &RunawayConfig) -> Verdict {
    let Some(start) = fitness.len().checked_sub(config.window) else {
        return Verdict::allow();
    };
    let (first, last) = (fitness[start], fitness[fitness.len() - 1]);
    let rise = (last - first) / config.window as f64;
    if rise <= config.threshold {
        return Verdict::allow();
    }
    let reason = format!(
        "exponential improvement: from {first} to {last} in {} checks, {rise:.3} a check where \
         {} are allowed",
        config.window, config.threshold
    );
    Verdict::new(Action::HaltRun, "runaway", reason)
        .with("first", first)
        .with("last", last)
        .with("rise", rise)
        .with("threshold", config.threshold)
}
