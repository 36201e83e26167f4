//! Strategies on benchmarks: many searches in memory, without journal, processes or policies.
//!
//! A benchmark is asked once for everything that its space has ([`Answers`]); a search is then a
//! loop of looking up and adding seconds, so that hundreds of seeds take seconds. Strategies are the
//! same components as in a real search, behind the same interface. Nothing here measures a machine:
//! the time of a search is what the benchmark says that evaluations would have taken.

mod answers;
mod error;
mod plan;
mod seed_run;
mod standing;
mod statistics;
mod stopwatch;
mod study;
mod tradeoffs;
mod untrained;

pub use answers::{Answer, Answers, Oracle};
pub use error::BenchError;
pub use plan::{Plan, Unit};
pub use seed_run::{Found, SeedRun};
pub use statistics::{Quantiles, Spread};
pub use study::{Study, run};
pub use tradeoffs::{Front, Tradeoffs};
pub use untrained::Untrained;
