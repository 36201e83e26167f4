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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Its name in the journal and the reports.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// The worst value that is acceptable: a network beyond it is infeasible, and no answer of a
    /// search. Absent where every value is acceptable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
}

impl Objective {
    /// An objective that is better when larger.
    #[must_use]
    pub fn maximize(name: &str) -> Self {
        Self { name: name.to_owned(), direction: Direction::Maximize, limit: None }
    }

    /// An objective that is better when smaller.
    #[must_use]
    pub fn minimize(name: &str) -> Self {
        Self { name: name.to_owned(), direction: Direction::Minimize, limit: None }
    }

    /// The same objective, of which this is the worst value that is acceptable.
    #[must_use]
    pub fn with_limit(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// `value` turned so that larger is better.
    #[must_use]
    pub fn gain(&self, value: f64) -> f64 {
        match self.direction {
            Direction::Maximize => value,
            Direction::Minimize => -value,
        }
    }
    /// How far `value` is beyond the limit, as a share of the limit; 0 within it.
    #[must_use]
    pub fn violation(&self, value: f64) -> f64 {
        let Some(limit) = self.limit else { return 0.0 };
        let beyond = self.gain(limit) - self.gain(value);
        if beyond > 0.0 { beyond / limit.abs().max(f64::MIN_POSITIVE) } else { 0.0 }
    }
}

/// How far values, one for each objective, are beyond all limits together; 0 where they are
/// feasible.
#[must_use]
pub fn violation(objectives: &[Objective], values: &[f64]) -> f64 {
    objectives.iter().zip(values).map(|(objective, &value)| objective.violation(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_limit_lies_on_its_worse_side() {
        let fast = Objective::minimize("latency_ms").with_limit(4.0);
        assert_eq!([3.0, 4.0, 6.0].map(|value| fast.violation(value)), [0.0, 0.0, 0.5]);
        let good = Objective::maximize("accuracy").with_limit(0.5);
        assert_eq!([0.25, 0.5, 0.9].map(|value| good.violation(value)), [0.5, 0.0, 0.0]);
        assert_eq!(violation(&[good, fast], &[0.25, 6.0]), 1.0);
        assert_eq!(Objective::maximize("free").violation(f64::NEG_INFINITY), 0.0);
    }
}
