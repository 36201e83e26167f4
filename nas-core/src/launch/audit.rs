//! The audit: the champion's network on data that the search never saw.

use std::sync::Arc;

use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::trial::{Outcome, TrialId};

use super::{LaunchError, Problem, RunFolder, prepare};
use crate::budget::{Clock, RealClock, Reservation};
use crate::journal::{Event, EventLog, Journal, RunHistory};
use crate::plugin::Registry;
use crate::search::{Champion, END_OF_SEARCH, Read, StopSignal};
use crate::settings::Settings;

/// Processor seconds that an audit needs at least: starting a worker takes a part of one.
const LEAST_CPU_SECONDS: f64 = 1.0;
/// Processor seconds that a worker may use between two looks at it, generously.
const CPU_MARGIN: f64 = 0.2;

/// Evaluates the champion's kept weights on the holdout, in a worker that is given neither the
/// training data nor any foreign code, and journals that the holdout was read.
///
/// A run on a benchmark has what that says instead: its test accuracy.
///
/// A champion is read once: a second call, or one after a policy had it read, returns what was
/// measured then.
///
/// # Errors
/// A run without champion or kept weights, one that is under way, one that may not read its holdout
/// again.
pub fn audit(folder: &RunFolder, registry: &Arc<Registry>) -> Result<Audit, LaunchError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let mut journal = Journal::open(folder.path(), clock)?;
    let history = journal.reader().history()?;
    let unusable = |text: String| LaunchError::Settings(vec![Problem::new("", text)]);
    let Some(champion) = champion(&history) else {
        return Err(unusable("no trial has a result that could be audited".to_owned()));
    };
    let trial = champion.trial;
    if let Some(measurements) = history.audits.get(&trial) {
        return Ok(Audit { trial, measurements: measurements.clone() });
    }
    let settings: Settings = serde_json::from_value(history.settings.clone())
        .map_err(|error| unusable(error.to_string()))?;
    let folder_of_configuration =
        history.start.as_ref().map(|start| start.folder.clone()).unwrap_or_default();
    let prepared =
        prepare(&settings, registry, &folder_of_configuration).map_err(LaunchError::Settings)?;
    // As the organisation has it now.
    let (used, queries) = (history.holdout.used, prepared.settings.holdout.queries);
    if used >= queries {
        return Err(LaunchError::HoldoutSpent { run: folder.name(), used, queries });
    }
    let Some(mut reader) = prepared.holdout_reader(folder) else {
        return Err(unusable("a run without data has no holdout".to_owned()));
    };
    if let Some(obstacle) = reader.obstacle(&champion) {
        return Err(unusable(obstacle));
    }
    let reservation = reservation(&settings, &history);
    if !reader.is_free() && reservation.cpu_seconds < LEAST_CPU_SECONDS {
        let text = "what is left of `budget.cpu_seconds` is too little to read the holdout; \
                    resume the run with more";
        return Err(unusable(text.to_owned()));
    }
    let read = Read {
        trial,
        genotype: &champion.proposal.genotype,
        seen: &champion.result.measurements,
        trials: n_results(&history),
        queries,
        images: prepared.images(),
    };
    let mut opened: Vec<Event> = history.holdout.cut_off().into_iter().collect();
    opened.push(read.opened(used, ("nas", END_OF_SEARCH.to_owned()), reservation));
    journal.append(&opened)?;
    let (measured, usage) = reader.read(&champion, &reservation, &StopSignal::default());
    let answer = measured.clone();
    journal.append(&[read.closed(measured, usage)])?;
    Ok(Audit { trial, measurements: answer.map_err(unusable)? })
}

/// What an audit showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// The trial whose network was audited.
    pub trial: TrialId,
    /// What was measured on the holdout.
    pub measurements: Measurements,
}

/// The best trial of a run that has ended.
pub(super) fn champion(history: &RunHistory) -> Option<Champion> {
    let trial = history.stop.as_ref()?.champion?;
    let result = history.results.get(&trial)?.clone();
    let gain = result.objectives.first().copied().unwrap_or(f64::NAN);
    let proposal = history.proposal(trial)?.clone();
    Some(Champion { trial, proposal, result: Arc::new(result), gain })
}

/// Trials with a result of their own.
fn n_results(history: &RunHistory) -> u64 {
    let finished = history.results.values().filter(|result| result.outcome == Outcome::Finished);
    finished.count() as u64
}

/// As much as a trial may use, and no more processor time than is left.
fn reservation(settings: &Settings, history: &RunHistory) -> Reservation {
    let (budget, execution) = (&settings.budget, &settings.execution);
    let wall_seconds = budget.trial_seconds;
    let cpu_seconds = wall_seconds * (execution.threads + 1) as f64;
    let spent = history.tally.spent().cpu_seconds + CPU_MARGIN;
    Reservation {
        wall_seconds,
        cpu_seconds: budget.cpu_seconds.map_or(cpu_seconds, |cap| cpu_seconds.min(cap - spent)),
        gpu_seconds: if execution.device.starts_with("cuda") { wall_seconds } else { 0.0 },
        memory_bytes: budget.trial_memory_bytes,
    }
}
