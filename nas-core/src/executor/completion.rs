//! What an executor answers.

use std::fmt;

use nas_plugin_api::measurement::{EpochRecord, Measurements};
use nas_plugin_api::trial::{Outcome, TrialId};

use super::Job;
use crate::protocol::{Failure, Usage};

/// Something that an executor has to tell.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// An epoch of a running trial is over. Only for display: the completion has the whole curve.
    Epoch {
        /// The trial.
        trial: TrialId,
        /// Which attempt.
        attempt: u32,
        /// What it showed.
        record: EpochRecord,
    },
    /// An attempt is over; exactly one for each job.
    Completed(Completion),
    /// Processor time that belongs to no trial.
    Overhead {
        /// What it was.
        what: String,
        /// What it used.
        usage: Usage,
    },
}

/// The end of one attempt at one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The trial.
    pub trial: TrialId,
    /// Which attempt.
    pub attempt: u32,
    /// How it ended.
    pub ended: Ended,
    /// What it is charged: the larger of what the worker reported and what was measured from
    /// outside.
    pub usage: Usage,
    /// What each epoch showed, as far as it came.
    pub curve: Vec<EpochRecord>,
    /// The sha256 of the checkpoint that it kept, if it was to keep one.
    pub checkpoint: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// It was evaluated; every measurement is finite.
    Finished(Measurements),
    /// It was not.
    Failed {
        /// What kind of failure.
        failure: TrialFailure,
        /// What happened, with the numbers, for a person.
        message: String,
    },
}

/// Why there are no measurements.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrialFailure {
    /// A loss or a measurement that is not finite.
    Diverged,
    /// More memory than reserved: the worker gave up or was killed.
    OutOfMemory,
    /// More wall, processor or GPU time than reserved: the worker gave up or was killed.
    TimedOut,
    /// It was cancelled, or the executor was stopped.
    Stopped,
    /// The worker reported an error and lives on.
    Reported,
    /// The worker died, or spoke nonsense and was killed.
    Crashed(Crash),
}

/// How a worker died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// How its process ended.
    pub exit: Exit,
    /// What it was doing.
    pub phase: Phase,
    /// The last lines that it wrote to standard error.
    pub stderr_tail: String,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Loading libtorch and the data.
    Setup,
    /// Building the network, or in its first epoch.
    FirstEpoch,
    /// So many epochs were reported; it trained the next one, or measured.
    AfterEpochs(u32),
}

impl Completion {
    /// An attempt that was evaluated.
    #[must_use]
    pub fn finished(job: &Job, measurements: Measurements, usage: Usage) -> Self {
        Self {
            trial: job.trial,
            attempt: job.attempt,
            ended: Ended::Finished(measurements),
            usage,
            curve: Vec::new(),
            checkpoint: None,
        }
    }

    /// An attempt that was not.
    #[must_use]
    pub fn failed(
        job: &Job,
        failure: TrialFailure,
        message: impl Into<String>,
        usage: Usage,
    ) -> Self {
        let ended = Ended::Failed { failure, message: message.into() };
        let (trial, attempt) = (job.trial, job.attempt);
        Self { trial, attempt, ended, usage, curve: Vec::new(), checkpoint: None }
    }

    /// The same, with what each epoch showed.
    #[must_use]
    pub fn with_curve(mut self, curve: Vec<EpochRecord>) -> Self {
        self.curve = curve;
        self
    }
}

impl Ended {
    /// What the worker's measurements are worth: one that is not finite is a diverged training.
    #[must_use]
    pub fn from_measurements(measurements: Measurements) -> Self {
        match measurements.0.iter().find(|(_, value)| !value.is_finite()) {
            None => Self::Finished(measurements),
            Some((name, value)) => Self::Failed {
                failure: TrialFailure::Diverged,
                message: format!("measurement `{name}` is {value}"),
            },
        }
    }

    /// As a strategy is told.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Finished(_) => Outcome::Finished,
            Self::Failed { failure, .. } => failure.outcome(),
        }
    }
}

impl TrialFailure {
    /// As a strategy is told.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Diverged => Outcome::Diverged,
            Self::OutOfMemory => Outcome::OutOfMemory,
            Self::TimedOut => Outcome::TimedOut,
            Self::Stopped => Outcome::Stopped,
            Self::Reported | Self::Crashed(_) => Outcome::Failed,
        }
    }
}

impl From<Failure> for TrialFailure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Diverged => Self::Diverged,
            Failure::OutOfMemory => Self::OutOfMemory,
            Failure::OutOfTime => Self::TimedOut,
            Failure::Error => Self::Reported,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(out, "ended with code {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(out, "was ended by signal {signal} ({name})"),
                None => write!(out, "was ended by signal {signal}"),
            },
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    use rustix::process::Signal;
    let name = match Signal::from_named_raw(signal)? {
        Signal::ABORT => "SIGABRT, aborted itself",
        Signal::BUS => "SIGBUS, a mapped file shrank or memory failed",
        Signal::FPE => "SIGFPE, arithmetic",
        Signal::ILL => "SIGILL, an instruction that this processor lacks",
        Signal::KILL => "SIGKILL, perhaps by the kernel for lack of memory",
        Signal::SEGV => "SIGSEGV, segmentation fault",
        Signal::TERM => "SIGTERM",
        Signal::XCPU => "SIGXCPU, processor time",
        Signal::XFSZ => "SIGXFSZ, a file larger than it may write",
        _ => return None,
    };
    Some(name)
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup => write!(out, "while it was being set up"),
            Self::FirstEpoch => write!(out, "before the end of its first epoch"),
            Self::AfterEpochs(1) => write!(out, "after 1 epoch"),
            Self::AfterEpochs(epochs) => write!(out, "after {epochs} epochs"),
        }
    }
}
