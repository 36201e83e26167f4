//! The worker process: requests in, events out, one trial at a time.
//!
//! Nothing outlives the supervisor. A thread of its own reads the pipe, so its end is noticed in
//! the middle of a trial too, and ends the process at once.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use nas_core::digest::sha256_of;
use nas_core::protocol::one_shot::{OneShotJob, Order, SearchFailure};
use nas_core::protocol::{AuditJob, Event, Failure, Request, Setup, TrialJob, Usage, frame};
use nas_plugin_api::measurement::{EpochRecord, Measurements, names};
use nas_plugin_api::trial::TrialId;
use tch::Device;

use crate::allocator;
use crate::data::{self, Split};
use crate::limits::{Watch, cpu_time, resident_bytes};
use crate::one_shot::{self, SearchError, Splits, Supervisor};
use crate::pixels::Pixels;
use crate::trial;
use crate::trial_error::TrialError;
use crate::trial_log::TrialLog;

/// Serves requests from standard input until it closes.
///
/// Events go to what was standard output; from here on everything that libtorch or a panic prints
/// to standard output goes to standard error instead, so it can't be mistaken for an event.
///
/// # Errors
/// What a pipe says. That the supervisor closed it is no error.
pub fn serve() -> io::Result<()> {
    // The pipe is watched as well; this also covers a supervisor whose pipe a grandchild holds.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let events = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    allocator::keep_freed_memory();
    let (requests, life) = read_requests(io::stdin());
    let mut worker = Worker { events: File::from(events), stage: None };
    while let Ok(request) = requests.recv() {
        life.start_work();
        let request = request?;
        let last = matches!(request, Request::Prepare(_));
        let answer = match request {
            Request::SearchOneShot(job) => worker.search(&job, &requests),
            other => worker.obey(other),
        };
        // Before the answer: a supervisor that closes the pipe on it finds an idle worker.
        life.end_work();
        frame::write(&mut worker.events, &answer)?;
        if last {
            break;
        }
    }
    Ok(())
}

/// Whether a request is being worked on, and whether the supervisor still listens.
#[derive(Debug, Default)]
struct Life {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    working: bool,
    abandoned: bool,
}

impl Life {
    fn start_work(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.abandoned {
            end_process();
        }
        state.working = true;
    }

    fn end_work(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).working = false;
    }

    fn abandon(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.working {
            end_process();
        }
        state.abandoned = true;
    }
}

/// Ends this process at once. Not `exit`: that would run libtorch's destructors while another
/// thread computes.
fn end_process() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

fn read_requests(
    mut pipe: impl Read + Send + 'static,
) -> (Receiver<io::Result<Request>>, Arc<Life>) {
    let (sender, receiver) = channel();
    let life = Arc::new(Life::default());
    let watched = Arc::clone(&life);
    std::thread::spawn(move || {
        while let Some(request) = frame::read(&mut pipe).transpose() {
            let failed = request.is_err();
            if sender.send(request).is_err() || failed {
                break;
            }
        }
        watched.abandon();
    });
    (receiver, life)
}

struct Worker {
    events: File,
    stage: Option<Stage>,
}

/// What a worker holds between trials.
struct Stage {
    train: Option<Pixels>,
    evaluation: Pixels,
    device: Device,
}

impl Worker {
    /// Does what is asked; epochs are told at once, the answer is returned.
    fn obey(&mut self, request: Request) -> Event {
        match request {
            Request::Prepare(request) => match data::prepare(&request) {
                Ok(summary) => Event::Prepared(summary),
                Err(error) => Event::Refused { message: error.to_string() },
            },
            Request::Setup(setup) => match Stage::set_up(&setup) {
                Ok(stage) => {
                    let device = describe(stage.device, setup.threads);
                    self.stage = Some(stage);
                    let cpu_seconds = cpu_time().as_secs_f64();
                    Event::Ready { device, libtorch: LIBTORCH_VERSION.into(), cpu_seconds }
                }
                Err(message) => Event::Refused { message },
            },
            Request::Evaluate(job) => self.evaluate(&job),
            Request::Audit(job) => self.audit(&job),
            Request::SearchOneShot(_) | Request::Proceed(_) => {
                Event::Refused { message: "no search is running".to_owned() }
            }
        }
    }

    fn evaluate(&mut self, job: &TrialJob) -> Event {
        let mut log = TrialLog::open(&job.log);
        let TrialJob { trial, attempt, epochs, seed, .. } = job;
        log.line(&format!("trial {trial}, attempt {attempt}: {epochs} epochs, seed {seed}"));
        let Some(stage) = &self.stage else { return not_set_up(*trial) };
        if job.needs.iter().any(|need| need == names::PEAK_MEMORY_BYTES)
            || resident_bytes() > job.memory_bytes / 4
        {
            allocator::give_back_freed_memory();
        }
        let mut watch = Watch::start(job.cpu_seconds, job.memory_bytes, stage.device.is_cuda());
        let events = &mut self.events;
        let result = guarded(|| {
            let mut train = Cow::Borrowed(stage.train.as_ref().ok_or(TrialError::NoTrainingSplit)?);
            if job.shuffles_labels {
                train.to_mut().shuffle_labels(*seed);
            }
            let mut tell = |record: EpochRecord| {
                log.line(&epoch_line(&record));
                let event = Event::Epoch { trial: *trial, record };
                frame::write(events, &event).map_err(TrialError::Pipe)
            };
            trial::run(job, &train, &stage.evaluation, stage.device, &mut watch, &mut tell)
        });
        let result = result.and_then(|measurements| {
            let kept = job.keep_checkpoint.as_deref().map(sha256_of).transpose();
            let message = |error: io::Error| format!("read the checkpoint that was kept: {error}");
            let gone = |error| Gone { failure: Failure::Error, message: message(error) };
            Ok((measurements, kept.map_err(gone)?))
        });
        answer(*trial, result, &watch, &mut log)
    }

    fn search(&mut self, job: &OneShotJob, requests: &Receiver<io::Result<Request>>) -> Event {
        let mut log = TrialLog::open(&job.log);
        let on_gpu = self.stage.as_ref().is_some_and(|stage| stage.device.is_cuda());
        let mut watch = Watch::start(job.cpu_seconds, job.memory_bytes, on_gpu);
        let mut supervisor = Pipes { events: &mut self.events, requests, log: &mut log };
        let stage = self.stage.as_ref();
        let result = catch(|| {
            let train = stage.and_then(|stage| stage.train.as_ref());
            let (Some(stage), Some(train)) = (stage, train) else {
                return Err(SearchError::NoTrainingSplit);
            };
            let splits = Splits { train, validation: &stage.evaluation };
            one_shot::search(job, splits, stage.device, &mut watch, &mut supervisor)
        });
        let failed = match result {
            Ok(Ok(found)) => return Event::SearchFinished(found),
            Ok(Err(error)) => (error.failure(), error.component(), error.to_string()),
            Err(message) => (Failure::Error, None, message),
        };
        let (failure, component, message) = failed;
        log.line(&format!("failed: {message}"));
        let usage = watch.usage();
        Event::SearchFailed(SearchFailure { failure, component, message, usage })
    }

    fn audit(&mut self, job: &AuditJob) -> Event {
        let Some(stage) = &self.stage else { return not_set_up(job.trial) };
        let mut watch = Watch::start(f64::INFINITY, u64::MAX, stage.device.is_cuda());
        let result = guarded(|| trial::audit(job, &stage.evaluation, stage.device, &mut watch));
        let result = result.map(|measurements| (measurements, None));
        answer(job.trial, result, &watch, &mut TrialLog::none())
    }
}

fn answer(
    trial: TrialId,
    result: Result<(Measurements, Option<String>), Gone>,
    watch: &Watch,
    log: &mut TrialLog,
) -> Event {
    let usage = watch.usage();
    match result {
        Ok((measurements, checkpoint)) => {
            let seconds = usage.cpu_seconds;
            log.line(&format!("finished after {seconds:.1} processor seconds"));
            Event::Finished { trial, measurements, usage, checkpoint }
        }
        Err(Gone { failure, message }) => {
            log.line(&format!("failed: {message}"));
            Event::Failed { trial, failure, message, usage }
        }
    }
}

fn not_set_up(trial: TrialId) -> Event {
    let message = "the worker was not set up".to_owned();
    Event::Failed { trial, failure: Failure::Error, message, usage: Usage::default() }
}

impl Stage {
    fn set_up(setup: &Setup) -> Result<Self, String> {
        let device = parse_device(&setup.device)?;
        tch::set_num_threads(i32::try_from(setup.threads.max(1)).unwrap_or(1));
        tch::set_num_interop_threads(1);
        let read =
            |path: &Path| Split::read(path).map(Pixels::from).map_err(|error| error.to_string());
        Ok(Self {
            train: setup.train.as_deref().map(read).transpose()?,
            evaluation: read(&setup.evaluation)?,
            device,
        })
    }
}

/// The version that tch 0.26 links; torch-sys refuses any other.
const LIBTORCH_VERSION: &str = "2.13.0";

fn parse_device(name: &str) -> Result<Device, String> {
    let index = match name.split_once(':') {
        None if name == "cpu" => return Ok(Device::Cpu),
        None if name == "cuda" => Some(0),
        Some(("cuda", index)) => index.parse::<usize>().ok(),
        _ => None,
    };
    let Some(index) = index else {
        return Err(format!("unknown device `{name}` (known: cpu, cuda, cuda:N)"));
    };
    match usize::try_from(tch::Cuda::device_count()).unwrap_or(0) {
        0 => Err(format!(
            "device `{name}`: this libtorch sees no GPU; use `cpu`, or build with \
             LIBTORCH_USE_PYTORCH=1 and a PyTorch for CUDA"
        )),
        n_devices if index < n_devices => Ok(Device::Cuda(index)),
        n_devices => Err(format!("device `{name}`: there are {n_devices} GPUs, counted from 0")),
    }
}

fn describe(device: Device, threads: usize) -> String {
    match device {
        Device::Cuda(index) => format!("GPU {index}"),
        _ if threads == 1 => "processor, 1 thread".to_owned(),
        _ => format!("processor, {threads} threads"),
    }
}

fn epoch_line(record: &EpochRecord) -> String {
    let EpochRecord { epoch, learning_rate, train_loss, train_accuracy, .. } = record;
    let validation = record
        .validation_accuracy
        .map(|accuracy| format!(", validation accuracy {accuracy:.4}"))
        .unwrap_or_default();
    format!(
        "epoch {epoch}: loss {train_loss:.4}, accuracy {train_accuracy:.4}, learning rate \
         {learning_rate:.5}{validation}"
    )
}

/// Why there are no measurements.
struct Gone {
    failure: Failure,
    message: String,
}

/// Runs a trial so that nothing in it, a panic included, ends the worker.
fn guarded(trial: impl FnOnce() -> Result<Measurements, TrialError>) -> Result<Measurements, Gone> {
    match catch(trial) {
        Ok(Ok(measurements)) => Ok(measurements),
        Ok(Err(error)) => Err(Gone { failure: error.failure(), message: error.to_string() }),
        Err(message) => Err(Gone { failure: Failure::Error, message }),
    }
}

/// Runs something; a panic becomes its message.
fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        format!("the worker panicked: {text}")
    })
}

/// The supervisor of a one-shot search, at the other end of the pipes.
struct Pipes<'a> {
    events: &'a mut File,
    requests: &'a Receiver<io::Result<Request>>,
    log: &'a mut TrialLog,
}

impl Supervisor for Pipes<'_> {
    fn tell(&mut self, event: Event) -> io::Result<()> {
        frame::write(self.events, &event)
    }

    fn order(&mut self) -> io::Result<Order> {
        match self.requests.recv().map_err(io::Error::other)?? {
            Request::Proceed(order) => Ok(order),
            _ => Err(io::Error::other("another request than to proceed")),
        }
    }

    fn log(&mut self, line: &str) {
        self.log.line(line);
    }
}
