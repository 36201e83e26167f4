//! The thread that owns the workers: starts them, feeds them, watches them, ends them.
//!
//! It lives as long as the executor, which matters: the kernel kills a worker when the thread that
//! started it ends. Everything reaches it as a message; only the passing of time does not.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use nas_plugin_api::trial::TrialId;

use super::guard::Guard;
use super::local_options::LocalOptions;
use super::pipes::Heard;
use super::process::Process;
use super::worker::{Departure, Worker};
use super::worker_log::WorkerLog;
use super::{Completion, ExecutorError, Job, TrialFailure, Update};
use crate::budget::clock::{Clock, RealClock};
use crate::protocol::Usage;

/// So many deaths in a row before the first trial, and no more workers are started.
const MAX_SETUP_DEATHS: u32 = 5;
/// Pause after the first such death; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What reaches the thread.
pub(super) enum Message {
    /// A job to do.
    Submit(Box<Job>),
    /// A trial that is not wanted any more.
    Cancel(TrialId),
    /// End everything.
    Stop {
        /// Time for the workers to end by themselves.
        grace: Duration,
    },
    /// From the worker of this number.
    Heard(u64, Heard),
}

/// What the thread tells.
pub(super) type Told = Result<Vec<Update>, ExecutorError>;

pub(super) struct Overseer {
    options: LocalOptions,
    messages: Receiver<Message>,
    own_messages: Sender<Message>,
    told: Sender<Told>,
    clock: RealClock,
    guard: Option<Guard>,
    queue: VecDeque<Box<Job>>,
    workers: Vec<(u64, Worker)>,
    n_started: u64,
    setup_deaths: u32,
    paused_until: Duration,
    next_check: Duration,
    updates: Vec<Update>,
}

impl Overseer {
    pub(super) fn new(
        options: LocalOptions,
        messages: Receiver<Message>,
        own_messages: Sender<Message>,
        told: Sender<Told>,
    ) -> Self {
        Self {
            options,
            messages,
            own_messages,
            told,
            clock: RealClock::new(),
            // Without a guard all but a worker's own children still ends with the supervisor.
            guard: Guard::start().ok(),
            queue: VecDeque::new(),
            workers: Vec::new(),
            n_started: 0,
            setup_deaths: 0,
            paused_until: Duration::ZERO,
            next_check: Duration::ZERO,
            updates: Vec::new(),
        }
    }

    /// Works until it is stopped, or until no worker can be kept alive.
    pub(super) fn run(mut self) {
        let stop = loop {
            match self.step() {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(grace)) => break Ok(grace),
                Err(error) => break Err(error),
            }
            self.tell();
        };
        match stop {
            Ok(grace) => self.stop(grace),
            Err(error) => {
                self.stop(Duration::ZERO);
                // Nobody listens to an executor that is being dropped.
                let _ = self.told.send(Err(error));
            }
        }
    }

    fn step(&mut self) -> Result<ControlFlow<Duration>, ExecutorError> {
        if let Some(message) = self.receive()
            && let ControlFlow::Break(grace) = self.take(message)
        {
            return Ok(ControlFlow::Break(grace));
        }
        if self.clock.now() >= self.next_check {
            self.check()?;
        }
        self.dispatch()?;
        Ok(ControlFlow::Continue(()))
    }

    /// The next message; `None` when it is time to look at the workers first.
    fn receive(&mut self) -> Option<Message> {
        let now = self.clock.now();
        let looks = self.workers.iter().filter_map(|(_, worker)| worker.next_check());
        let pause = (!self.queue.is_empty() && self.paused_until > now)
            .then(|| self.paused_until.saturating_sub(now));
        let wait = looks.chain(pause).min();
        self.next_check = wait.map_or(Duration::MAX, |wait| self.next_check.min(now + wait));
        match wait {
            None => self.messages.recv().ok(),
            Some(_) => self.messages.recv_timeout(self.next_check.saturating_sub(now)).ok(),
        }
    }

    fn take(&mut self, message: Message) -> ControlFlow<Duration> {
        match message {
            Message::Submit(job) => self.queue.push_back(job),
            Message::Cancel(trial) => self.cancel(trial),
            Message::Stop { grace } => return ControlFlow::Break(grace),
            Message::Heard(number, heard) => {
                // A worker that is gone already has had its last word.
                if let Some((_, worker)) = self.workers.iter_mut().find(|(own, _)| *own == number) {
                    worker.hear(heard, &mut self.updates);
                    if worker.is_idle() {
                        self.setup_deaths = 0;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn cancel(&mut self, trial: TrialId) {
        let updates = &mut self.updates;
        self.queue.retain(|job| {
            let is_wanted = job.trial != trial;
            if !is_wanted {
                updates.push(never_begun(job));
            }
            is_wanted
        });
        for (_, worker) in self.workers.iter_mut().filter(|(_, worker)| worker.runs(trial)) {
            worker.kill();
        }
    }

    /// Looks at every worker, and parts with those that are gone.
    fn check(&mut self) -> Result<(), ExecutorError> {
        self.next_check = Duration::MAX;
        let mut result = Ok(());
        for (_, worker) in self.workers.extract_if(.., |(_, worker)| worker.check()) {
            match worker.close(&mut self.updates) {
                Departure::Plain => {}
                Departure::Refused(message) => result = Err(ExecutorError::Refused { message }),
                Departure::InSetup(message) => {
                    let deaths = self.setup_deaths + 1;
                    self.setup_deaths = deaths;
                    self.paused_until = self.clock.now() + FIRST_PAUSE * (1 << deaths.min(5)) / 2;
                    if deaths >= MAX_SETUP_DEATHS {
                        result = Err(ExecutorError::WorkersFailed { deaths, message });
                    }
                }
            }
        }
        result
    }

    /// Gives waiting jobs to idle workers, and starts workers for those that are left.
    fn dispatch(&mut self) -> Result<(), ExecutorError> {
        let idle = self.workers.iter_mut().filter(|(_, worker)| worker.is_idle());
        for (_, worker) in idle {
            let Some(job) = self.queue.pop_front() else { return Ok(()) };
            worker.begin(*job);
        }
        let n_coming = self.workers.iter().filter(|(_, worker)| worker.is_setting_up()).count();
        let n_wanted = self.queue.len().saturating_sub(n_coming);
        let n_free = self.options.workers.saturating_sub(self.workers.len());
        if self.clock.now() >= self.paused_until {
            for _ in 0..n_wanted.min(n_free) {
                self.start_worker()?;
            }
        }
        Ok(())
    }

    fn start_worker(&mut self) -> Result<(), ExecutorError> {
        let number = self.n_started;
        self.n_started += 1;
        let LocalOptions { program, setup, bounds, log, start_seconds, .. } = &self.options;
        let started = Process::start(program, bounds.as_ref(), self.guard.as_ref())?;
        let log = WorkerLog::open(log.as_deref(), format!("worker {number}"));
        let messages = self.own_messages.clone();
        let hear = move |heard| {
            // An overseer that is gone has ended this worker.
            let _ = messages.send(Message::Heard(number, heard));
        };
        self.workers.push((number, Worker::start(started, log, setup, *start_seconds, hear)));
        Ok(())
    }

    fn tell(&mut self) {
        if !self.updates.is_empty() {
            let _ = self.told.send(Ok(std::mem::take(&mut self.updates)));
        }
    }

    /// Ends all workers and waits until they are gone.
    fn stop(&mut self, grace: Duration) {
        self.updates.extend(self.queue.drain(..).map(|job| never_begun(&job)));
        let asked = self.clock.now();
        if !grace.is_zero() {
            self.workers.iter_mut().for_each(|(_, worker)| worker.ask_to_end());
        }
        let mut is_killed = false;
        while !self.workers.is_empty() {
            let now = self.clock.now();
            if !is_killed && now >= asked + grace {
                self.workers.iter_mut().for_each(|(_, worker)| worker.kill());
                is_killed = true;
            }
            match self.receive() {
                Some(Message::Submit(job)) => self.updates.push(never_begun(&job)),
                Some(message) => {
                    let _ = self.take(message);
                }
                None => {
                    // How a worker ends does not matter any more.
                    let _ = self.check();
                }
            }
            if self.clock.now() >= self.next_check {
                let _ = self.check();
            }
        }
        self.tell();
    }
}

fn never_begun(job: &Job) -> Update {
    let message = "it was stopped before it began";
    let completion = Completion::failed(job, TrialFailure::Stopped, message, Usage::default());
    Update::Completed(completion)
}
