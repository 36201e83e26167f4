//! The search loop: ask → gate → evaluate → score → journal → tell.
//!
//! [`Search`] is the loop; each arrow is a file of its own.

mod archive;
mod champion;
mod checkpoints;
mod gate;
mod holdout;
mod observer;
mod order;
mod parts;
mod policies;
mod policy_replay;
mod progress;
mod replay;
mod run;
mod score;
mod state;
mod stop_signal;
mod warm_start;
mod work;

pub use champion::Champion;
pub(crate) use holdout::{END_OF_SEARCH, Read};
pub use holdout::{HoldoutReader, HoldoutReads};
pub use observer::{Observer, Silent};
pub use parts::{Parts, Policy, SearchError};
pub(crate) use policies::{Judgement, judge};
pub use policy_replay::{Objection, replay_policies};
pub(crate) use run::JOURNAL_SECONDS;
pub use run::{Search, Summary};
pub use stop_signal::StopSignal;
pub(crate) use warm_start::begun_warm;
pub use work::{Assignment, Inheriting, KeepWeights, NoTraining, Training, Work};
