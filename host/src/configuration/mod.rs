//! Reading configurations: TOML and `--set` become [`nas_core::settings::Settings`], and everything
//! that is wrong is found at once and shown where it was written.
//!
//! [`read()`] goes through the steps: [`document`] parses and remembers places, [`overrides`] adds
//! what the command line sets, [`check`] compares with the schemas. What needs more than schemas
//! (data, components that refuse each other) is `nas_core::launch::prepare`'s part.

mod budget;
mod check;
mod document;
mod fault;
mod origins;
mod overrides;
mod read;
mod required;
mod strict;

pub(crate) use budget::change_budget;
pub(crate) use fault::{Fault, Faults};
pub(crate) use origins::Source;
pub(crate) use overrides::Override;
pub(crate) use read::{Configuration, of_table, prepare, read, with_policies_of};
pub(crate) use strict::settings_schema;
