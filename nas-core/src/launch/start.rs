//! Starting a prepared search, and taking one up again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::verdict::{Action, Plan, PolicyContext, Question};
use serde_json::Value;

use super::anchor::{anchor_beginning, check_anchored};
use super::approve::check_approved;
use super::prepare::plan_of;
use super::prepare_benchmark::PreparedBenchmark;
use super::prepare_inherit::PreparedInherit;
use super::stop_watch::StopWatch;
use super::{Prepared, Problem, RunFolder, RunFolderError, prepare};
use crate::budget::{Budget, Clock, KillMargin, Ledger, Quota, QuotaError, RealClock, Workforce};
use crate::executor::{
    BenchmarkExecutor, Executor, ExecutorError, LocalExecutor, LocalOptions, POLL_INTERVAL,
    WorkerBounds, worker_program,
};
use crate::journal::{
    AnchorError, Approval, Event, EventLog, Finding, Journal, JournalError, Recorded, RunHistory,
    Start, StopReason,
};
use crate::organisation::OrganisationError;
use crate::plugin::Registry;
use crate::protocol::Setup;
use crate::protocol::data::DataSummary;
use crate::search::{
    Inheriting, NoTraining, Observer, Search, SearchError, StopSignal, Summary, Training, Work,
};
use crate::settings::{HoldoutSettings, Settings};
use crate::time_span::TimeSpan;

/// Longest that a worker may take to load libtorch and the data, in seconds.
pub(super) const WORKER_START_SECONDS: f64 = 120.0;

/// Why a search can't be started or taken up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The run's folder.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// The run's journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The workers.
    #[error("failed to {0}")]
    Executor(#[from] ExecutorError),
    /// The search.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The quota that the run counts against.
    #[error("failed to {0}")]
    Quota(#[from] QuotaError),
    /// The settings in the journal can't be used any more.
    #[error("the run's settings can't be used any more: {}", join(.0))]
    Settings(Vec<Problem>),
    /// The journal has no beginning.
    #[error("the journal of `{run}` has no first event; the run never began")]
    NeverBegan {
        /// The run.
        run: String,
    },
    /// A library differs from the one that the run began with.
    #[error(
        "{kind} `{name}` is not the one that the run began with (sha256 {expected}, now {found}); \
         put the old library back, or begin a new run"
    )]
    Changed {
        /// The component's kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The digest in the journal.
        expected: String,
        /// The digest now.
        found: String,
    },
    /// The anchor that somebody named can't be written.
    #[error("failed to {0}")]
    Anchor(#[from] AnchorError),
    /// The journal is not what was anchored.
    #[error(
        "the journal of `{run}` is not what its supervisor wrote: {finding}; `nas audit verify` \
         looks at all of it, and a run can't go on from there"
    )]
    Tampered {
        /// The run.
        run: String,
        /// What was done to it.
        finding: Finding,
    },
    /// A run waits for a person.
    #[error(
        "the run waits for approval of {threshold}, which policy `{policy}` wants: {reason}; `nas \
         approve RUN --reason …` lets it go on, `nas deny RUN --reason …` ends it"
    )]
    AwaitsApproval {
        /// The policy.
        policy: String,
        /// What is to be approved.
        threshold: String,
        /// Its reason.
        reason: String,
    },
    /// A person said no.
    #[error(
        "{by} denied the run approval of {threshold}: {reason}; it does not go on, begin a new run"
    )]
    Denied {
        /// Who.
        by: String,
        /// What was to be approved.
        threshold: String,
        /// Why.
        reason: String,
    },
    /// There is nothing to decide.
    #[error("`{run}` waits for no approval: {standing}")]
    NothingToDecide {
        /// The run.
        run: String,
        /// How it stands.
        standing: String,
    },
    /// An approval must be signed.
    #[error(
        "the approval of {threshold}, which policy `{policy}` wants, must be signed with the key \
         {key}: `nas approve RUN --request` with the same reason, name and expiry prints the text \
         to sign, `minisign -S -m FILE` signs it, and `--signature FILE.minisig` hands it over"
    )]
    WantsSignature {
        /// The policy.
        policy: String,
        /// What is to be approved.
        threshold: String,
        /// The public key.
        key: String,
    },
    /// An approval's signature is none, or one of something else.
    #[error(
        "the approval of {threshold} does not count: {message}; it must be signed with {key}, for \
         this run and the event at which it stopped"
    )]
    WrongSignature {
        /// What is to be approved.
        threshold: String,
        /// The public key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// An approval is too old.
    #[error(
        "the approval of {threshold} could be used until {expires} (UTC); it is to be given again"
    )]
    Expired {
        /// What was approved.
        threshold: String,
        /// The last day.
        expires: String,
    },
    /// An expiry is no date.
    #[error("`{text}` is no day; give the last one as `2026-01-31`")]
    NoDay {
        /// What was given.
        text: String,
    },
    /// The organisation's policy can't be used.
    #[error(transparent)]
    Organisation(#[from] OrganisationError),
    /// A run that began under an organisation's policy would go on under none.
    #[error(
        "the run began under the policy of {organisation} (`{}`), and none holds now; name it with \
         NAS_POLICY",
        path.display()
    )]
    NoOrganisation {
        /// Whose policy it was.
        organisation: String,
        /// Its file.
        path: PathBuf,
    },
    /// Nobody gave a sign of life for too long.
    #[error(
        "nobody gave `{run}` a sign of life in {interval} of its time; give it one with `nas \
         heartbeat {run}`"
    )]
    NoHeartbeat {
        /// The run.
        run: String,
        /// The longest silence that is allowed.
        interval: TimeSpan,
    },
    /// The holdout may not be read again.
    #[error(
        "the holdout of `{run}` was read {used} times, of {queries} that `holdout.queries` allows; \
         nothing sets this back: a new run, on other images, can answer anew"
    )]
    HoldoutSpent {
        /// The run.
        run: String,
        /// How often it was read.
        used: u32,
        /// How often it may be.
        queries: u32,
    },
    /// A policy refuses.
    #[error("policy `{policy}` refuses ({code}): {reason}")]
    Refused {
        /// The policy.
        policy: String,
        /// The rule.
        code: String,
        /// Its reason.
        reason: String,
    },
}

fn join(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
    texts.join("; ")
}

/// What may change when a run is taken up again: the budget, and nothing that made its results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResumeChanges {
    /// The new budget.
    pub budget: Option<Budget>,
}

impl Prepared {
    /// Runs the search in a new folder.
    ///
    /// # Errors
    /// What prevents it from beginning or going on; what was journalled stays.
    pub fn start(
        mut self,
        observer: &mut dyn Observer,
        stop: StopSignal,
    ) -> Result<(RunFolder, Summary), LaunchError> {
        self.ask_policies(Question::Plan, &[])?;
        let folder = RunFolder::create(&self.settings.execution.runs, &self.settings.name)?;
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let mut journal = Journal::create(folder.path(), Arc::clone(&clock))?;
        let mut started = vec![Event::Started(Box::new(self.record()))];
        started.extend(self.organisation_event());
        started.push(self.data_overhead());
        journal.append(&started)?;
        anchor_beginning(journal.reader())?;
        let (workforce, margin) = forces(&self.settings);
        let budget = self.settings.search_budget();
        let ledger = Ledger::new(&budget, workforce, margin, Arc::clone(&clock));
        let mut ledger = within_quota(ledger, &self.settings, &folder)?;
        ledger.report()?;
        ledger.overhead(&self.data_usage);
        let spent = ledger.spent();
        started.iter().for_each(|event| observer.event(event, &spent));
        StopWatch::new(&folder, &self.settings.stop, 0.0, clock, stop.clone()).watch();
        if let Some(summary) =
            self.search_one_shot(&folder, &mut ledger, (&mut journal, &[]), observer, &stop)?
        {
            return Ok((folder, summary));
        }
        let summary = self.search(&folder, ledger, &mut journal, observer, stop)?.run()?;
        Ok((folder, summary))
    }

    fn record(&self) -> Start {
        Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            settings: serde_json::to_value(&self.settings).unwrap_or(Value::Null),
            folder: self.folder.clone(),
            seed: self.settings.seed,
            components: self.components.clone(),
            files: self.files.clone(),
            data: self.data.clone(),
        }
    }

    fn organisation_event(&self) -> Option<Event> {
        let record = self.organisation.as_ref()?.record();
        Some(Event::OrganisationPolicy(Box::new(record)))
    }

    fn data_overhead(&self) -> Event {
        Event::Overhead { what: "prepare the data".to_owned(), usage: self.data_usage }
    }

    fn search<'a>(
        self,
        folder: &RunFolder,
        ledger: Ledger,
        log: &'a mut dyn EventLog,
        observer: &'a mut dyn Observer,
        stop: StopSignal,
    ) -> Result<Search<'a>, LaunchError> {
        let workers = self.settings.execution.workers;
        let inherited = self.inherited.as_ref().map(|one| one.inherited.weights.as_path());
        let holdout = self.holdout_reads(folder);
        let executor: Box<dyn Executor> = match self.benchmark {
            Some(PreparedBenchmark { benchmark, .. }) => {
                Box::new(BenchmarkExecutor::new(benchmark, workers))
            }
            None => executor(&self.settings, self.data.as_ref(), inherited, folder)?,
        };
        let recipe = self.settings.training.recipe.clone();
        let work: Box<dyn Work> = match self.inherited {
            Some(PreparedInherit { space, inherited }) => {
                let needs = self.review_needs;
                Box::new(Inheriting::new(space, inherited, recipe, folder.path(), needs))
            }
            None if self.settings.benchmark.is_some() => Box::new(NoTraining),
            None => {
                let (space, keep) =
                    (self.parts.space.clone(), self.settings.execution.keep_weights);
                let whole = (recipe, self.settings.training.epochs);
                Box::new(Training::new(space, whole, folder.path(), keep, self.review_needs))
            }
        };
        let settings = &self.settings;
        let search = Search::new(settings, self.parts, ledger, log, executor, work, observer, stop);
        Ok(search.with_holdout(holdout))
    }

    /// Asks every policy about the whole search before anything is spent.
    fn ask_policies(
        &mut self,
        question: impl Fn(Plan) -> Question,
        approvals: &[Approval],
    ) -> Result<(), LaunchError> {
        let plan = plan_of(&self.settings, &self.parts);
        let budget = self.settings.budget.caps();
        let mut context = PolicyContext { budget, ..PolicyContext::default() };
        approvals.iter().for_each(|approval| approval.note(&mut context));
        let verdict = self.parts.ask_policies(&question(plan), &context);
        match verdict {
            Some((policy, verdict)) if verdict.action.severity() > Action::Warn.severity() => {
                let (code, reason) = (verdict.code, verdict.reason);
                Err(LaunchError::Refused { policy, code, reason })
            }
            _ => Ok(()),
        }
    }
}

/// Takes a run up where its journal ends.
///
/// # Errors
/// A run that is under way, a plugin that changed, a journal that can't be repeated.
pub fn resume(
    folder: &RunFolder,
    registry: &Arc<Registry>,
    changes: &ResumeChanges,
    observer: &mut dyn Observer,
    stop: StopSignal,
) -> Result<Summary, LaunchError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let mut journal = Journal::open(folder.path(), Arc::clone(&clock))?;
    let history = journal.reader().history()?;
    let Some(start) = &history.start else {
        return Err(LaunchError::NeverBegan { run: folder.name() });
    };
    check_anchored(journal.reader(), folder)?;
    check_approved(journal.reader(), folder, &history, clock.unix_ms())?;
    let mut settings: Settings = serde_json::from_value(history.settings.clone())
        .map_err(|error| LaunchError::Settings(vec![Problem::new("", error.to_string())]))?;
    if let Some(budget) = &changes.budget {
        settings.budget = budget.clone();
    }
    check_unchanged(start, registry)?;
    let (began_with, holdout) = (settings.stop.clone(), settings.holdout);
    forget_organisation(&mut settings, &history);
    let mut prepared =
        prepare(&settings, registry, &start.folder).map_err(LaunchError::Settings)?;
    if let (Some(was), None) = (history.organisations.last(), &prepared.organisation) {
        let (organisation, path) = (was.organisation.clone(), was.path.clone());
        return Err(LaunchError::NoOrganisation { organisation, path });
    }
    prepared.ask_policies(Question::Resume, &history.approvals)?;

    let (workforce, margin) = forces(&settings);
    // With the limits that the organisation has set meanwhile.
    let settings = prepared.settings.clone();
    // Silence counts from where somebody first had to give a sign.
    let silent_seconds = began_with.heartbeat.map_or(0.0, |_| history.silent_seconds());
    check_heartbeat(folder, &settings, silent_seconds, &history)?;
    let ledger = Ledger::new(&settings.search_budget(), workforce, margin, Arc::clone(&clock));
    let ledger = within_quota(ledger, &settings, folder)?;
    let data = prepared.data_overhead();
    let are_new =
        changes.budget.is_some() || settings.stop != began_with || settings.holdout != holdout;
    let resumed = Event::Resumed {
        settings: are_new.then(|| serde_json::to_value(&settings).ok()).flatten(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut events = vec![resumed];
    events.extend(prepared.organisation_event());
    events.push(data);
    journal.append(&events)?;
    let recorded: Vec<Recorded> = journal.reader().events().collect::<Result<_, _>>()?;
    StopWatch::new(folder, &settings.stop, silent_seconds, clock, stop.clone()).watch();
    let was_searching = prepared.one_shot.is_some() && history.search.end.is_none();
    if prepared.one_shot.is_some() {
        // Only what is left of the first half is charged here; the replay below charges the rest.
        let mut ledger = ledger.clone();
        recorded.iter().for_each(|recorded| ledger.apply(&recorded.event));
        let told = (&mut journal as &mut dyn EventLog, recorded.as_slice());
        let summary = prepared.search_one_shot(folder, &mut ledger, told, observer, &stop)?;
        if let Some(summary) = summary {
            return Ok(summary);
        }
        if was_searching {
            return Ok(prepared.search(folder, ledger, &mut journal, observer, stop)?.run()?);
        }
    }
    let mut search = prepared.search(folder, ledger, &mut journal, observer, stop)?;
    search.replay(&recorded)?;
    Ok(search.run()?)
}

/// Takes out of a run's settings what the organisation that held last put into them, so that the one
/// that holds now may be stricter.
fn forget_organisation(settings: &mut Settings, history: &RunHistory) {
    let Some(was) = history.organisations.last() else { return };
    let heartbeat = settings.stop.heartbeat.map(|heartbeat| heartbeat.to_string());
    if heartbeat.is_some() && was.rules["stop"]["heartbeat"].as_str() == heartbeat.as_deref() {
        settings.stop.heartbeat = None;
    }
    if was.rules["holdout"]["queries"].as_u64() == Some(settings.holdout.queries.into()) {
        settings.holdout.queries = HoldoutSettings::default().queries;
    }
}

/// A run whose heartbeat lapsed does not go on by itself, however often it is started.
fn check_heartbeat(
    folder: &RunFolder,
    settings: &Settings,
    silent_seconds: f64,
    history: &RunHistory,
) -> Result<(), LaunchError> {
    let Some(interval) = settings.stop.heartbeat else { return Ok(()) };
    let reason = history.stop.as_ref().map(|stop| &stop.reason);
    let has_lapsed = matches!(reason, Some(StopReason::HeartbeatLapsed { .. }))
        || silent_seconds >= interval.duration().as_secs_f64();
    match has_lapsed && !folder.has_heartbeat() {
        true => Err(LaunchError::NoHeartbeat { run: folder.name(), interval }),
        false => Ok(()),
    }
}

/// A search can be repeated only with the libraries that it began with.
pub(super) fn check_unchanged(start: &Start, registry: &Registry) -> Result<(), LaunchError> {
    for record in &start.components {
        let now = registry.record(record.kind, &record.name).ok().and_then(|now| now.sha256);
        if let (Some(expected), Some(found)) = (&record.sha256, now)
            && *expected != found
        {
            return Err(LaunchError::Changed {
                kind: ComponentKind::name(record.kind),
                name: record.name.clone(),
                expected: expected.clone(),
                found,
            });
        }
    }
    Ok(())
}

pub(super) fn forces(settings: &Settings) -> (Workforce, KillMargin) {
    let execution = &settings.execution;
    let workforce = Workforce {
        workers: execution.workers,
        threads: execution.threads,
        uses_gpu: execution.device.starts_with("cuda"),
    };
    let margin = match settings.benchmark {
        Some(_) => KillMargin::NONE,
        None => KillMargin::for_polling(POLL_INTERVAL, execution.threads),
    };
    (workforce, margin)
}

/// A run that counts against a quota does so in every session.
pub(super) fn within_quota(
    ledger: Ledger,
    settings: &Settings,
    folder: &RunFolder,
) -> Result<Ledger, QuotaError> {
    match &settings.quota {
        Some(quota) => Ok(ledger.within(Quota::open(quota, folder.path())?)),
        None => Ok(ledger),
    }
}

pub(super) fn executor(
    settings: &Settings,
    data: Option<&DataSummary>,
    inherited: Option<&Path>,
    folder: &RunFolder,
) -> Result<Box<dyn Executor>, LaunchError> {
    let trials = folder.make_trials()?;
    let setup = Setup {
        train: data.map(|data| data.train.path.clone()),
        evaluation: data.map(|data| data.validation.path.clone()).unwrap_or_default(),
        device: settings.execution.device.clone(),
        threads: settings.execution.threads,
    };
    // What it writes are its weights, which its memory holds too, and its log.
    let bounds =
        WorkerBounds::of(&setup).writing(&trials).with_files_of(settings.budget.trial_memory_bytes);
    let bounds = inherited.into_iter().fold(bounds, WorkerBounds::reading);
    Ok(Box::new(LocalExecutor::new(LocalOptions {
        program: worker_program()?,
        workers: settings.execution.workers,
        setup,
        bounds: Some(bounds),
        log: Some(folder.path().join("workers.log")),
        start_seconds: WORKER_START_SECONDS,
    })?))
}
