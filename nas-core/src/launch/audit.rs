//! The audit: the champion's network on data that the search never saw.

use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::trial::TrialId;

use super::prepare_benchmark::PreparedBenchmark;
use super::{LaunchError, Prepared, Problem, RunFolder, prepare};
use crate::budget::{Clock, RealClock};
use crate::executor::{holdout_of, run_audit, worker_program};
use crate::journal::{Event, EventLog, Journal};
use crate::plugin::Registry;
use crate::protocol::{AuditJob, Setup, Usage};
use crate::search::Training;
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
/// A run is audited once: a second call returns what the first one measured.
///
/// # Errors
/// A run without champion or kept weights, or one that is under way.
pub fn audit(folder: &RunFolder, registry: &Arc<Registry>) -> Result<Audit, LaunchError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let mut journal = Journal::open(folder.path(), clock)?;
    let history = journal.reader().history()?;
    let unusable = |text: String| LaunchError::Settings(vec![Problem::new("", text)]);
    let Some(trial) = history.stop.as_ref().and_then(|stop| stop.champion) else {
        return Err(unusable("no trial has a result that could be audited".to_owned()));
    };
    if let Some(measurements) = history.audits.get(&trial) {
        return Ok(Audit { trial, measurements: measurements.clone() });
    }
    let folder_of_configuration =
        history.start.as_ref().map(|start| start.folder.clone()).unwrap_or_default();
    let settings: Settings = serde_json::from_value(history.settings.clone())
        .map_err(|error| unusable(error.to_string()))?;
    let prepared =
        prepare(&settings, registry, &folder_of_configuration).map_err(LaunchError::Settings)?;
    let Some(proposal) = history.proposal(trial) else {
        return Err(unusable(format!("trial {trial} was never proposed")));
    };
    if let Some(PreparedBenchmark { benchmark, .. }) = &prepared.benchmark {
        let found = holdout_of(benchmark, &proposal.genotype, prepared.parts.fidelity)
            .map_err(|error| unusable(error.to_string()))?;
        let Some(accuracy) = found else {
            return Err(unusable("the benchmark has no test accuracy".to_owned()));
        };
        let measurements = Measurements::from([(names::HOLDOUT_ACCURACY, accuracy)]);
        journal.append(&[Event::Audited { trial, measurements: measurements.clone() }])?;
        return Ok(Audit { trial, measurements });
    }
    let cpu_seconds = settings
        .budget
        .cpu_seconds
        .map_or(f64::INFINITY, |limit| limit - history.tally.spent().cpu_seconds - CPU_MARGIN);
    if cpu_seconds < LEAST_CPU_SECONDS {
        let text = "what is left of `budget.cpu_seconds` is too little to read the holdout; \
                    resume the run with more";
        return Err(unusable(text.to_owned()));
    }
    let overhead = |usage| Event::Overhead { what: "audit the champion".to_owned(), usage };
    match read_holdout(&prepared, folder, trial, &proposal.genotype, cpu_seconds) {
        Ok((measurements, usage)) => {
            let audited = Event::Audited { trial, measurements: measurements.clone() };
            journal.append(&[overhead(usage), audited])?;
            Ok(Audit { trial, measurements })
        }
        Err(error) => {
            // Nobody knows what it used: it is charged all that it might have.
            if cpu_seconds.is_finite() {
                let usage = Usage { cpu_seconds: cpu_seconds + CPU_MARGIN, ..Usage::default() };
                journal.append(&[overhead(usage)])?;
            }
            Err(error)
        }
    }
}

/// What an audit showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// The trial whose network was audited.
    pub trial: TrialId,
    /// What was measured on the holdout.
    pub measurements: Measurements,
}

fn read_holdout(
    prepared: &Prepared,
    folder: &RunFolder,
    trial: TrialId,
    genotype: &Genotype,
    cpu_seconds: f64,
) -> Result<(Measurements, Usage), LaunchError> {
    let unusable = |text: String| LaunchError::Settings(vec![Problem::new("", text)]);
    let Some(data) = prepared.data() else {
        return Err(unusable("a benchmark has no holdout".to_owned()));
    };
    let weights = Training::weights(folder.path(), trial);
    if !weights.is_file() {
        let text = format!(
            "the weights of trial {trial} were not kept; set `execution.keep_weights` to `best`"
        );
        return Err(unusable(text));
    }
    let setup = Setup {
        train: None,
        evaluation: data.holdout.path.clone(),
        device: prepared.settings.execution.device.clone(),
        threads: prepared.settings.execution.threads,
    };
    let job = AuditJob {
        trial,
        graph: prepared.space().network(genotype).map_err(|error| unusable(error.to_string()))?,
        weights,
        batch_size: prepared.settings.training.recipe.batch_size,
    };
    Ok(run_audit(&worker_program()?, setup, job, cpu_seconds)?)
}
