//! Events as one line each, for those that a person wants to see while a search runs.

use nas_core::journal::{Event, TrialResult};
use nas_core::protocol::one_shot::{OneShotEpoch, signals};
use nas_plugin_api::measurement::names;
use nas_plugin_api::trial::{Outcome, TrialId};
use nas_plugin_api::verdict::Action;

use super::Standing;
use crate::output::number;
use crate::output::style::{ERROR, WARNING, paint};

/// One line about an event that deserves attention; most do not.
pub(super) fn notable(event: &Event) -> Option<String> {
    match event {
        Event::Judged { policy, trial, verdict, enforced, .. } => {
            let about = trial.map_or_else(String::new, |trial| format!(" on trial {trial}"));
            let word = match verdict.action {
                Action::HaltRun | Action::PauseForApproval { .. } => {
                    paint(ERROR, action(&verdict.action))
                }
                _ => paint(WARNING, action(&verdict.action)),
            };
            let observed = if *enforced { "" } else { " (observed only)" };
            let (code, reason) = (&verdict.code, &verdict.reason);
            Some(format!("policy {policy}{about}: {word}{observed} ({code}): {reason}"))
        }
        Event::BudgetWarning { budget, spent, limit } => Some(format!(
            "{}: {} of {} are spent{}",
            paint(WARNING, "budget"),
            amount(budget, *spent),
            amount(budget, *limit),
            if budget.ends_with("_seconds") { format!(" ({budget})") } else { String::new() },
        )),
        Event::SearchEpoch { epoch, .. } => Some(search_epoch(epoch)),
        Event::SearchRolledBack { policy, epoch, weight_decay_factor } => Some(format!(
            "policy {policy}: back to epoch {epoch}, with {} times the weight decay",
            number::value(*weight_decay_factor)
        )),
        Event::SearchAbandoned { message, .. } => {
            Some(format!("{}: {message}", paint(WARNING, "supernet")))
        }
        Event::SearchEnded(end) => Some(format!(
            "the search on the supernet is over: {}; {} derived and {} random genotypes",
            end.why,
            end.genotypes.len(),
            end.baseline.len()
        )),
        Event::Abandoned { trial, .. } => {
            Some(format!("trial {trial} was cut off and is tried again on resume"))
        }
        Event::Ended { result, .. } if result.outcome == Outcome::Untrained => None,
        Event::Ended { trial, result, .. } if !result.outcome.has_result() => {
            Some(failure(*trial, result))
        }
        _ => None,
    }
}

/// One line about an epoch of a one-shot search.
fn search_epoch(epoch: &OneShotEpoch) -> String {
    let mut line = format!("epoch {:>4}", epoch.checkpoint.epoch);
    let mut push = |name: &str, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            line.push_str(&format!("  {name} {}", number::value(value)));
        }
    };
    push("train loss", Some(epoch.train_loss));
    push("acc.", Some(epoch.train_accuracy));
    push("validation loss", epoch.validation_loss);
    push("acc.", epoch.validation_accuracy);
    push("skips", epoch.signals.get(signals::SKIP_SHARE).copied());
    push("entropy", epoch.signals.get(signals::ENTROPY).copied());
    push("eigenvalue", epoch.signals.get(signals::HESSIAN_EIGENVALUE).copied());
    line
}

/// One line about a trial that ended; settled ones too.
pub(super) fn ended(standing: &Standing, trial: TrialId, result: &TrialResult) -> String {
    let Some(value) = result.objectives.first().filter(|_| result.outcome.has_result()) else {
        return failure(trial, result);
    };
    let mut line = format!("trial {trial:>4}  {} {}", standing.objective(), number::value(*value));
    line.push_str(&format!("  {} params", number::count(result.cost.parameters as f64)));
    if let Some(seconds) = result.measurements.get(names::TRAIN_SECONDS) {
        line.push_str(&format!("  {}", number::seconds(seconds)));
    }
    match (result.outcome, result.duplicate_of) {
        (Outcome::Duplicate, Some(first)) => {
            line.push_str(&format!("  same network as trial {first}"));
        }
        _ if standing.is_best(trial) => line.push_str("  best so far"),
        _ => {}
    }
    line
}

/// What is spent of a budget, in its unit: the end of its name.
fn amount(budget: &str, spent: f64) -> String {
    match budget.ends_with("_seconds") {
        true => number::seconds(spent),
        false => format!("{spent:.0} {budget}"),
    }
}

fn failure(trial: TrialId, result: &TrialResult) -> String {
    let reason = result.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("trial {trial:>4}  {}{reason}", result.outcome.name().replace('_', " "))
}

/// The word for an action.
pub(crate) fn action(action: &Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Warn => "warn",
        Action::RejectCandidate => "reject",
        Action::StopTrial => "stop trial",
        Action::RollBack { .. } => "roll back",
        Action::PauseForApproval { .. } => "pause for approval",
        Action::HaltRun => "halt",
        _ => "object",
    }
}
