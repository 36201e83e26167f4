//! Worker processes on this machine.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use nas_plugin_api::trial::TrialId;

use super::overseer::{Message, Overseer, Told};
use super::{Executor, ExecutorError, Job, LocalOptions, Update};

/// The environment variable that names the worker's program.
const WORKER_VARIABLE: &str = "NAS_WORKER";

/// Computes trials in worker processes that live from trial to trial.
///
/// Workers start when there is work for them. A trial that passes a hard limit, or whose worker
/// dies, is a completion; the worker is replaced. Each processor second of a worker is charged
/// once, to a trial or as overhead, as the kernel counted it.
///
/// # What ends with the supervisor
/// Dropped or stopped: every worker, and every process in a worker's process group. Killed with
/// SIGKILL: the same, through the kernel's parent-death signal for the workers and through a guard
/// process for their children. A process that left the group of its worker (`setsid`) would be out
/// of reach; within [`WorkerBounds`](super::WorkerBounds), a worker can't start any.
#[derive(Debug)]
pub struct LocalExecutor {
    capacity: usize,
    messages: Sender<Message>,
    told: Receiver<Told>,
    overseer: Option<JoinHandle<()>>,
    /// What is to be told after the updates that came before it.
    failure: Option<ExecutorError>,
}

impl LocalExecutor {
    /// An executor without any worker yet.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(options: LocalOptions) -> Result<Self, ExecutorError> {
        let capacity = options.workers.max(1);
        let options = LocalOptions { workers: capacity, ..options };
        let (messages, received) = channel();
        let (tell, told) = channel();
        let own_messages = messages.clone();
        let program = options.program.clone();
        let overseer = std::thread::Builder::new()
            .name("nas-overseer".to_owned())
            .spawn(move || Overseer::new(options, received, own_messages, tell).run())
            .map_err(|source| ExecutorError::Start { path: program, source })?;
        Ok(Self { capacity, messages, told, overseer: Some(overseer), failure: None })
    }

    /// An overseer that is gone has told why.
    fn send(&self, message: Message) {
        let _ = self.messages.send(message);
    }
}

impl Executor for LocalExecutor {
    fn capacity(&self) -> usize {
        self.capacity
    }

    fn submit(&mut self, job: Job) {
        self.send(Message::Submit(Box::new(job)));
    }

    fn poll(&mut self, timeout: Duration) -> Result<Vec<Update>, ExecutorError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut updates = match self.told.recv_timeout(timeout) {
            Ok(told) => told?,
            Err(RecvTimeoutError::Timeout) => return Ok(Vec::new()),
            Err(RecvTimeoutError::Disconnected) => return Err(ExecutorError::Stopped),
        };
        while let Ok(told) = self.told.try_recv() {
            match told {
                Ok(more) => updates.extend(more),
                Err(failure) => self.failure = Some(failure),
            }
        }
        Ok(updates)
    }

    fn cancel(&mut self, trial: TrialId) {
        self.send(Message::Cancel(trial));
    }

    fn stop_all(&mut self, grace: Duration) -> Vec<Update> {
        self.send(Message::Stop { grace });
        if let Some(overseer) = self.overseer.take() {
            // Its panic would be a mistake of ours; the workers end with its thread all the same.
            let _ = overseer.join();
        }
        self.told.try_iter().filter_map(Result::ok).flatten().collect()
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        self.stop_all(Duration::ZERO);
    }
}

/// Where the worker's program is: what `NAS_WORKER` names, or `nas-worker` beside this program.
///
/// # Errors
/// [`ExecutorError::NoWorker`] when there is no such file.
pub fn worker_program() -> Result<PathBuf, ExecutorError> {
    let path = match std::env::var_os(WORKER_VARIABLE) {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()
            .ok()
            .as_deref()
            .and_then(Path::parent)
            .map_or_else(|| PathBuf::from("nas-worker"), |folder| folder.join("nas-worker")),
    };
    match path.is_file() {
        true => Ok(path),
        false => Err(ExecutorError::NoWorker { path }),
    }
}
