//! Is this result real? What luck, leaks and copies explain of it, in numbers and a plain sentence
//! each.

use nas_core::journal::ControlKind;
use nas_core::protocol::data::DataSummary;
use nas_plugin_api::measurement::names;
use nas_plugin_api::toolkit::selection::{PickedGap, Share};
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::HoldoutReading;
use serde_json::{Value, json};

use super::sample::Sample;
use super::{Page, RunView};
use crate::output::number::{percent, points};
use crate::output::table::{Align, Table};

/// Below this probability, luck is no explanation; the policy `holdout-audit` has its own.
const LEVEL: f64 = 0.01;
/// So many standard errors above chance has a probability of 0.001.
const ABOVE_CHANCE: f64 = 3.09;

/// One line for each check, and for each that was not made, how to make it.
pub(crate) fn write(view: &RunView, page: &mut Page) {
    let Some(champion) = subject(view) else { return };
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]).indented(2);
    table.row(["holdout".to_owned(), holdout(view, champion)]);
    if let Some(data) = data(view) {
        table.row(["copies".to_owned(), copies(data)]);
        table.row(["other seeds".to_owned(), seeds(view, champion)]);
        table.row(["random networks".to_owned(), random(view, data)]);
        table.row(["shuffled labels".to_owned(), shuffled_labels(view, data)]);
    }
    page.heading("Is this result real?");
    page.line(table);
}

/// The same as data.
pub(crate) fn as_json(view: &RunView) -> Value {
    let gap = subject(view).and_then(|champion| picked(reading(view, champion)?));
    let gap = gap.map(|gap| {
        json!({
            "gap": gap.gap(),
            "explained_by_picking": gap.explained(),
            "standard_error": gap.standard_error(),
            "probability": gap.probability(),
        })
    });
    json!({
        "holdout": gap,
        "readings": view.history.readings,
        "holdout_reads": view.history.holdout.used,
        "copies_across_splits": data(view).map(|data| data.duplicates_across_splits),
        "chance": data(view).map(DataSummary::chance),
        "other_seeds": accuracies(view, ControlKind::Seed),
        "random_networks": random_accuracies(view),
        "shuffled_labels": accuracies(view, ControlKind::ShuffledLabels),
        "controls_not_run": view.history.controls_not_run,
    })
}

/// The network in question: the best one, or the last that was read where none was accepted.
fn subject(view: &RunView) -> Option<TrialId> {
    view.champion().or_else(|| Some(view.history.readings.last()?.trial))
}

fn data(view: &RunView) -> Option<&DataSummary> {
    view.history.start.as_ref()?.data.as_ref()
}

fn reading(view: &RunView, trial: TrialId) -> Option<&HoldoutReading> {
    view.history.readings.iter().rev().find(|reading| reading.trial == trial)
}

/// The gap, where the sizes of both splits are known.
fn picked(reading: &HoldoutReading) -> Option<PickedGap> {
    let [validation, holdout] = [
        (reading.validation_accuracy, reading.validation_images),
        (reading.holdout_accuracy, reading.holdout_images),
    ]
    .map(|(accuracy, images)| Share { accuracy, images });
    let is_known = validation.images > 0 && holdout.images > 0;
    is_known.then_some(PickedGap { validation, holdout, trials: reading.trials })
}

/// Validation accuracies of the controls of a kind that came to something.
fn accuracies(view: &RunView, kind: ControlKind) -> Vec<f64> {
    let champion = subject(view).and_then(|trial| view.history.proposal(trial));
    let Some(champion) = champion.map(|proposal| &proposal.genotype) else { return Vec::new() };
    view.history
        .controls
        .iter()
        .filter(|one| one.control.kind == kind && one.is_about(champion))
        .filter_map(|one| one.measurements.as_ref()?.get(names::VALIDATION_ACCURACY))
        .collect()
}

/// Those of random networks: controls, and what a one-shot run trains beside its answer.
fn random_accuracies(view: &RunView) -> Vec<f64> {
    let mut all = accuracies(view, ControlKind::Random);
    let baseline = super::one_shot::random_trials(view);
    all.extend(baseline.into_iter().filter_map(|trial| accuracy(view, trial)));
    all
}

fn accuracy(view: &RunView, trial: TrialId) -> Option<f64> {
    view.history.results.get(&trial)?.measurements.get(names::VALIDATION_ACCURACY)
}

fn holdout(view: &RunView, champion: TrialId) -> String {
    let used = view.history.holdout.used;
    let queries = view.settings.as_ref().map_or(used, |settings| settings.holdout.queries);
    let reads = format!("{used} of {queries} reads are used");
    let Some(reading) = reading(view, champion) else {
        return format!("not read for this network; {reads}");
    };
    let beside = format!(
        "{} against {} on the validation images",
        percent(reading.holdout_accuracy),
        percent(reading.validation_accuracy)
    );
    let Some(gap) = picked(reading) else { return format!("{beside}; {reads}") };
    let (trials, explained) = (reading.trials, points(gap.explained()));
    let verdict = match gap.probability() {
        _ if gap.gap() <= 0.0 => "it is no worse on images that the search never saw".to_owned(),
        probability if probability <= LEVEL => format!(
            "the gap of {} is more than picking the best of {trials} explains ({explained}): do \
             not trust the validation accuracy",
            points(gap.gap())
        ),
        _ => format!(
            "the gap of {} is within what picking the best of {trials} explains ({explained}, \
             ± {} by the size of the splits)",
            points(gap.gap()),
            points(gap.standard_error())
        ),
    };
    format!("{beside}: {verdict}; {reads}")
}

fn copies(data: &DataSummary) -> String {
    match data.duplicates_across_splits {
        0 => "no image is in more than one split".to_owned(),
        n => format!(
            "{n} images of a later split are in an earlier one too, pixel for pixel: scores look \
             better than they are; `data.max_duplicates` refuses such data"
        ),
    }
}

/// What is left of the score when the network is trained again.
fn seeds(view: &RunView, champion: TrialId) -> String {
    let Some(again) = Sample::of(&accuracies(view, ControlKind::Seed)) else {
        return not_run(view);
    };
    let Some(in_search) = accuracy(view, champion) else { return again.to_string() };
    let luck = in_search - again.mean;
    let verdict = match luck > again.limit_of_one() {
        true => "it does not survive being trained again: that much of it was luck".to_owned(),
        false => format!("{} of it may be luck of the seed", points(luck.max(0.0))),
    };
    format!("{again}, against {} in the search: {verdict}", percent(in_search))
}

/// Whether the search found more than there is anywhere.
fn random(view: &RunView, data: &DataSummary) -> String {
    let Some(random) = Sample::of(&random_accuracies(view)) else { return not_run(view) };
    let Some(again) = Sample::of(&accuracies(view, ControlKind::Seed)) else {
        return format!(
            "{random}; whether the best one's lead is more than noise, its other seeds would say"
        );
    };
    let lead = again.mean - random.mean;
    let limit = again.limit_against(&random, 1.0 / data.validation.images.max(1) as f64);
    let verdict = match lead > limit {
        true => "more than the noise of training explains",
        false => {
            "not above the noise of training: as far as this shows, any network of the space would \
             have done"
        }
    };
    format!(
        "{random}; trained again, the best one is {} {}, noise is {}: {verdict}",
        points(lead.abs()),
        if lead < 0.0 { "worse" } else { "better" },
        points(limit)
    )
}

/// Whether anything but the labels tells the network what is right.
fn shuffled_labels(view: &RunView, data: &DataSummary) -> String {
    let shuffled = accuracies(view, ControlKind::ShuffledLabels);
    let Some(found) = shuffled.into_iter().reduce(f64::max) else { return not_run(view) };
    let chance = data.chance();
    let images = data.validation.images.max(1) as f64;
    let limit = chance + ABOVE_CHANCE * (chance * (1.0 - chance) / images).sqrt();
    let verdict = match found <= limit {
        true => "it falls to chance, as it must",
        false => {
            "it does not fall to chance: validation images tell their labels some other way; do not \
             trust any accuracy of this run"
        }
    };
    format!("{} (chance: at most {}): {verdict}", percent(found), percent(limit))
}

fn not_run(view: &RunView) -> String {
    let run = view.folder.path().display();
    match &view.history.controls_not_run {
        Some(why) => {
            format!("not run: {why}; `nas controls {run} --set budget.trials=…` does, with more")
        }
        None => format!("not run: `nas controls {run}` does"),
    }
}
