//! One-shot searches: a supernet is trained in a worker, epoch by epoch, and what is derived from it
//! is trained like any trial.
//!
//! [`OneShotSearch`] is the supervisor's side of the first half, [`listed()`] makes the strategy of the
//! second; [`OneShotParts`] and [`signals`] are for the worker. The messages are those of
//! [`crate::protocol::one_shot`].

mod checkpoints;
mod ending;
mod listed;
mod parts;
mod paths;
mod review;
mod run;
mod settings;
pub mod signals;

pub use checkpoints::{checkpoint_folder, search_log};
pub use listed::{listed, n_derived};
pub use parts::{OneShotParts, PartsError};
pub use paths::choice_paths;
pub(crate) use review::EpochJudge;
pub use run::{OneShotSearch, SearchOutcome, make_checkpoint_folder};
pub use settings::{PathCost, SupernetSettings};
