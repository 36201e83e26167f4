//! The worker of a one-shot search: one process, one job, one epoch after the other.
//!
//! Unlike the workers of trials it is looked at on the thread of its caller, who waits for it and for
//! nothing else.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::process::Signal;

use super::guard::Guard;
use super::meter::{Excess, Hardware, Meter, UNLIMITED};
use super::pipes::{Heard, connect};
use super::process::{Pipes, Process};
use super::worker_log::{StderrTail, WorkerLog};
use super::{ExecutorError, Exit, TrialFailure, WorkerBounds};
use crate::budget::clock::{Clock, RealClock};
use crate::budget::{HardLimits, KillMargin, Reservation};
use crate::protocol::one_shot::{
    OneShotEpoch, OneShotJob, Order, SearchFailure, SearchFound, SearchPlan, SearchStep,
};
use crate::protocol::{Event, Request, Setup, Usage};

/// How long a worker that was killed may take to be gone.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long the last messages of a worker that ended are waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How the worker of a one-shot search is started.
#[derive(Clone, Debug)]
pub struct SearchWorkerOptions {
    /// The worker's program.
    pub program: PathBuf,
    /// What it needs before its job.
    pub setup: Setup,
    /// What it is left with.
    pub bounds: WorkerBounds,
    /// Where its standard error is kept.
    pub log: Option<PathBuf>,
    /// Longest that it may take to load libtorch and the data, in seconds.
    pub start_seconds: f64,
    /// Longest that it may say nothing while it works on its job, in seconds.
    pub silence_seconds: f64,
}

/// A worker process with a one-shot search. Ends with this value.
pub struct SearchWorker {
    process: Process,
    /// Ends the worker, and what it started, when this process is killed.
    _guard: Option<Guard>,
    requests: Option<Sender<Request>>,
    heard: Receiver<Heard>,
    tail: StderrTail,
    meter: Meter,
    hardware: Hardware,
    clock: RealClock,
    silence: Duration,
    last_word: Duration,
    /// What was charged of this job so far.
    charged: Usage,
    is_over: bool,
}

/// What such a worker tells.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchUpdate {
    /// What it is going to do.
    Planned(SearchPlan),
    /// How far an epoch has come.
    Step(SearchStep),
    /// An epoch is over; it waits for an order.
    Epoch(Box<OneShotEpoch>),
    /// It is done.
    Finished(SearchFound),
    /// It could not go on, and says why.
    Failed(SearchFailure),
    /// It is gone: it died, passed a limit, said nothing for too long, or spoke nonsense.
    Gone {
        /// What kind of end.
        failure: TrialFailure,
        /// What happened, for a person.
        message: String,
    },
}

impl SearchWorker {
    /// Starts a worker and has it set up; says what that used. `is_unwanted` is asked now and then.
    ///
    /// # Errors
    /// A worker that can't be started, dies, or says that it can't be set up. What it used is lost
    /// with it; it is less than [`KillMargin::start_seconds`] unless it hangs.
    pub fn start(
        options: SearchWorkerOptions,
        is_unwanted: &dyn Fn() -> bool,
    ) -> Result<(Self, Usage), ExecutorError> {
        let SearchWorkerOptions { program, setup, bounds, log, start_seconds, silence_seconds } =
            options;
        let guard = Guard::start().ok();
        let (process, pipes) = Process::start(&program, Some(&bounds), guard.as_ref())?;
        let hardware = Hardware { threads: setup.threads, gpu: setup.device.starts_with("cuda") };
        let limits = HardLimits { wall_seconds: start_seconds, ..UNLIMITED };
        let (requests, heard, tail) = listen(pipes, log);
        let mut worker = Self {
            process,
            _guard: guard,
            requests: Some(requests),
            heard,
            tail,
            meter: Meter::start(0.0, limits, hardware),
            hardware,
            clock: RealClock::new(),
            silence: Duration::try_from_secs_f64(silence_seconds).unwrap_or(Duration::MAX),
            last_word: Duration::ZERO,
            charged: Usage::default(),
            is_over: false,
        };
        worker.send(Request::Setup(setup));
        worker.wait_until_ready(is_unwanted)?;
        let usage = worker.used();
        Ok((worker, usage))
    }

    fn wait_until_ready(&mut self, is_unwanted: &dyn Fn() -> bool) -> Result<(), ExecutorError> {
        const WHAT: &str = "set up a worker for the supernet";
        let died = |message| ExecutorError::Died { task: WHAT, message };
        loop {
            match self.heard.recv_timeout(self.meter.next_look()) {
                Ok(Heard::Event(event)) => match *event {
                    Event::Ready { .. } => return Ok(()),
                    Event::Refused { message } => return Err(ExecutorError::Refused { message }),
                    _ => return Err(died("spoke before it was ready".to_owned())),
                },
                Ok(Heard::Nonsense(text)) => return Err(died(format!("spoke nonsense: {text}"))),
                Ok(Heard::EventsClosed) | Err(RecvTimeoutError::Disconnected) => {
                    let (_, message) = self.last_words(None);
                    return Err(died(message));
                }
                Ok(Heard::StderrClosed) | Err(RecvTimeoutError::Timeout) => {}
            }
            if is_unwanted() {
                return Err(ExecutorError::Stopped);
            }
            if let Some(Excess { message, .. }) = self.meter.enforce(&self.process) {
                return Err(died(format!("was {message}")));
            }
        }
    }

    /// Gives it the job; beyond the reservation it is killed.
    pub fn begin(&mut self, mut job: OneShotJob, reservation: &Reservation) {
        let margin = KillMargin::for_polling(super::POLL_INTERVAL, self.hardware.threads);
        let limits = HardLimits::within(reservation, &margin);
        let before = self.process.cpu_seconds();
        // A worker that gives up by itself says more than one that is killed.
        let own = (limits.cpu_seconds * 0.02).clamp(0.01, 1.0);
        job.cpu_seconds = job.cpu_seconds.min((limits.cpu_seconds - own).max(0.0));
        job.memory_bytes = job.memory_bytes.min(limits.memory_bytes - limits.memory_bytes / 16);
        self.tail.clear();
        self.meter = Meter::start(before, limits, self.hardware);
        self.charged = Usage::default();
        self.last_word = self.clock.now();
        self.process.limit_cpu(before + reservation.cpu_seconds);
        self.send(Request::SearchOneShot(Box::new(job)));
    }

    /// Tells it what to do after an epoch.
    pub fn proceed(&mut self, order: Order) {
        self.last_word = self.clock.now();
        self.send(Request::Proceed(order));
    }

    /// Waits for what it tells next; `None` when that is nothing for this long.
    pub fn poll(&mut self, timeout: Duration) -> Option<SearchUpdate> {
        if self.is_over {
            return None;
        }
        let began = self.clock.now();
        loop {
            let left = timeout.saturating_sub(self.clock.now().saturating_sub(began));
            match self.heard.recv_timeout(left.min(self.meter.next_look())) {
                Ok(Heard::Event(event)) => {
                    self.last_word = self.clock.now();
                    return Some(self.understand(*event));
                }
                Ok(Heard::Nonsense(text)) => return Some(self.gone(Some(text))),
                Ok(Heard::EventsClosed) | Err(RecvTimeoutError::Disconnected) => {
                    return Some(self.gone(None));
                }
                Ok(Heard::StderrClosed) | Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(Excess { failure, message }) = self.meter.enforce(&self.process) {
                self.bury();
                return Some(SearchUpdate::Gone { failure, message });
            }
            let now = self.clock.now();
            if now.saturating_sub(self.last_word) > self.silence {
                let seconds = self.silence.as_secs_f64();
                return Some(self.gone(Some(format!("it said nothing for {seconds} s"))));
            }
            if now.saturating_sub(began) >= timeout {
                return None;
            }
        }
    }

    /// What it used since this was asked last, or since the job began.
    pub fn used(&mut self) -> Usage {
        let total = self.meter.settle(&self.process, Usage::default());
        let since = Usage {
            cpu_seconds: (total.cpu_seconds - self.charged.cpu_seconds).max(0.0),
            gpu_seconds: (total.gpu_seconds - self.charged.gpu_seconds).max(0.0),
            wall_seconds: (total.wall_seconds - self.charged.wall_seconds).max(0.0),
            peak_memory_bytes: total.peak_memory_bytes,
        };
        self.charged = total;
        since
    }

    /// Ends it: it is asked to, and killed after `grace`. Returns what it used since it was asked
    /// last.
    pub fn end(mut self, grace: Duration) -> Usage {
        self.requests = None;
        self.process.signal(Signal::TERM);
        let began = self.clock.now();
        while self.process.try_reap().is_none() && self.clock.now().saturating_sub(began) < grace {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.bury();
        self.used()
    }

    fn understand(&mut self, event: Event) -> SearchUpdate {
        match event {
            Event::SearchPlanned(plan) => SearchUpdate::Planned(plan),
            Event::SearchStep(step) => SearchUpdate::Step(step),
            Event::EpochEnded(epoch) => SearchUpdate::Epoch(epoch),
            Event::SearchFinished(found) => SearchUpdate::Finished(found),
            Event::SearchFailed(failure) => SearchUpdate::Failed(failure),
            _ => self.gone(Some("it told of something else than its search".to_owned())),
        }
    }

    /// The end of a worker that is not wanted any more, or has died.
    pub fn gone(&mut self, nonsense: Option<String>) -> SearchUpdate {
        let (failure, message) = self.last_words(nonsense);
        SearchUpdate::Gone { failure, message }
    }

    fn last_words(&mut self, nonsense: Option<String>) -> (TrialFailure, String) {
        let exit = match nonsense {
            Some(_) => self.bury(),
            None => self.wait(LAST_WORDS).unwrap_or_else(|| self.bury()),
        };
        let what = match nonsense {
            Some(text) => format!("was killed: {text}"),
            None if exit == Exit::Signal(libc::SIGXCPU) => {
                let message = "it was ended by the kernel for its processor time".to_owned();
                return (TrialFailure::TimedOut, message);
            }
            None => exit.to_string(),
        };
        let stderr_tail = self.tail.text();
        let message = match stderr_tail.is_empty() {
            true => format!("the worker {what}"),
            false => format!("the worker {what}; it wrote: {stderr_tail}"),
        };
        let crash = super::Crash { exit, phase: super::Phase::FirstEpoch, stderr_tail };
        (TrialFailure::Crashed(crash), message)
    }

    /// Kills it and waits until it is gone and its last lines are read.
    fn bury(&mut self) -> Exit {
        self.is_over = true;
        self.requests = None;
        self.process.kill();
        let exit = self.wait(FAREWELL).unwrap_or(Exit::Signal(libc::SIGKILL));
        while let Ok(heard) = self.heard.recv_timeout(LAST_WORDS) {
            if matches!(heard, Heard::StderrClosed) {
                break;
            }
        }
        exit
    }

    fn wait(&mut self, limit: Duration) -> Option<Exit> {
        self.is_over = true;
        let began = self.clock.now();
        loop {
            if let Some(reaped) = self.process.try_reap() {
                return Some(reaped.exit);
            }
            if self.clock.now().saturating_sub(began) > limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn send(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // A worker that is gone is noticed by its other pipes.
            let _ = requests.send(request);
        }
    }
}

fn listen(pipes: Pipes, log: Option<PathBuf>) -> (Sender<Request>, Receiver<Heard>, StderrTail) {
    let log = WorkerLog::open(log.as_deref(), "supernet".to_owned());
    let tail = log.tail();
    let (sender, heard) = channel();
    let requests = connect(pipes, log, move |what| {
        // Nobody listens to a worker that was given up.
        let _ = sender.send(what);
    });
    (requests, heard, tail)
}
