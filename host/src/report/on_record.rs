//! Events as one line each, for an auditor: everything that was decided, with numbers and times.

use nas_core::journal::{Answer, Approval, Event, HoldoutOpened, Recorded, Start, TrialResult};
use nas_plugin_api::measurement::names;
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::Spending;
use time::OffsetDateTime;

use crate::output::number;
use crate::output::progress::action;

/// One line about an event; `None` of those about single trials, unless all are wanted.
pub(crate) fn on_record(recorded: &Recorded, all: bool) -> Option<String> {
    let text = decision(&recorded.event).or_else(|| all.then(|| of_trial(&recorded.event)))?;
    Some(format!("{:>6}  {}  {text}", recorded.seq, utc(recorded.time_ms)))
}

fn decision(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started(start) => started(start),
        Event::Resumed { settings, version } => {
            let settings = if settings.is_some() { ", with another budget" } else { "" };
            format!("resumed by version {version}{settings}")
        }
        Event::Approval(approval) => {
            let word = if approval.granted { "approved" } else { "denied" };
            let Approval { policy, threshold, by, reason, expires, signed, .. } = &**approval;
            let expires = expires.as_ref().map_or_else(String::new, |day| format!(", until {day}"));
            let signed = signed
                .as_ref()
                .map_or_else(String::new, |one| format!(", signed with {}", one.key));
            format!(
                "{by} {word} {threshold}, which policy {policy} wanted approved: \
                 {reason}{expires}{signed}"
            )
        }
        Event::OrganisationPolicy(record) => {
            let signed = record.signed.as_deref().unwrap_or("none was asked for");
            format!(
                "held to the policy of {} (`{}`, sha256 {}; signature: {signed})",
                record.organisation,
                record.path.display(),
                record.sha256
            )
        }
        Event::Judged { policy, question, trial, verdict, enforced } => {
            let about = trial.map_or_else(String::new, |trial| format!(" on trial {trial}"));
            let observed = if *enforced { "" } else { " (observed only)" };
            let question = format!("{question:?}").to_lowercase();
            let (action, code) = (action(&verdict.action), &verdict.code);
            format!(
                "policy {policy} on {question}{about}: {action}{observed} ({code}): {}",
                verdict.reason
            )
        }
        Event::BudgetWarning { budget, spent, limit } => {
            format!(
                "budget {budget}: {} of {} are spent",
                number::value(*spent),
                number::value(*limit)
            )
        }
        Event::HoldoutOpened(opened) => {
            let HoldoutOpened { query, queries, trial, by, why, .. } = &**opened;
            format!(
                "the holdout is opened for trial {trial}, {query} of {queries} times, by {by}: {why}"
            )
        }
        Event::HoldoutUnread { trial, message, .. } => {
            format!("the holdout was not read for trial {trial}: {message}")
        }
        Event::Audited { trial, measurements, .. } => {
            let values: Vec<String> = measurements
                .0
                .iter()
                .map(|(name, value)| format!("{name} {}", number::measurement(name, *value)))
                .collect();
            format!("the holdout was read for trial {trial}: {}", values.join(", "))
        }
        Event::ControlDispatched(control) => {
            format!("control {} begins: {}", control.number, control.kind.name().replace('_', " "))
        }
        Event::ControlEnded { number, measurements, reason, .. } => {
            let accuracy = measurements.as_ref().and_then(|m| m.get(names::VALIDATION_ACCURACY));
            let shown = accuracy.map(|accuracy| format!("validation accuracy {accuracy:.4}"));
            let words = shown.or(reason.clone()).unwrap_or_default();
            format!("control {number} ended: {words}")
        }
        Event::ControlsOver { not_run, spent } => {
            let left = not_run.as_ref().map(|why| format!(", not all of them: {why}"));
            format!("the controls are over{}; spent {}", left.unwrap_or_default(), spending(spent))
        }
        Event::SearchPlanned { plan, .. } => {
            format!("a one-shot search is planned: {} epochs", plan.plan.epochs)
        }
        Event::SearchRolledBack { policy, epoch, .. } => {
            format!("policy {policy}: back to epoch {epoch}")
        }
        Event::SearchAbandoned { message, .. } => {
            format!("a worker of the one-shot search is gone: {message}")
        }
        Event::SearchEnded(end) => format!("the one-shot search is over: {}", end.why),
        Event::Heartbeat { .. } => "someone gave a sign of life".to_owned(),
        Event::Stopped { reason, spent, champion } => {
            let champion = champion
                .map_or_else(|| "no best trial".to_owned(), |trial| format!("best trial {trial}"));
            format!("stopped: {reason}; {champion}; spent {}", spending(spent))
        }
        _ => return None,
    })
}

fn started(start: &Start) -> String {
    let libraries = start.components.iter().filter_map(|component| {
        let (sha256, kind, name) =
            (component.sha256.as_ref()?, component.kind.name(), &component.name);
        Some(format!("\n        {kind} `{name}` from a library with sha256 {sha256}"))
    });
    let files = start.files.iter();
    let files =
        files.map(|file| format!("\n        file `{}` with sha256 {}", file.path, file.sha256));
    let given: String = libraries.chain(files).collect();
    format!("started by version {}, seed {}{given}", start.version, start.seed)
}

fn of_trial(event: &Event) -> String {
    match event {
        Event::Asked { slots, answer, .. } => match answer {
            Answer::Proposals { first, proposals } => {
                format!("asked for {slots}: {} proposals from trial {first}", proposals.len())
            }
            Answer::Wait => format!("asked for {slots}: the strategy waits"),
            Answer::Done { reason } => {
                format!("asked for {slots}: the strategy is done ({reason})")
            }
        },
        Event::Settled { trial, result } => format!("not dispatched: {}", ended(*trial, result)),
        Event::Dispatched { trial, attempt, .. } => {
            format!("trial {trial}: attempt {attempt} begins")
        }
        Event::Ended { trial, result, .. } => ended(*trial, result),
        Event::CheckpointKept { trial, .. } => {
            format!("trial {trial}: a checkpoint was kept, to go on from")
        }
        Event::Repeated { trial, .. } => format!("trial {trial}: one of several evaluations ended"),
        Event::Abandoned { trial, attempt, .. } => {
            format!("trial {trial}: attempt {attempt} was cut off")
        }
        Event::Told { trials } => format!("the strategy is told of {} trials", trials.len()),
        Event::Overhead { what, usage } => {
            format!("{what}: {} of processors", number::seconds(usage.cpu_seconds))
        }
        Event::SearchDispatched { attempt, .. } => {
            format!("the one-shot search: attempt {attempt} begins")
        }
        Event::SearchEpoch { epoch, .. } => format!("epoch {} is over", epoch.checkpoint.epoch),
        Event::Ticked { spent } | Event::SearchTicked { spent, .. } => {
            format!("time passes; spent {}", spending(spent))
        }
        _ => "an event that this version has no words for".to_owned(),
    }
}

fn ended(trial: TrialId, result: &TrialResult) -> String {
    let mut text = format!("trial {trial}: {}", result.outcome.name().replace('_', " "));
    if let Some(value) = result.objectives.first() {
        text.push_str(&format!(" with {}", number::value(*value)));
    }
    if let Some(reason) = &result.reason {
        text.push_str(&format!(": {reason}"));
    }
    text
}

fn spending(spent: &Spending) -> String {
    let mut text = format!(
        "{} trials, {} wall, {} of processors, {} of GPUs",
        spent.trials,
        number::seconds(spent.wall_seconds),
        number::seconds(spent.cpu_seconds),
        number::seconds(spent.gpu_seconds)
    );
    if spent.energy_kwh > 0.0 {
        text.push_str(&format!(", {} kWh", number::value(spent.energy_kwh)));
    }
    if spent.money > 0.0 {
        text.push_str(&format!(", {} of money", number::value(spent.money)));
    }
    text
}

/// `2026-01-31 23:59:59`, in UTC.
fn utc(time_ms: u64) -> String {
    let seconds = i64::try_from(time_ms / 1000).unwrap_or(0);
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}
