//! What reads the holdout: a worker that is given nothing else, or a benchmark's table.

use std::path::PathBuf;
use std::sync::Arc;

use nas_plugin_api::component::Benchmark;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::trial::{Fidelity, TrialId};

use super::prepare_benchmark::PreparedBenchmark;
use super::{Prepared, RunFolder};
use crate::budget::Reservation;
use crate::executor::{holdout_of, run_audit, worker_program};
use crate::network::NetworkSpace;
use crate::plugin::Timed;
use crate::protocol::{AuditJob, Setup, Usage};
use crate::search::{Champion, HoldoutReader, HoldoutReads, StopSignal, Training};

impl Prepared {
    /// What the search needs to read the holdout while it runs, if a policy asks for that.
    pub(super) fn holdout_reads(&self, folder: &RunFolder) -> Option<HoldoutReads> {
        if self.audited_by.is_empty() {
            return None;
        }
        Some(HoldoutReads {
            settings: self.settings.holdout,
            by: format!("policy {}", self.audited_by.join(", ")),
            reader: self.holdout_reader(folder)?,
            images: self.images(),
        })
    }

    /// What reads the holdout for this run; `None` where nothing can.
    pub(super) fn holdout_reader(&self, folder: &RunFolder) -> Option<Box<dyn HoldoutReader>> {
        if let Some(PreparedBenchmark { benchmark, .. }) = &self.benchmark {
            let (benchmark, fidelity) = (Arc::clone(benchmark), self.parts.fidelity);
            return Some(Box::new(HoldoutTable { benchmark, fidelity }));
        }
        let data = self.data()?;
        let execution = &self.settings.execution;
        Some(Box::new(HoldoutWorker {
            space: self.space().clone(),
            folder: folder.path().to_owned(),
            setup: Setup {
                train: None,
                evaluation: data.holdout.path.clone(),
                device: execution.device.clone(),
                threads: execution.threads,
            },
            batch_size: self.settings.training.recipe.batch_size,
        }))
    }

    /// Images of the validation split and of the holdout; 0 with a benchmark.
    pub(super) fn images(&self) -> [u64; 2] {
        self.data().map_or([0, 0], |data| {
            [data.validation.images, data.holdout.images].map(|images| images as u64)
        })
    }
}

/// Evaluates kept weights, in a worker that is given neither the training data nor any foreign
/// code.
struct HoldoutWorker {
    space: NetworkSpace,
    folder: PathBuf,
    setup: Setup,
    batch_size: usize,
}

impl HoldoutWorker {
    fn job(&self, champion: &Champion) -> Result<AuditJob, String> {
        let graph = self.space.network(&champion.proposal.genotype);
        Ok(AuditJob {
            trial: champion.trial,
            graph: graph.map_err(|error| error.to_string())?,
            weights: self.weights(champion.trial)?,
            batch_size: self.batch_size,
        })
    }

    fn weights(&self, trial: TrialId) -> Result<PathBuf, String> {
        let weights = Training::weights(&self.folder, trial);
        match weights.is_file() {
            true => Ok(weights),
            false => Err(format!(
                "the weights of trial {trial} were not kept; set `execution.keep_weights` to `best`"
            )),
        }
    }
}

impl HoldoutReader for HoldoutWorker {
    fn obstacle(&self, champion: &Champion) -> Option<String> {
        self.job(champion).err()
    }

    fn read(
        &mut self,
        champion: &Champion,
        reservation: &Reservation,
        stop: &StopSignal,
    ) -> (Result<Measurements, String>, Usage) {
        let program = worker_program().map_err(|error| error.to_string());
        let (program, job) = match program.and_then(|path| Ok((path, self.job(champion)?))) {
            Ok(ready) => ready,
            Err(message) => return (Err(message), Usage::default()),
        };
        let is_stopped = || stop.wants_stop_now();
        let (measured, usage) =
            run_audit(&program, self.setup.clone(), job, reservation, &is_stopped);
        (measured.map_err(|error| format!("failed to {error}")), usage)
    }
}

/// Looks the test accuracy up.
struct HoldoutTable {
    benchmark: Arc<Timed<Box<dyn Benchmark>>>,
    fidelity: Fidelity,
}

impl HoldoutReader for HoldoutTable {
    fn is_free(&self) -> bool {
        true
    }

    fn read(
        &mut self,
        champion: &Champion,
        _: &Reservation,
        _: &StopSignal,
    ) -> (Result<Measurements, String>, Usage) {
        let found = holdout_of(&self.benchmark, &champion.proposal.genotype, self.fidelity);
        let measured = match found {
            Ok(Some(accuracy)) => Ok(Measurements::from([(names::HOLDOUT_ACCURACY, accuracy)])),
            Ok(None) => Err("the benchmark has no test accuracy".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        (measured, Usage::default())
    }
}
