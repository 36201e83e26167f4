//! The plugin loader on real libraries, most of which misbehave (`tests/fixtures`).

mod broken_files;
mod built_elsewhere;
mod faults;
mod fixture;
mod interface_age;
mod isolated;
mod layout;
mod probe;
mod registry;
mod timed;
