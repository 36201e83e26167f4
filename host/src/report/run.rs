//! The page of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use nas_core::journal::StopReason;
use nas_core::settings::Settings;
use nas_plugin_api::trial::TrialId;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::trials::table;
use super::{Page, RunView};
use crate::output::number;
use crate::output::style::{LITERAL, paint};

/// How many trials the table shows.
const SHOWN: usize = 10;

/// Everything about a run that a person wants to see first.
pub(crate) fn write(view: &RunView, page: &mut Page) {
    page.field("Run", view.folder.path().display());
    if let Some(settings) = &view.settings {
        page.field("Search", search_line(settings));
        page.field("Data", data_line(view, settings));
    }
    page.field("State", state(view));
    page.field("Spent", spent(view));
    super::one_shot::write(view, page);
    match view.champion() {
        Some(trial) => write_champion(view, trial, page),
        None => {
            page.heading("Best");
            page.line("  no trial has a result that was accepted");
        }
    }
    super::real::write(view, page);
    super::front::write(view, page);
    write_trials(view, page);
    write_verdicts(view, page);
    write_next(view, page);
}

/// The state of a run in a few words, for a list.
pub(crate) fn headline(view: &RunView) -> String {
    match &view.history.stop {
        Some(stop) => stop.reason.to_string(),
        None if view.history.start.is_none() => "never began".to_owned(),
        None => "running, or cut off".to_owned(),
    }
}

/// The same as data.
pub(crate) fn as_json(view: &RunView) -> Value {
    let champion = view.champion();
    json!({
        "run": view.folder.path(),
        "state": headline(view),
        "stop": view.history.stop.as_ref().map(|stop| &stop.reason),
        "began_ms": view.began_ms,
        "settings": view.history.settings,
        "spent": view.history.tally.spent(),
        "proposed": view.history.proposed(),
        "outcomes": outcomes(view),
        "one_shot": super::one_shot::as_json(view),
        "is_it_real": super::real::as_json(view),
        "best": champion.map(|trial| super::trial_as_json(view, trial)),
        "front": (view.n_objectives() > 1).then(|| view.front()),
        "trials": view.history.results.keys().map(|trial| super::trial_as_json(view, *trial)).collect::<Vec<_>>(),
    })
}

fn search_line(settings: &Settings) -> String {
    let policies: Vec<&str> = settings.policies.iter().map(|policy| policy.name.as_str()).collect();
    let policies = match policies.is_empty() {
        true => "none".to_owned(),
        false => policies.join(", "),
    };
    format!(
        "strategy {}, space {}, operations {}, fitness {}, policies {policies}, seed {}",
        settings.strategy.name,
        settings.space.name,
        settings.operations.name,
        settings.fitness.name,
        settings.seed,
    )
}

fn data_line(view: &RunView, settings: &Settings) -> String {
    let Some(data) = view.history.start.as_ref().and_then(|start| start.data.as_ref()) else {
        return settings.benchmark.as_ref().map_or_else(
            || "none".to_owned(),
            |benchmark| format!("benchmark {}", benchmark.name),
        );
    };
    let format = settings.data.as_ref().and_then(|data| serde_json::to_value(data.format).ok());
    let shape: Vec<String> = data.shape.iter().map(usize::to_string).collect();
    format!(
        "{}: {} training, {} validation, {} holdout images of {}, {} classes",
        format.as_ref().and_then(Value::as_str).unwrap_or("images"),
        data.train.images,
        data.validation.images,
        data.holdout.images,
        shape.join("×"),
        data.classes.len(),
    )
}

fn state(view: &RunView) -> String {
    let sessions = match view.history.sessions {
        0 | 1 => String::new(),
        2 => " (resumed once)".to_owned(),
        sessions => format!(" (resumed {} times)", sessions - 1),
    };
    match &view.history.stop {
        Some(stop) => format!("{}{sessions}", stop.reason),
        None => {
            let running = view.history.open.len();
            let last = view
                .last_ms
                .map_or_else(String::new, |last| format!(", last event {}", time(last)));
            format!("running, or cut off; trials under way: {running}{last}{sessions}")
        }
    }
}

fn spent(view: &RunView) -> String {
    let spent = view.history.tally.spent();
    let budget = view.settings.as_ref().map(|settings| settings.budget.clone()).unwrap_or_default();
    let of = |limit: Option<String>| limit.map_or_else(String::new, |limit| format!(" of {limit}"));
    let mut parts = vec![
        format!("{}{} trials", spent.trials, of(budget.trials.map(|limit| limit.to_string()))),
        format!(
            "{}{} of wall time",
            number::seconds(spent.wall_seconds),
            of(budget.wall_seconds.map(number::seconds))
        ),
        format!(
            "{}{} of CPU",
            number::seconds(spent.cpu_seconds),
            of(budget.cpu_seconds.map(number::seconds))
        ),
    ];
    if spent.gpu_seconds > 0.0 || budget.gpu_seconds.is_some() {
        let limit = of(budget.gpu_seconds.map(number::seconds));
        parts.push(format!("{}{limit} of GPU", number::seconds(spent.gpu_seconds)));
    }
    if spent.energy_kwh > 0.0 || budget.energy_kwh.is_some() {
        let limit = of(budget.energy_kwh.map(number::value));
        parts.push(format!("{}{limit} kWh", number::value(spent.energy_kwh)));
    }
    if spent.money > 0.0 || budget.money.is_some() {
        let limit = of(budget.money.map(number::value));
        parts.push(format!("{}{limit} of money", number::value(spent.money)));
    }
    parts.join(", ")
}

fn write_champion(view: &RunView, trial: TrialId, page: &mut Page) {
    let inherits = view.settings.as_ref().is_some_and(|settings| settings.inherit.is_some());
    let how = if inherits { ", on inherited weights" } else { "" };
    page.heading(&format!("Best: trial {trial}{how}"));
    super::trial::write_result(view, trial, page);
}

fn outcomes(view: &RunView) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for result in view.history.results.values() {
        *counts.entry(result.outcome.name()).or_default() += 1;
    }
    counts
}

fn write_trials(view: &RunView, page: &mut Page) {
    let counts: Vec<String> = outcomes(view)
        .into_iter()
        .map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " ")))
        .collect();
    page.heading(&format!("Trials: {} proposed", view.history.proposed()));
    if !counts.is_empty() {
        page.line(format!("  {}", counts.join(", ")));
    }
    let ranked = view.ranked();
    let shown = &ranked[..ranked.len().min(SHOWN)];
    let table = table(view, shown);
    if !table.is_empty() {
        page.line(table);
    }
    if ranked.len() > SHOWN {
        page.line(format!("  … and {} more with a result", ranked.len() - SHOWN));
    }
}

fn write_verdicts(view: &RunView, page: &mut Page) {
    let mut counts: BTreeMap<(&str, &str, bool), (usize, &str)> = BTreeMap::new();
    for judgement in &view.history.judgements {
        let key = (judgement.policy.as_str(), judgement.verdict.code.as_str(), judgement.enforced);
        let (count, reason) = counts.entry(key).or_insert((0, ""));
        *count += 1;
        *reason = &judgement.verdict.reason;
    }
    if counts.is_empty() {
        return;
    }
    page.heading("Verdicts");
    for ((policy, code, enforced), (count, reason)) in counts {
        let observed = if enforced { "" } else { ", observed only" };
        page.line(format!("  {policy}: {count} × {code}{observed}, the last: {reason}"));
    }
}

fn write_next(view: &RunView, page: &mut Page) {
    let run = view.folder.path().display();
    let mut hints = Vec::new();
    if let Some(trial) = view.champion() {
        hints.push((format!("nas show {run} --trial {trial}"), "its lineage, curve, cost and log"));
    }
    let trains = view.settings.as_ref().is_some_and(|settings| settings.benchmark.is_none());
    if trains && view.history.stop.is_some() && view.champion().is_some() {
        let what = match view.settings.as_ref().is_some_and(|settings| settings.inherit.is_some()) {
            true => "train the best network from scratch: so far its weights are inherited",
            false => "train the best network again, at another scale: --set space.cells=…",
        };
        hints.push((format!("nas retrain {run}"), what));
    }
    if let Some(last) = view.history.search.last().filter(|last| !last.alpha.is_empty()) {
        let epoch = last.checkpoint.epoch;
        hints.push((
            format!("nas show {run} --epoch {epoch}"),
            "the architecture weights of an epoch",
        ));
    }
    match view.history.stop.as_ref().map(|stop| &stop.reason) {
        Some(StopReason::BudgetSpent { budget }) if budget.starts_with("quota.") => {
            hints.push((format!("nas resume {run}"), "go on once the quota has room again"));
        }
        Some(StopReason::BudgetSpent { budget }) => {
            hints.push((format!("nas resume {run} --set budget.{budget}=…"), "go on with more"));
        }
        Some(StopReason::AwaitingApproval { .. }) if view.history.decision.is_none() => {
            hints.push((format!("nas approve {run} --reason …"), "agree, so that it can go on"));
            hints.push((format!("nas deny {run} --reason …"), "or end it"));
        }
        Some(StopReason::AwaitingApproval { .. }) if view.is_denied() => {}
        Some(StopReason::HeartbeatLapsed { .. }) => {
            hints.push((format!("nas heartbeat {run}"), "give it a sign of life"));
            hints.push((format!("nas resume {run}"), "then go on from here"));
        }
        Some(reason) if reason.is_resumable() => {
            hints.push((format!("nas resume {run}"), "go on from here"));
        }
        Some(_) => {}
        None => {
            hints.push((format!("nas stop {run}"), "end it, if it runs"));
            hints.push((format!("nas resume {run}"), "go on, if it was cut off"));
        }
    }
    page.heading("Next");
    let width = hints.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    for (command, what) in hints {
        let padding = " ".repeat(width - command.chars().count());
        page.line(format!("  {}{padding}  {what}", paint(LITERAL, &command)));
    }
}

/// `2026-01-31 23:59:59 UTC`
fn time(unix_ms: u64) -> String {
    let since_1970 = Duration::from_millis(unix_ms);
    let time = OffsetDateTime::UNIX_EPOCH + since_1970;
    let (hour, minute, second) = time.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", time.date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_readable() {
        assert_eq!(time(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(time(1_767_225_599_000), "2025-12-31 23:59:59 UTC");
    }
}
