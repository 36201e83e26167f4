//! The parts of a search that plugins supply, one trait each.
//!
//! Every component is a plain Rust type that implements its kind's trait and [`Component`], and is
//! listed in the crate's [`crate::export_plugin!`]. The core sees the same traits whether a
//! component is linked in or loaded from a library.
//!
//! Components are **pure**: configuration, seed and history in, answer out. They open no files,
//! read no clock and start no threads; whatever they need is handed to them.

mod benchmark;
mod candidates;
mod configuration;
mod fitness;
mod one_shot_strategy;
mod operation_set;
mod registration;
mod safety_policy;
mod search_space;
mod search_strategy;

pub use benchmark::Benchmark;
pub use configuration::{Configuration, FileField};
pub use fitness::Fitness;
pub use one_shot_strategy::{
    ArchOrder, Command, Edit, Mixture, Need, OneShotPlan, OneShotStrategy, Report, Split,
    TrainingSettings,
};
pub use operation_set::{OperationInfo, OperationSet};
pub use registration::{Component, ComponentInfo, ComponentKind, Constructor, Registration};
pub use safety_policy::SafetyPolicy;
pub use search_space::SearchSpace;
pub use search_strategy::{Ask, SearchStrategy, StrategyContext};
