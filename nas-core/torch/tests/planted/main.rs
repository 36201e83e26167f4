//! Planted problems: searches whose answer is known, trained for real on the real supernet.
//!
//! [`problem`] says what is planted and why nothing else can be right; [`recovery`] holds every
//! one-shot strategy to it, with the settings of [`settings`]; [`random`] is what chance finds at
//! the same cost; [`margin`] measures how much a planted operation is worth; in [`collapse`] skip
//! connections win though they are worse, and the collapse guard has to see it.

#![expect(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod collapse;
mod margin;
mod operations;
mod problem;
mod random;
mod recovery;
mod run;
mod settings;
mod space;
mod trial;

// Linked, so that their components are found in this program.
use strategy_darts as _;
use strategy_sampling as _;

nas_plugin_api::export_plugin! {
    operations: [operations::PlantedOperations],
    spaces: [space::PlantedSpace],
}
