//! The page of one trial.

use nas_plugin_api::trial::TrialId;
use serde_json::{Value, json};

use super::{Page, RunView};
use crate::output::number;
use crate::output::progress::action;
use crate::output::table::{Align, Table};

/// Everything about one trial. False if there is no such trial.
pub(crate) fn write(view: &RunView, trial: TrialId, page: &mut Page) -> bool {
    let Some(proposal) = view.history.proposal(trial) else { return false };
    page.field("Run", view.folder.path().display());
    page.field("Trial", trial);
    page.field("Outcome", outcome(view, trial));
    if let Some(fidelity) = proposal.details.fidelity {
        let from = proposal.details.continue_from;
        let from = from.map(|trial| format!(", going on from trial {trial}")).unwrap_or_default();
        page.field("Epochs", format!("{}{from}", fidelity.epochs));
    }
    if let Some(generation) = proposal.details.generation {
        page.field("Generation", generation);
    }
    page.heading("Result");
    write_result(view, trial, page);
    write_lineage(view, trial, page);
    write_spending(view, trial, page);
    write_curve(view, trial, page);
    write_verdicts(view, trial, page);
    page.heading("Files");
    let none = || "none".to_owned();
    let log = view.trial_log(trial).map_or_else(none, |path| path.display().to_string());
    page.line(format!("  log      {log}"));
    let weights = view.weights(trial).map_or_else(none, |path| path.display().to_string());
    page.line(format!("  weights  {weights}"));
    true
}

/// Genotype, objectives, measurements and cost, as indented lines.
pub(super) fn write_result(view: &RunView, trial: TrialId, page: &mut Page) {
    let mut rows: Vec<(String, String)> = Vec::new();
    if let Some(proposal) = view.history.proposal(trial) {
        rows.push(("genotype".to_owned(), view.text(&proposal.genotype)));
        if let Some(fingerprint) = view.fingerprint(&proposal.genotype) {
            rows.push(("fingerprint".to_owned(), fingerprint));
        }
    }
    if let Some(result) = view.history.results.get(&trial) {
        for (index, value) in result.objectives.iter().enumerate() {
            rows.push((view.objective(index).name, number::value(*value)));
        }
        let cost = &result.cost;
        rows.push(("parameters".to_owned(), number::count(cost.parameters as f64)));
        rows.push(("multiply_adds".to_owned(), number::count(cost.multiply_adds as f64)));
        rows.push(("depth".to_owned(), cost.depth.to_string()));
        for (name, value) in &result.measurements.0 {
            if !rows.iter().any(|(known, _)| known == name) {
                rows.push((name.clone(), number::measurement(name, *value)));
            }
        }
    }
    for (name, value) in view.history.audits.get(&trial).iter().flat_map(|audit| &audit.0) {
        if !rows.iter().any(|(known, _)| known == name) {
            rows.push((name.clone(), format!("{} (read once)", number::measurement(name, *value))));
        }
    }
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]).indented(2);
    rows.into_iter().for_each(|(name, value)| table.row([name, value]));
    page.line(table);
}

/// The same as data.
pub(crate) fn as_json(view: &RunView, trial: TrialId) -> Value {
    let proposal = view.history.proposal(trial);
    let result = view.history.results.get(&trial);
    json!({
        "trial": trial,
        "genotype": proposal.map(|proposal| &proposal.genotype),
        "text": proposal.map(|proposal| view.text(&proposal.genotype)),
        "fingerprint": proposal.and_then(|proposal| view.fingerprint(&proposal.genotype)),
        "parents": proposal.map(|proposal| &proposal.details.parents),
        "generation": proposal.and_then(|proposal| proposal.details.generation),
        "result": result,
        "holdout": view.history.audits.get(&trial),
        "usage": view.history.usage.get(&trial),
        "curve": view.history.curves.get(&trial),
    })
}

fn outcome(view: &RunView, trial: TrialId) -> String {
    match view.history.results.get(&trial) {
        Some(result) => {
            let reason = result.reason.as_deref().map(|reason| format!(": {reason}"));
            let word = result.outcome.name().replace('_', " ");
            format!("{word}{}", reason.unwrap_or_default())
        }
        None if view.history.open.keys().any(|(open, _)| *open == trial) => "under way".to_owned(),
        None => "waiting".to_owned(),
    }
}

/// Parents and theirs, as far back as there is one path to follow.
fn write_lineage(view: &RunView, trial: TrialId, page: &mut Page) {
    /// Generations that are shown.
    const SHOWN: usize = 12;
    let parents = |trial| {
        view.history
            .proposal(trial)
            .map(|proposal| proposal.details.parents.clone())
            .unwrap_or_default()
    };
    let mut ancestors = parents(trial);
    if ancestors.is_empty() {
        return;
    }
    page.heading("Lineage");
    for depth in 1..=SHOWN {
        let words: Vec<String> = ancestors
            .iter()
            .map(|ancestor| {
                let result = view.history.results.get(ancestor);
                let score = result.and_then(|result| result.objectives.first());
                let score = score.map_or_else(|| "—".to_owned(), |score| number::value(*score));
                format!("trial {ancestor} ({score})")
            })
            .collect();
        page.line(format!("  {}from {}", "  ".repeat(depth - 1), words.join(" and ")));
        let Some(first) = ancestors.first() else { break };
        ancestors = parents(*first);
        if ancestors.is_empty() {
            break;
        }
    }
}

fn write_spending(view: &RunView, trial: TrialId, page: &mut Page) {
    let Some(usage) = view.history.usage.get(&trial) else { return };
    page.heading("Spent");
    let attempts = view.history.attempts.get(&trial).copied().unwrap_or_default();
    page.line(format!(
        "  {} of CPU, {} of wall time, {attempts} attempt{}",
        number::seconds(usage.cpu_seconds),
        number::seconds(usage.wall_seconds),
        if attempts == 1 { "" } else { "s" }
    ));
}

fn write_curve(view: &RunView, trial: TrialId, page: &mut Page) {
    let Some(curve) = view.history.curves.get(&trial) else { return };
    page.heading("Curve");
    let columns = ["epoch", "learning rate", "train loss", "train acc.", "validation acc."];
    let mut table = Table::new(&columns.map(|name| (name, Align::Right))).indented(2);
    for record in curve {
        let validation = record.validation_accuracy;
        table.row([
            record.epoch.to_string(),
            number::value(record.learning_rate),
            number::value(record.train_loss),
            number::value(record.train_accuracy),
            validation.map_or_else(|| "—".to_owned(), number::value),
        ]);
    }
    page.line(table);
}

fn write_verdicts(view: &RunView, trial: TrialId, page: &mut Page) {
    let about = view.history.judgements.iter().filter(|judgement| judgement.trial == Some(trial));
    let mut about = about.peekable();
    if about.peek().is_none() {
        return;
    }
    page.heading("Verdicts");
    for judgement in about {
        let verdict = &judgement.verdict;
        let observed = if judgement.enforced { "" } else { ", observed only" };
        page.line(format!(
            "  {}: {}{observed} ({}): {}",
            judgement.policy,
            action(&verdict.action),
            verdict.code,
            verdict.reason
        ));
        for (name, value) in &verdict.evidence {
            page.line(format!("    {name} = {}", number::value(*value)));
        }
    }
}
