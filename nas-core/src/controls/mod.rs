//! Controls of a result, once a search is over: trainings that say how much of it is luck.
//!
//! Each is reserved and charged like a trial, and none begins that the budget does not cover. Their
//! networks are never proposed, told or crowned: a control can't become the answer that it checks.

mod plan;
mod run;

pub use plan::{Planned, planned};
pub use run::Controls;
pub(crate) use run::cut_off;
