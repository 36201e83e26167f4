//! The first half of a one-shot run, between the prepared settings and the search loop.

use std::fs::OpenOptions;
use std::time::Duration;

use nas_plugin_api::component::SearchStrategy;

use super::start::WORKER_START_SECONDS;
use super::{LaunchError, Prepared, Problem, RunFolder};
use crate::budget::Ledger;
use crate::executor::{SearchWorkerOptions, WorkerBounds, worker_program};
use crate::journal::{Event, EventLog, Recorded};
use crate::one_shot::{
    OneShotSearch, SearchOutcome, SupernetSettings, listed, make_checkpoint_folder, search_log,
};
use crate::plugin::{PluginLoadError, Timed};
use crate::protocol::Setup;
use crate::protocol::one_shot::OneShotJob;
use crate::search::{Observer, StopSignal, Summary};

impl Prepared {
    /// Searches on a supernet, if that is what the run does, or goes on where the journal ends.
    /// Afterwards the run's strategy proposes what was found. A summary means that the run stops
    /// here.
    ///
    /// # Errors
    /// What prevents it from beginning or going on.
    pub(super) fn search_one_shot(
        &mut self,
        folder: &RunFolder,
        ledger: &mut Ledger,
        (log, recorded): (&mut dyn EventLog, &[Recorded]),
        observer: &mut dyn Observer,
        stop: &StopSignal,
    ) -> Result<Option<Summary>, LaunchError> {
        let Some(job) = self.one_shot_job(folder)? else { return Ok(None) };
        let Some(settings) = self.settings.supernet.clone() else { return Ok(None) };
        let worker = self.search_worker(folder, &job, &settings)?;
        let mut search = OneShotSearch::new(
            &self.parts.policies,
            self.parts.space.space(),
            &settings,
            (self.settings.seed, self.settings.budget.caps()),
            (job, worker),
            ledger,
            log,
            observer,
            stop.clone(),
        );
        search.replay(recorded)?;
        match search.run()? {
            SearchOutcome::Ended(end) => {
                let listed = listed(&end, settings.derive);
                let limit = Duration::from_secs_f64(self.settings.execution.plugin_seconds);
                self.parts.strategy = Timed::create::<PluginLoadError>("list", limit, move || {
                    Ok(Box::new(listed) as Box<dyn SearchStrategy>)
                })
                .map_err(|error| {
                    LaunchError::Settings(vec![Problem::new("strategy", error.to_string())])
                })?;
                Ok(None)
            }
            SearchOutcome::Stopped(reason) => {
                stop.workers_ended();
                let spent = ledger.spent();
                let stopped = Event::Stopped { reason: reason.clone(), spent, champion: None };
                log.append(std::slice::from_ref(&stopped))?;
                observer.event(&stopped, &spent);
                Ok(Some(Summary { reason, champion: None, spent, proposed: 0 }))
            }
        }
    }

    fn one_shot_job(&self, folder: &RunFolder) -> Result<Option<OneShotJob>, LaunchError> {
        let (Some(search), Some(supernet)) = (&self.one_shot, &self.settings.supernet) else {
            return Ok(None);
        };
        let file = |what| {
            let path = folder.path().to_owned();
            move |source| LaunchError::Folder(super::RunFolderError::File { what, path, source })
        };
        let absolute = std::path::absolute(folder.path()).unwrap_or_else(|_| folder.path().into());
        let log = search_log(&absolute);
        let checkpoints = make_checkpoint_folder(folder.path())
            .map_err(file("make the folder of checkpoints in"))?;
        // The worker may write this file, but make none beside it.
        let made = OpenOptions::new().create(true).append(true).open(&log);
        made.map_err(file("make the log of the search in"))?;
        Ok(Some(OneShotJob {
            operations: search.operations.clone(),
            space: search.space.clone(),
            strategy: search.strategy.clone(),
            plugin_cache: self.plugin_cache.clone(),
            scale: search.scale.clone(),
            objectives: self.parts.objectives.clone(),
            fidelity: self.parts.fidelity,
            recipe: supernet.training.clone(),
            data_fraction: supernet.data_fraction,
            seed: self.settings.seed,
            path_cost: supernet.path_cost,
            signals: search.signals.clone(),
            weight_decay_factor: 1.0,
            checkpoints,
            resume_from: None,
            cpu_seconds: f64::INFINITY,
            memory_bytes: u64::MAX,
            log,
        }))
    }

    fn search_worker(
        &self,
        folder: &RunFolder,
        job: &OneShotJob,
        supernet: &SupernetSettings,
    ) -> Result<SearchWorkerOptions, LaunchError> {
        let data = self.data.as_ref();
        let setup = Setup {
            train: data.map(|data| data.train.path.clone()),
            evaluation: data.map(|data| data.validation.path.clone()).unwrap_or_default(),
            device: self.settings.execution.device.clone(),
            threads: supernet.threads,
        };
        // What it writes are its checkpoints, which its memory holds too, and its log.
        let largest = supernet.memory_bytes.unwrap_or(self.settings.budget.trial_memory_bytes);
        let bounds = WorkerBounds::of(&setup)
            .reading(&job.plugin_cache)
            .writing(&job.checkpoints)
            .writing(&job.log)
            .with_files_of(largest);
        let sources = [&job.operations, &job.space, &job.strategy];
        let libraries = sources.into_iter().filter_map(|source| source.library.as_ref());
        let bounds = libraries.fold(bounds, |bounds, library| bounds.reading(&library.path));
        Ok(SearchWorkerOptions {
            program: worker_program()?,
            setup,
            bounds,
            log: Some(folder.path().join("workers.log")),
            start_seconds: WORKER_START_SECONDS,
            silence_seconds: supernet.silence_seconds,
        })
    }
}
