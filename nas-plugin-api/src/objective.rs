//! Objectives: what a search makes large or small.

use serde::{Deserialize, Serialize};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Larger is better.
    Maximize,
    /// Smaller is better.
    Minimize,
}

/// One number that a fitness function computes for every trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// Its name in the journal and the reports.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
}

impl Objective {
    /// An objective that is better when larger.
    #[must_use]
    pub fn maximize(name: &str) -> Self {
        Self { name: name.to_owned(), direction: Direction::Maximize }
    }

    /// An objective that is better when smaller.
    #[must_use]
    pub fn minimize(name: &str) -> Self {
        Self { name: name.to_owned(), direction: Direction::Minimize }
    }

    /// `value` turned so that larger is better.
    #[must_use]
    pub fn gain(&self, value: f64) -> f64 {
        match self.direction {
            Direction::Maximize => value,
            Direction::Minimize => -value,
        }
    }
}
