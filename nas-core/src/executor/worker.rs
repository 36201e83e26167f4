//! One worker across its trials: what it is doing, what it is charged, how it ends.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use nas_plugin_api::measurement::EpochRecord;
use nas_plugin_api::trial::TrialId;
use rustix::process::Signal;

use super::meter::{Excess, Hardware, Meter, UNLIMITED, hard_limits, lower_own_limits};
use super::pipes::{Heard, connect};
use super::process::{Pipes, Process};
use super::worker_log::{StderrTail, WorkerLog};
use super::{Completion, Crash, Ended, Exit, Job, Phase, TrialFailure, Update, trial_log};
use crate::budget::HardLimits;
use crate::budget::clock::{Clock, RealClock};
use crate::protocol::{Event, Failure, Request, Setup, Usage};

/// How long the pipes of a dead worker are read on; longer only if a stray process holds them.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long a worker may live on after it closed its standard output.
const MUTE: Duration = Duration::from_millis(500);
/// Time between two looks at a worker that is about to end.
const REAP_INTERVAL: Duration = Duration::from_millis(1);

/// A worker process and what it is doing.
pub(super) struct Worker {
    process: Process,
    clock: RealClock,
    requests: Option<Sender<Request>>,
    tail: StderrTail,
    hardware: Hardware,
    state: State,
    meter: Meter,
    /// Processor seconds that were charged to some task already.
    charged_cpu: f64,
    ending: Option<Ending>,
    open_pipes: u8,
    events_closed: Option<Duration>,
    exited: Option<(Exit, Duration)>,
}

enum State {
    SettingUp,
    Idle,
    Running(Box<Running>),
}

/// What is kept of a job after its work was sent.
struct Running {
    trial: TrialId,
    attempt: u32,
    epochs: u32,
    log: PathBuf,
    curve: Vec<EpochRecord>,
    /// The sha256 of the checkpoint that it kept.
    checkpoint: Option<String>,
}

/// Why the supervisor ends a worker.
enum Ending {
    /// It passed a limit.
    Excess(Excess),
    /// It wrote what is no message, or a message that has no place here.
    Nonsense(String),
    /// Its first message can't be obeyed.
    Refused(String),
    /// It or its trial is not wanted any more.
    Unwanted,
}

/// What a worker that is gone means for the next one.
pub(super) enum Departure {
    /// Nothing.
    Plain,
    /// It died before its first trial; the next one may too.
    InSetup(String),
    /// It says that it can't be set up; the next one would say the same.
    Refused(String),
}

impl Worker {
    /// Takes over a process that was just started and has it set up.
    pub(super) fn start(
        (process, pipes): (Process, Pipes),
        log: WorkerLog,
        setup: &Setup,
        start_seconds: f64,
        hear: impl Fn(Heard) + Clone + Send + 'static,
    ) -> Self {
        let hardware = Hardware { threads: setup.threads, gpu: setup.device.starts_with("cuda") };
        let limits = HardLimits { wall_seconds: start_seconds, ..UNLIMITED };
        let tail = log.tail();
        let requests = connect(pipes, log, hear);
        let worker = Self {
            process,
            clock: RealClock::new(),
            requests: Some(requests),
            tail,
            hardware,
            state: State::SettingUp,
            meter: Meter::start(0.0, limits, hardware),
            charged_cpu: 0.0,
            ending: None,
            open_pipes: 2,
            events_closed: None,
            exited: None,
        };
        worker.send(Request::Setup(setup.clone()));
        worker
    }

    /// Whether it can be given a job.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && !self.is_ending()
    }

    /// Whether it is being set up; also, until it is closed, one that dies of it: no other worker
    /// is started in its place before that is known.
    pub(super) fn is_setting_up(&self) -> bool {
        matches!(self.state, State::SettingUp)
    }

    /// Whether it computes an attempt at this trial.
    pub(super) fn runs(&self, trial: TrialId) -> bool {
        matches!(&self.state, State::Running(running) if running.trial == trial)
    }

    /// Begins a trial.
    pub(super) fn begin(&mut self, job: Job) {
        let Job { trial, attempt, mut work, reservation, .. } = job;
        let limits = hard_limits(&reservation, self.hardware);
        lower_own_limits(&mut work, &limits);
        self.tail.clear();
        self.meter = Meter::start(self.charged_cpu, limits, self.hardware);
        self.process.limit_cpu(self.charged_cpu + reservation.cpu_seconds);
        let (epochs, log, curve) = (work.epochs, work.log.clone(), Vec::new());
        let running = Running { trial, attempt, epochs, log, curve, checkpoint: None };
        self.state = State::Running(Box::new(running));
        self.send(Request::Evaluate(Box::new(work)));
    }

    /// Takes in what the worker said.
    pub(super) fn hear(&mut self, heard: Heard, updates: &mut Vec<Update>) {
        match heard {
            Heard::Event(event) => self.obey(*event, updates),
            Heard::Nonsense(text) => self.end(Ending::Nonsense(text)),
            Heard::EventsClosed => {
                self.open_pipes -= 1;
                self.events_closed = Some(self.clock.now());
            }
            Heard::StderrClosed => self.open_pipes -= 1,
        }
    }

    /// Enforces the limits and notices the worker's end. True when it is gone and all is heard.
    pub(super) fn check(&mut self) -> bool {
        if self.ending.is_none()
            && self.exited.is_none()
            && !matches!(self.state, State::Idle)
            && let Some(excess) = self.meter.enforce(&self.process)
        {
            self.ending = Some(Ending::Excess(excess));
        }
        let now = self.clock.now();
        if self.exited.is_none() {
            self.exited = self.process.try_reap().map(|reaped| (reaped.exit, now));
        }
        match (self.exited, self.events_closed) {
            (Some((_, since)), _) => self.open_pipes == 0 || now - since > LAST_WORDS,
            (None, Some(since)) if now - since > MUTE => {
                self.end(Ending::Nonsense("it closed its standard output".to_owned()));
                false
            }
            (None, _) => false,
        }
    }

    /// The time after which [`Self::check`] is to be called; `None` for an idle worker.
    pub(super) fn next_check(&self) -> Option<Duration> {
        match self.state {
            _ if self.is_ending() => Some(REAP_INTERVAL),
            State::Idle => None,
            State::SettingUp | State::Running(_) => Some(self.meter.next_look()),
        }
    }

    /// Kills it, with all it started; its trial counts as stopped.
    pub(super) fn kill(&mut self) {
        self.end(Ending::Unwanted);
    }

    /// Asks it to end; its trial, if it does not finish meanwhile, counts as stopped.
    pub(super) fn ask_to_end(&mut self) {
        self.requests = None;
        self.process.signal(Signal::TERM);
        if self.ending.is_none() {
            self.ending = Some(Ending::Unwanted);
        }
    }

    /// Accounts for a worker that is gone.
    pub(super) fn close(mut self, updates: &mut Vec<Update>) -> Departure {
        let exit = self.exited.map_or(Exit::Signal(libc::SIGKILL), |(exit, _)| exit);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {
                // Between trials it only waits: what it used is charged, the time is not.
                self.meter = Meter::start(self.charged_cpu, UNLIMITED, self.hardware);
                self.charge_overhead("worker end", updates);
                Departure::Plain
            }
            State::SettingUp => {
                self.charge_overhead("worker start, failed", updates);
                match self.ending.take() {
                    Some(Ending::Refused(message)) => Departure::Refused(message),
                    Some(Ending::Unwanted) => Departure::Plain,
                    ending => Departure::InSetup(self.last_words(ending, exit, Phase::Setup).1),
                }
            }
            State::Running(running) => {
                let phase = match running.curve.len() {
                    0 => Phase::FirstEpoch,
                    epochs => Phase::AfterEpochs(u32::try_from(epochs).unwrap_or(u32::MAX)),
                };
                let ending = self.ending.take();
                let (failure, message) = self.last_words(ending, exit, phase);
                trial_log::note(&running.log, &message);
                self.complete(
                    *running,
                    Ended::Failed { failure, message },
                    Usage::default(),
                    updates,
                );
                Departure::Plain
            }
        }
    }

    fn is_ending(&self) -> bool {
        self.ending.is_some() || self.exited.is_some() || self.events_closed.is_some()
    }

    fn send(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // A worker that is gone is noticed by its other pipes.
            let _ = requests.send(request);
        }
    }

    fn end(&mut self, why: Ending) {
        self.process.kill();
        self.requests = None;
        if self.ending.is_none() {
            self.ending = Some(why);
        }
    }

    fn obey(&mut self, event: Event, updates: &mut Vec<Update>) {
        // Except while it was asked to end kindly, a result that comes after the verdict is late.
        if matches!(self.ending, Some(Ending::Excess(_) | Ending::Nonsense(_) | Ending::Refused(_)))
        {
            return;
        }
        match (std::mem::replace(&mut self.state, State::Idle), event) {
            (State::SettingUp, Event::Ready { .. }) => {
                self.charge_overhead("worker start", updates);
            }
            (State::SettingUp, Event::Refused { message }) => {
                self.state = State::SettingUp;
                self.end(Ending::Refused(message));
            }
            (State::Running(mut running), Event::Epoch { trial, record })
                if running.trial == trial && running.curve.len() < running.epochs as usize =>
            {
                running.curve.push(record.clone());
                let attempt = running.attempt;
                self.state = State::Running(running);
                updates.push(Update::Epoch { trial, attempt, record });
            }
            (
                State::Running(mut running),
                Event::Finished { trial, measurements, usage, checkpoint },
            ) if running.trial == trial => {
                let ended = Ended::from_measurements(measurements);
                running.checkpoint = checkpoint;
                self.complete(*running, ended, usage, updates);
            }
            (State::Running(running), Event::Failed { trial, failure, message, usage })
                if running.trial == trial =>
            {
                let ended = Ended::Failed { failure: failure.into(), message };
                self.complete(*running, ended, usage, updates);
                // What it had in memory may stay with its allocator; a fresh one has it all.
                if failure == Failure::OutOfMemory {
                    self.end(Ending::Unwanted);
                }
            }
            (state, event) => {
                self.state = state;
                self.end(Ending::Nonsense(format!("an unexpected message, {}", name(&event))));
            }
        }
    }

    fn complete(
        &mut self,
        running: Running,
        ended: Ended,
        reported: Usage,
        updates: &mut Vec<Update>,
    ) {
        let usage = self.settle(reported);
        let Running { trial, attempt, curve, checkpoint, .. } = running;
        let completion = Completion { trial, attempt, ended, usage, curve, checkpoint };
        updates.push(Update::Completed(completion));
    }

    fn charge_overhead(&mut self, what: &str, updates: &mut Vec<Update>) {
        let usage = self.settle(Usage::default());
        updates.push(Update::Overhead { what: what.to_owned(), usage });
    }

    /// Charges what was used since the last time.
    fn settle(&mut self, reported: Usage) -> Usage {
        let usage = self.meter.settle(&self.process, reported);
        self.charged_cpu = self.charged_cpu.max(self.process.cpu_seconds());
        usage
    }

    fn last_words(
        &self,
        ending: Option<Ending>,
        exit: Exit,
        phase: Phase,
    ) -> (TrialFailure, String) {
        let stderr_tail = self.tail.text();
        let what = match ending {
            Some(Ending::Excess(Excess { failure, message })) => return (failure, message),
            Some(Ending::Unwanted) => {
                return (TrialFailure::Stopped, "it was stopped".to_owned());
            }
            None if exit == Exit::Signal(libc::SIGXCPU) => {
                let message = "ended by the kernel for its processor time".to_owned();
                return (TrialFailure::TimedOut, message);
            }
            Some(Ending::Nonsense(text) | Ending::Refused(text)) => {
                format!("was killed {phase}: {text}")
            }
            None => format!("{exit} {phase}"),
        };
        let message = match stderr_tail.is_empty() {
            true => format!("the worker {what}"),
            false => format!("the worker {what}; it wrote: {stderr_tail}"),
        };
        (TrialFailure::Crashed(Crash { exit, phase, stderr_tail }), message)
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Prepared(_) => "that data are prepared",
        Event::Ready { .. } => "that it is ready",
        Event::Refused { .. } => "a refusal",
        Event::Epoch { .. } => "an epoch",
        Event::Finished { .. } => "a result",
        Event::Failed { .. } => "a failure",
        Event::SearchPlanned(_)
        | Event::SearchStep(_)
        | Event::EpochEnded(_)
        | Event::SearchFinished(_)
        | Event::SearchFailed(_) => "word of a one-shot search",
    }
}
