//! An organisation's policy: one file that holds for every search, whatever a run's own
//! configuration says.
//!
//! [`Organisation::in_force`] finds the file and checks its signature, [`Rules`] is what it says,
//! and [`Organisation::check`] compares a run's settings with it: they may be stricter, and each
//! attempt to be looser is named with both values. What it is not: protection against somebody who
//! can change the program, the file, or the environment that names it.

mod compare;
mod compare_data;
mod error;
mod find;
mod rules;
mod signature;

pub use error::OrganisationError;
pub use find::{FoundBy, Organisation, PolicyPlaces};
pub use rules::{
    ApprovalRules, BudgetCaps, DataRules, ExportRules, HoldoutRules, OperationRules, PluginRules,
    Rules, StopRules,
};
