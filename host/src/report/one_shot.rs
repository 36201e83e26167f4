//! The one-shot search of a run: its epochs, its architecture weights, and what was derived beside
//! random genotypes.

use std::ops::Range;

use nas_core::journal::{ChoicePaths, SearchHistory, ToldEpoch};
use nas_core::one_shot::n_derived;
use nas_core::protocol::one_shot::{OneShotEpoch, signals};
use nas_core::settings::Settings;
use nas_plugin_api::trial::TrialId;
use serde_json::{Value, json};

use super::{Page, RunView};
use crate::output::number;
use crate::output::table::{Align, Table};

/// Everything about the search that a run began with; nothing in a run without one.
pub(crate) fn write(view: &RunView, page: &mut Page) {
    let search = &view.history.search;
    if !search.has_begun() {
        return;
    }
    write_state(search, page);
    write_epochs(search, page);
    if let Some(last) = counting_epoch(search) {
        write_alpha(&search.choices, last, page);
    }
    write_derived(view, page);
    write_comparison(view, page);
}

/// One epoch with its architecture weights. False if the search has no such epoch.
pub(crate) fn write_epoch(view: &RunView, epoch: u32, page: &mut Page) -> bool {
    let search = &view.history.search;
    let Some(told) = search.line().find(|told| told.shown.checkpoint.epoch == epoch) else {
        return false;
    };
    let shown = &told.shown;
    page.field("Run", view.folder.path().display());
    page.field("Epoch", epoch);
    if told.round > 0 {
        page.field("Round", format!("{} (the search had gone back so often)", told.round));
    }
    if let Some(genotype) = &shown.genotype {
        page.field("Genotype", view.text(genotype));
    }
    page.heading("Shown");
    let mut table = epoch_table();
    table.row(epoch_row(told, ""));
    page.line(table);
    page.line(format!(
        "  {} of CPU, {} of wall time, learning rate {}; {} calls of the strategy took {}",
        number::seconds(told.usage.cpu_seconds),
        number::seconds(told.usage.wall_seconds),
        number::value(shown.learning_rate),
        shown.plugin_calls,
        number::seconds(shown.plugin_seconds),
    ));
    write_alpha(&search.choices, shown, page);
    page.heading("Files");
    let file =
        nas_core::one_shot::checkpoint_folder(view.folder.path()).join(&shown.checkpoint.file);
    let kept = if file.is_file() { "" } else { " (removed: only the newest are kept)" };
    page.line(format!("  checkpoint  {}{kept}", file.display()));
    true
}

/// The search as data; null in a run without one.
pub(crate) fn as_json(view: &RunView) -> Value {
    let search = &view.history.search;
    if !search.has_begun() {
        return Value::Null;
    }
    json!({
        "plan": search.plan,
        "choices": search.choices,
        "epochs": search.line().map(epoch_as_json).collect::<Vec<_>>(),
        "rolled_back": search.roll_backs.iter().map(|back| json!({
            "policy": back.policy,
            "from": back.from,
            "to": back.to,
            "weight_decay_factor": back.weight_decay_factor,
        })).collect::<Vec<_>>(),
        "attempts": search.attempts,
        "usage": search.usage,
        "end": search.end,
        "comparison": comparison(view).map(|comparison| json!({
            "objective": comparison.objective,
            "derived": comparison.derived,
            "random": comparison.random,
            "random_mean": comparison.mean(),
            "random_standard_deviation": comparison.standard_deviation(),
        })),
    })
}

/// One epoch as data. Numbers that JSON can't write are null.
pub(crate) fn epoch_as_json(told: &ToldEpoch) -> Value {
    let mut value = serde_json::to_value(&told.shown).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut value {
        fields.insert("round".to_owned(), told.round.into());
        fields.insert("usage".to_owned(), json!(told.usage));
    }
    value
}

fn write_state(search: &SearchHistory, page: &mut Page) {
    page.heading("Search on the supernet");
    if let Some(plan) = &search.plan {
        page.line(format!(
            "  {} of {} epochs of {} steps, batches of {}, {} paths",
            search.next_epoch(),
            plan.plan.epochs,
            plan.steps_per_epoch,
            plan.batch_size,
            plan.n_paths
        ));
    }
    page.line(format!(
        "  {} of CPU, {} of wall time, {} worker{}",
        number::seconds(search.usage.cpu_seconds),
        number::seconds(search.usage.wall_seconds),
        search.attempts,
        if search.attempts == 1 { "" } else { "s, one after the other" },
    ));
    for back in &search.roll_backs {
        page.line(format!(
            "  policy {} went back from epoch {} to epoch {}; weights decay {} times as strongly \
             from there",
            back.policy,
            back.from,
            back.to,
            number::value(back.weight_decay_factor)
        ));
    }
    if let Some(end) = &search.end {
        let epoch = end.epoch.map_or_else(String::new, |epoch| format!("; epoch {epoch} counts"));
        page.line(format!("  {}{epoch}", end.why));
    }
}

fn epoch_table() -> Table {
    let columns = [
        "epoch",
        "train loss",
        "train acc.",
        "validation loss",
        "validation acc.",
        "skips",
        "entropy",
        "gap",
        "eigenvalue",
        "",
    ];
    Table::new(&columns.map(|name| (name, Align::Right))).indented(2)
}

fn epoch_row(told: &ToldEpoch, note: &str) -> [String; 10] {
    let shown = &told.shown;
    let number = |value: Option<f64>| {
        let value = value.filter(|value| value.is_finite());
        value.map_or_else(|| "—".to_owned(), number::value)
    };
    let signal = |name: &str| number(shown.signals.get(name).copied());
    [
        shown.checkpoint.epoch.to_string(),
        number(Some(shown.train_loss)),
        number(Some(shown.train_accuracy)),
        number(shown.validation_loss),
        number(shown.validation_accuracy),
        signal(signals::SKIP_SHARE),
        signal(signals::ENTROPY),
        signal(signals::DISCRETISATION_GAP),
        signal(signals::HESSIAN_EIGENVALUE),
        note.to_owned(),
    ]
}

fn write_epochs(search: &SearchHistory, page: &mut Page) {
    if search.epochs.is_empty() {
        return;
    }
    let mut table = epoch_table();
    let mut round = 0;
    for told in &search.epochs {
        let note = if told.round > round { "went back" } else { "" };
        round = told.round;
        table.row(epoch_row(told, note));
    }
    page.line("");
    page.line(table);
}

/// The epoch whose weights matter: the one that was derived from, else the last one.
fn counting_epoch(search: &SearchHistory) -> Option<&OneShotEpoch> {
    let derived_from = search.end.as_ref().and_then(|end| end.epoch);
    derived_from.and_then(|epoch| search.epoch(epoch)).or_else(|| search.last())
}

/// Architecture weights, one line per choice that has any.
fn write_alpha(choices: &[ChoicePaths], epoch: &OneShotEpoch, page: &mut Page) {
    if epoch.alpha.is_empty() {
        return;
    }
    page.heading(&format!("Architecture weights after epoch {}", epoch.checkpoint.epoch));
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]).indented(2);
    let mut weights = epoch.alpha.iter();
    for ChoicePaths { choice, paths } in choices {
        let own: Vec<(&String, f64)> =
            paths.iter().zip(weights.by_ref().take(paths.len())).map(|(p, w)| (p, *w)).collect();
        if own.iter().all(|(_, weight)| weight.is_nan()) {
            continue;
        }
        let strongest = own.iter().map(|(_, weight)| *weight).fold(f64::NEG_INFINITY, f64::max);
        let words: Vec<String> = own
            .iter()
            .map(|(path, weight)| {
                let mark = if *weight == strongest { "*" } else { "" };
                match weight.is_nan() {
                    true => format!("{path} —"),
                    false => format!("{path}{mark} {weight:.4}"),
                }
            })
            .collect();
        table.row([choice.clone(), words.join("  ")]);
    }
    page.line(table);
}

fn write_derived(view: &RunView, page: &mut Page) {
    let search = &view.history.search;
    page.heading("Derived");
    match &search.end {
        Some(end) => {
            for genotype in &end.genotypes {
                page.line(format!("  {}", view.text(genotype)));
            }
        }
        None => match search.last().and_then(|last| last.genotype.as_ref()) {
            Some(genotype) => page.line(format!("  so far: {}", view.text(genotype))),
            None => page.line("  nothing yet"),
        },
    }
}

/// What was derived beside random genotypes that cost as much.
struct Comparison {
    objective: String,
    derived: Vec<(TrialId, f64)>,
    random: Vec<(TrialId, f64)>,
}

impl Comparison {
    fn mean(&self) -> f64 {
        let sum: f64 = self.random.iter().map(|(_, score)| score).sum();
        sum / self.random.len() as f64
    }

    /// Of the sample (n − 1); NaN for fewer than two.
    fn standard_deviation(&self) -> f64 {
        let (mean, n) = (self.mean(), self.random.len() as f64);
        let squares: f64 = self.random.iter().map(|(_, score)| (score - mean).powi(2)).sum();
        (squares / (n - 1.0)).sqrt()
    }
}

/// The trials that train random genotypes beside what was derived.
pub(super) fn random_trials(view: &RunView) -> Range<TrialId> {
    places(view).map_or(0..0, |(_, random)| random)
}

/// The trials that train what was derived, and those that train random genotypes.
fn places(view: &RunView) -> Option<(Range<TrialId>, Range<TrialId>)> {
    let end = view.history.search.end.as_ref()?;
    let derive = view.settings.as_ref()?.supernet.as_ref()?.derive;
    let n_derived = n_derived(end, derive) as TrialId;
    let n_random = end.baseline.len() as TrialId;
    Some((0..n_derived, n_derived..n_derived + n_random))
}

fn comparison(view: &RunView) -> Option<Comparison> {
    let (derived, random) = places(view)?;
    let scores = |trials: Range<TrialId>| -> Vec<(TrialId, f64)> {
        trials
            .filter_map(|trial| {
                let result = view.history.results.get(&trial)?;
                result.outcome.has_result().then_some((trial, *result.objectives.first()?))
            })
            .collect()
    };
    let (derived, random) = (scores(derived), scores(random));
    Some(Comparison { objective: view.objective(0).name, derived, random })
}

fn write_comparison(view: &RunView, page: &mut Page) {
    let Some(comparison) = comparison(view) else { return };
    if comparison.derived.is_empty() && comparison.random.is_empty() {
        return;
    }
    let objective = &comparison.objective;
    page.heading("Trained from scratch, at the same cost each");
    for (trial, score) in &comparison.derived {
        page.line(format!("  derived   {objective} {}  (trial {trial})", number::value(*score)));
    }
    let scores: Vec<String> =
        comparison.random.iter().map(|(_, score)| number::value(*score)).collect();
    match comparison.random.len() {
        0 if view.settings.as_ref().is_some_and(asks_no_baseline) => {}
        0 => page.line("  random    none has a result"),
        1 => page.line(format!("  random    {objective} {}, a single one", scores[0])),
        n => page.line(format!(
            "  random    {objective} {} ± {} (mean and standard deviation of {n}: {})",
            number::value(comparison.mean()),
            number::value(comparison.standard_deviation()),
            scores.join(", ")
        )),
    }
    if let (Some((_, best)), true) = (comparison.derived.first(), comparison.random.len() > 1) {
        let direction = view.objective(0);
        let lead = direction.gain(*best) - direction.gain(comparison.mean());
        let deviations = lead / comparison.standard_deviation();
        let word = if lead >= 0.0 { "better" } else { "worse" };
        let times = match deviations.is_finite() {
            true => format!(", {:.1} standard deviations", deviations.abs()),
            false => String::new(),
        };
        page.line(format!(
            "  The derived genotype is {} {word} than the random ones on average{times}.",
            number::value(lead.abs())
        ));
    }
}

/// Whether no random genotypes are trained beside what was derived.
fn asks_no_baseline(settings: &Settings) -> bool {
    settings.supernet.as_ref().is_some_and(|supernet| supernet.baseline == 0)
}
