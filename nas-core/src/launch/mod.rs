//! From settings to a running search, and back from a run's folder.
//!
//! [`prepare()`] checks everything that can be checked and prepares the data; [`Prepared::start`]
//! and [`resume`] run the search; [`audit()`] reads the holdout once it is over, and
//! [`anchor()`] keeps a copy of the journal's head outside of the run's folder.

mod anchor;
mod approve;
mod audit;
mod controls;
mod holdout;
mod one_shot;
mod preparation;
mod prepare;
mod prepare_benchmark;
mod prepare_inherit;
mod prepare_one_shot;
mod prepare_parts;
mod problem;
mod replay_policies;
mod run_folder;
mod start;
mod stop_watch;

pub use anchor::anchor;
pub use approve::{Decision, approval_request, decide};
pub use audit::audit;
pub use controls::controls;
use prepare::prepare_policies;
pub use prepare::{Prepared, prepare};
pub use prepare_one_shot::PreparedSearch;
pub use problem::Problem;
pub use replay_policies::replay_policies;
pub use run_folder::{RunFolder, RunFolderError};
pub use start::{LaunchError, ResumeChanges, resume};
pub use stop_watch::StopWish;
