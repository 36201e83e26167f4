//! The robust rule: an improvement far outside of all those before it.
//!
//! With `d` the improvements of the best fitness from check to check, the last one is a jump when
//! `d_last − median(d_before)` is above both `deviations · MAD(d_before)` and `smallest_jump`,
//! where MAD is the median absolute deviation from the median. Median and MAD are not moved by a
//! few wild values, so neither the fast first checks nor an earlier jump hide the next one.
//!
//! On a curve that flattens, no improvement exceeds the median of those before it, so the rule
//! never fires, however fast the curve rises; nor does it on a logistic curve from 0.1 to 0.95
//! (the tests try every slope). What it does take for a jump: a search that stands still for long
//! and then learns within a single check. `smallest_jump` decides how much that may be.
//!
//! # Source
//! Hampel. The influence curve and its role in robust estimation. JASA 69, 1974 (MAD).

use nas_plugin_api::verdict::{Action, Verdict};

use crate::RunawayConfig;
use crate::median::median;

/// Halts on a fitness that can't exist; minus infinity stands for no result.
pub(crate) fn impossible(best: f64, config: &RunawayConfig) -> Option<Verdict> {
    let highest = config.highest_possible;
    let reason = match best {
        _ if best.is_nan() => "the best fitness is not a number".to_owned(),
        _ if best > highest => {
            format!("the best fitness {best} is above {highest}, the highest possible")
        }
        _ => return None,
    };
    let verdict = Verdict::new(Action::HaltRun, "impossible_fitness", reason);
    Some(verdict.with("best", best).with("highest_possible", highest))
}

pub(crate) fn judge(fitness: &[f64], config: &RunawayConfig) -> Verdict {
    let improvements: Vec<f64> = fitness.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let Some((&last, before)) = improvements.split_last() else {
        return Verdict::allow();
    };
    if before.len() < config.history {
        return Verdict::allow();
    }
    let middle = median(before.to_vec());
    let deviation = median(before.iter().map(|improvement| (improvement - middle).abs()).collect());
    let excess = last - middle;
    let allowed = (config.deviations * deviation).max(config.smallest_jump);
    if excess <= allowed {
        return Verdict::allow();
    }
    let reason = format!(
        "the best fitness jumped by {last:.3}, {excess:.3} more than the median of the \
         improvements before, where {allowed:.3} are allowed"
    );
    Verdict::new(Action::HaltRun, "runaway", reason)
        .with("improvement", last)
        .with("median", middle)
        .with("median_absolute_deviation", deviation)
        .with("allowed", allowed)
}
