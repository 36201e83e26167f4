//! The journal: what it keeps, what it refuses, and what survives a crash.

mod append;
mod bad_files;
mod dropped_writes;
mod event_json;
mod history;
mod kill;
pub(crate) mod samples;
mod search_history;
mod throughput;
mod vfs;
