//! A worker for one task: preparing data, or an audit.
//!
//! It lives and dies in one call, on the thread of its caller, and never meets another task's data.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use nas_plugin_api::measurement::Measurements;

use super::guard::Guard;
use super::meter::{Hardware, Meter, hard_limits};
use super::pipes::{Heard, connect};
use super::process::Process;
use super::worker_log::WorkerLog;
use super::{ExecutorError, Exit, WorkerBounds};
use crate::budget::clock::{Clock, RealClock};
use crate::budget::{HardLimits, Reservation};
use crate::protocol::data::{DataRequest, DataSummary};
use crate::protocol::{AuditJob, Event, Request, Setup, Usage};

/// How long a worker may take to end after its last word.
const FAREWELL: Duration = Duration::from_secs(1);

/// Has a worker read a data set and write its splits.
///
/// # Errors
/// A worker that can't be started, dies, passes a limit, or says what is wrong with the data.
pub fn prepare_splits(
    program: &Path,
    request: &DataRequest,
    limits: &HardLimits,
) -> Result<(DataSummary, Usage), ExecutorError> {
    // Links in the source may lead anywhere; this worker meets nothing foreign but the data.
    let bounds = WorkerBounds::default().reading(Path::new("/")).writing(&request.output);
    let task = Task {
        name: "prepare the data",
        program,
        bounds,
        limits: *limits,
        hardware: Hardware { threads: 1, gpu: false },
        is_stopped: &|| false,
    };
    match task.run([Request::Prepare(request.clone())]) {
        (Ok(Event::Prepared(summary)), usage) => Ok((summary, usage)),
        (Ok(event), _) => Err(task.failure(event)),
        (Err(error), _) => Err(error),
    }
}

/// Has a worker evaluate kept weights on the split that the set-up names, without any training,
/// within a reservation and until `is_stopped`; says what it used, also where it came to nothing.
///
/// # Errors
/// A worker that can't be started, dies, passes the limit, is stopped, or says why it can't
/// evaluate.
pub fn run_audit(
    program: &Path,
    setup: Setup,
    job: AuditJob,
    reservation: &Reservation,
    is_stopped: &dyn Fn() -> bool,
) -> (Result<Measurements, ExecutorError>, Usage) {
    let hardware = Hardware { threads: setup.threads, gpu: setup.device.starts_with("cuda") };
    let limits = hard_limits(reservation, hardware);
    let bounds = WorkerBounds::of(&setup).reading(&job.weights).with_files_of(0);
    let task = Task { name: "audit a network", program, bounds, limits, hardware, is_stopped };
    let (answer, usage) = task.run([Request::Setup(setup), Request::Audit(Box::new(job))]);
    let measured = match answer {
        Ok(Event::Finished { measurements, .. }) => Ok(measurements),
        Ok(event) => Err(task.failure(event)),
        Err(error) => Err(error),
    };
    (measured, usage)
}

struct Task<'a> {
    name: &'static str,
    program: &'a Path,
    bounds: WorkerBounds,
    limits: HardLimits,
    hardware: Hardware,
    is_stopped: &'a dyn Fn() -> bool,
}

impl Task<'_> {
    /// Sends the requests and waits for the event that ends the task; says what was used.
    fn run<const N: usize>(&self, requests: [Request; N]) -> (Result<Event, ExecutorError>, Usage) {
        let guard = Guard::start().ok();
        let started = Process::start(self.program, Some(&self.bounds), guard.as_ref());
        let (mut process, pipes) = match started {
            Ok(started) => started,
            Err(error) => return (Err(error), Usage::default()),
        };
        let mut meter = Meter::start(0.0, self.limits, self.hardware);
        let log = WorkerLog::open(None, String::new());
        let tail = log.tail();
        let (sender, heard) = channel();
        let to_worker = connect(pipes, log, move |what| {
            let _ = sender.send(what);
        });
        for request in requests {
            let _ = to_worker.send(request);
        }
        let last = self.listen(&heard, &mut meter, &process);
        drop(to_worker);
        let exit = end(&mut process, &heard, last.is_ok());
        let usage = meter.settle(&process, Usage::default());
        let answer = last.map_err(|silence| match silence {
            Silence::Died => {
                let written = tail.text();
                let tail = if written.is_empty() { "" } else { "; it wrote: " };
                let message = format!("{exit}{tail}{written}");
                ExecutorError::Died { task: self.name, message }
            }
            Silence::Because(message) => self.error(message),
        });
        (answer, usage)
    }

    fn listen(
        &self,
        heard: &Receiver<Heard>,
        meter: &mut Meter,
        process: &Process,
    ) -> Result<Event, Silence> {
        loop {
            match heard.recv_timeout(meter.next_look()) {
                Ok(Heard::Event(event)) => match *event {
                    Event::Ready { .. } | Event::Epoch { .. } => {}
                    event => return Ok(event),
                },
                Ok(Heard::StderrClosed) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Heard::Nonsense(text)) => {
                    return Err(Silence::Because(format!("the worker spoke nonsense: {text}")));
                }
                Ok(Heard::EventsClosed) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Silence::Died);
                }
            }
            if (self.is_stopped)() {
                return Err(Silence::Because("it was stopped".to_owned()));
            }
            if let Some(excess) = meter.enforce(process) {
                return Err(Silence::Because(format!("the worker was {}", excess.message)));
            }
        }
    }

    fn failure(&self, event: Event) -> ExecutorError {
        match event {
            Event::Refused { message } | Event::Failed { message, .. } => self.error(message),
            _ => self.error("the worker answered another question".to_owned()),
        }
    }

    fn error(&self, message: String) -> ExecutorError {
        ExecutorError::Task { task: self.name, message }
    }
}

/// Why there is no answer.
enum Silence {
    Died,
    Because(String),
}

/// Waits for the worker's end, and kills it where it does not come.
fn end(process: &mut Process, heard: &Receiver<Heard>, is_content: bool) -> Exit {
    let clock = RealClock::new();
    let patience = if is_content { FAREWELL } else { FAREWELL / 10 };
    loop {
        if let Some(reaped) = process.try_reap() {
            // Its last lines are read when its standard error closes.
            while let Ok(what) = heard.recv_timeout(FAREWELL / 10) {
                if matches!(what, Heard::StderrClosed) {
                    break;
                }
            }
            return reaped.exit;
        }
        if clock.now() > patience {
            process.kill();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
