//! The trait through which the search loop has trials computed.

use std::time::Duration;

use nas_plugin_api::trial::TrialId;

use super::{ExecutorError, Job, Update};

/// Computes trials. A candidate that fails in any way is a [`super::Completion`], not an error.
pub trait Executor: Send {
    /// How many trials it computes at once; more jobs than these wait in it.
    fn capacity(&self) -> usize;

    /// Takes a job. Returns at once; exactly one completion follows, unless [`Self::poll`] fails.
    fn submit(&mut self, job: Job);

    /// Waits until there is something to tell, and returns all of it in the order in which it
    /// happened; empty when nothing did within `timeout`.
    ///
    /// # Errors
    /// When no further trial can be computed. Updates from before are returned first.
    fn poll(&mut self, timeout: Duration) -> Result<Vec<Update>, ExecutorError>;

    /// Ends all attempts of a trial, waiting or running; their completions follow as
    /// [`super::TrialFailure::Stopped`], unless they ended by themselves meanwhile.
    fn cancel(&mut self, trial: TrialId);

    /// Ends everything: workers are asked to end, and killed after `grace`. When it returns, no
    /// process is left. Returns what remains to be told, among it a completion for each job that
    /// had none.
    fn stop_all(&mut self, grace: Duration) -> Vec<Update>;
}
