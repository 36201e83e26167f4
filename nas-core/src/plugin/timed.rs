//! Calls of a component that end in time, or are given up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nas_plugin_api::error::{ErrorCode, PluginError};

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The component reported an error.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The component did not answer in time; its thread was abandoned.
    #[error("{what}: `{component}` did not answer within {} s", limit.as_secs_f64())]
    TimedOut {
        /// The component.
        component: String,
        /// What it was to do.
        what: &'static str,
        /// How long it had.
        limit: Duration,
    },
    /// The component did not answer an earlier call.
    #[error("{what}: `{component}` is not called any more, since it did not answer before")]
    Abandoned {
        /// The component.
        component: String,
        /// What it was to do.
        what: &'static str,
    },
}

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A component on a thread of its own. A call costs two hand-overs between threads (about 10 µs);
/// the component is created, called and dropped there.
///
/// A component that hangs can't be stopped within its process: the thread is abandoned, together
/// with the component, and goes on until the process ends.
pub struct Timed<T> {
    component: String,
    limit: Duration,
    /// `None` once a call was not answered.
    jobs: Mutex<Option<Sender<Job<T>>>>,
}

impl<T: 'static> Timed<T> {
    /// Creates a component on a thread of its own.
    ///
    /// # Errors
    /// What `create` reports, or that it takes longer than `limit`.
    pub fn create<E: From<CallError> + Send + 'static>(
        component: &str,
        limit: Duration,
        create: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<Self, E> {
        let (jobs, queue) = channel::<Job<T>>();
        let (created, answer) = sync_channel(1);
        thread::Builder::new()
            .name(format!("plugin {component}"))
            .spawn(move || match guarded(create) {
                Ok(Ok(component)) => {
                    // Nobody waits any more where it took too long.
                    let _ = created.send(Ok(()));
                    work(component, &queue);
                }
                Ok(Err(error)) => drop(created.send(Err(error))),
                Err(panic) => drop(created.send(Err(CallError::Plugin(panic).into()))),
            })
            .map_err(|error| {
                CallError::Plugin(PluginError::internal(format!("start a thread: {error}")))
            })?;
        let timed = Self { component: component.to_owned(), limit, jobs: Mutex::new(Some(jobs)) };
        timed.wait(limit, "create", &answer)??;
        Ok(timed)
    }

    /// The component's name.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.component
    }

    /// Calls the component. `what` says what for, as a verb.
    ///
    /// Everything that goes in and comes out is owned, since after a timeout the thread still has
    /// it.
    ///
    /// # Errors
    /// What the component reports; that it took too long; that it did so before.
    pub fn call<R: Send + 'static>(
        &self,
        what: &'static str,
        call: impl FnOnce(&mut T) -> Result<R, PluginError> + Send + 'static,
    ) -> Result<R, CallError> {
        self.call_times(1, what, call)
    }

    /// Several calls of the component for one hand-over; together they have as much time as each
    /// for itself.
    ///
    /// # Errors
    /// Like [`Timed::call`].
    pub fn call_times<R: Send + 'static>(
        &self,
        n_calls: u32,
        what: &'static str,
        call: impl FnOnce(&mut T) -> Result<R, PluginError> + Send + 'static,
    ) -> Result<R, CallError> {
        let (done, answer) = sync_channel(1);
        let job: Job<T> = Box::new(move |component| {
            let result = guarded(|| call(component)).and_then(|result| result);
            // Nobody waits any more where it took too long.
            let _ = done.send(result);
        });
        {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
            if !sent {
                *jobs = None;
                return Err(CallError::Abandoned { component: self.component.clone(), what });
            }
        }
        Ok(self.wait(self.limit.saturating_mul(n_calls), what, &answer)??)
    }

    fn wait<A>(
        &self,
        limit: Duration,
        what: &'static str,
        answer: &Receiver<A>,
    ) -> Result<A, CallError> {
        answer.recv_timeout(limit).map_err(|error| {
            *self.jobs.lock().unwrap_or_else(PoisonError::into_inner) = None;
            let component = self.component.clone();
            match error {
                RecvTimeoutError::Timeout => CallError::TimedOut { component, what, limit },
                RecvTimeoutError::Disconnected => CallError::Abandoned { component, what },
            }
        })
    }
}

/// Does one job after the other until nobody can send any more.
fn work<T>(mut component: T, queue: &Receiver<Job<T>>) {
    while let Ok(job) = queue.recv() {
        job(&mut component);
    }
}

/// Plugins catch their own panics; this catches one in between, so that it is not taken for
/// silence.
fn guarded<R>(call: impl FnOnce() -> R) -> Result<R, PluginError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| {
        PluginError::new(ErrorCode::Panic, "answer: it panicked (the text is in the log)")
    })
}
