//! Questions to policies as they cross: those that are asked about every trial in columns.

use serde::{Deserialize, Serialize};

use super::columns::{Costs, Packed, Table};
use crate::error::{ErrorCode, PluginError};
use crate::genotype::Genotype;
use crate::measurement::Measurements;
use crate::trial::Outcome;
use crate::verdict::{Candidate, Question, Review};

/// Questions of one moment.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Questions {
    /// [`Question::Candidate`] each.
    Candidates(Candidates),
    /// [`Question::Review`] each.
    Reviews(Reviews),
    /// Anything.
    Each(Vec<Question>),
}

/// Candidates whose genotypes have one length.
#[derive(Serialize, Deserialize)]
pub(super) struct Candidates {
    trials: Packed<u64>,
    n_choices: usize,
    genotypes: Packed<u16>,
    costs: Costs,
    operations: Table,
    /// How many parents each has; none where a host does not say so yet.
    #[serde(default)]
    n_parents: Packed<u32>,
    #[serde(default)]
    parents: Packed<u64>,
}

/// Results of such candidates.
#[derive(Serialize, Deserialize)]
pub(super) struct Reviews {
    candidates: Candidates,
    /// Codes.
    outcomes: Packed<u8>,
    measurements: Table,
    /// How many objectives each has.
    n_objectives: Packed<u32>,
    objectives: Packed<f64>,
}

impl Questions {
    pub(super) fn of(questions: &[Question]) -> Self {
        let candidates: Option<Vec<&Candidate>> = all(questions, |question| match question {
            Question::Candidate(candidate) => Some(candidate),
            _ => None,
        });
        if let Some(candidates) = candidates.and_then(|candidates| Candidates::of(&candidates)) {
            return Self::Candidates(candidates);
        }
        let reviews: Option<Vec<&Review>> = all(questions, |question| match question {
            Question::Review(review) => Some(review),
            _ => None,
        });
        match reviews.and_then(|reviews| Reviews::of(&reviews)) {
            Some(reviews) => Self::Reviews(reviews),
            None => Self::Each(questions.to_vec()),
        }
    }

    /// # Errors
    /// Columns that do not fit each other.
    pub(super) fn unpack(self) -> Result<Vec<Question>, PluginError> {
        match self {
            Self::Each(questions) => Ok(questions),
            Self::Candidates(candidates) => {
                let candidates = candidates.unpack()?.into_iter();
                Ok(candidates.map(Question::Candidate).collect())
            }
            Self::Reviews(reviews) => {
                Ok(reviews.unpack()?.into_iter().map(Question::Review).collect())
            }
        }
    }
}

fn all<'a, T>(
    questions: &'a [Question],
    of: impl Fn(&'a Question) -> Option<&'a T>,
) -> Option<Vec<&'a T>> {
    questions.iter().map(of).collect()
}

impl Candidates {
    fn of(candidates: &[&Candidate]) -> Option<Self> {
        let n_choices = candidates.first()?.genotype.0.len();
        if candidates.iter().any(|candidate| candidate.genotype.0.len() != n_choices) {
            return None;
        }
        let counts = candidates.iter().map(|candidate| {
            candidate.operations.iter().map(|(name, &count)| (&**name, f64::from(count)))
        });
        Some(Self {
            trials: candidates.iter().map(|candidate| candidate.trial).collect(),
            n_choices,
            genotypes: candidates.iter().flat_map(|each| &each.genotype.0).copied().collect(),
            costs: candidates.iter().map(|candidate| &candidate.cost).collect(),
            operations: Table::of(counts),
            n_parents: candidates.iter().map(|each| each.parents.len() as u32).collect(),
            parents: candidates.iter().flat_map(|each| &each.parents).copied().collect(),
        })
    }

    fn unpack(self) -> Result<Vec<Candidate>, PluginError> {
        let (n, n_choices) = (self.trials.0.len(), self.n_choices);
        let n_parents: u64 = self.n_parents.0.iter().map(|&n| u64::from(n)).sum();
        let agree = self.genotypes.0.len() == n.saturating_mul(n_choices)
            && self.costs.has(n)
            && self.operations.has(n)
            && [0, n].contains(&self.n_parents.0.len())
            && self.parents.0.len() as u64 == n_parents;
        if !agree {
            return Err(wrong_lengths());
        }
        let mut parents = self.parents.0.iter().copied();
        let candidate = |(index, trial)| Candidate {
            trial,
            genotype: Genotype(self.genotypes.0[index * n_choices..][..n_choices].to_vec()),
            cost: self.costs.get(index),
            operations: self
                .operations
                .row(index)
                .map(|(name, count)| (name.clone(), count as u32))
                .collect(),
            parents: parents
                .by_ref()
                .take(self.n_parents.0.get(index).map_or(0, |&n| n as usize))
                .collect(),
        };
        Ok(self.trials.0.iter().copied().enumerate().map(candidate).collect())
    }
}

impl Reviews {
    fn of(reviews: &[&Review]) -> Option<Self> {
        let candidates: Vec<&Candidate> = reviews.iter().map(|review| &review.candidate).collect();
        let measured = reviews.iter().map(|review| {
            review.measurements.0.iter().map(|(name, &value)| (name.as_str(), value))
        });
        Some(Self {
            candidates: Candidates::of(&candidates)?,
            outcomes: reviews.iter().map(|review| review.outcome as u8).collect(),
            measurements: Table::of(measured),
            n_objectives: reviews.iter().map(|review| review.objectives.len() as u32).collect(),
            objectives: reviews.iter().flat_map(|review| &review.objectives).copied().collect(),
        })
    }

    fn unpack(self) -> Result<Vec<Review>, PluginError> {
        let Self { candidates, outcomes, measurements, n_objectives, objectives } = self;
        let candidates = candidates.unpack()?;
        let n = candidates.len();
        let n_values: u64 = n_objectives.0.iter().map(|&n| u64::from(n)).sum();
        let agree = outcomes.0.len() == n
            && measurements.has(n)
            && n_objectives.0.len() == n
            && objectives.0.len() as u64 == n_values;
        if !agree {
            return Err(wrong_lengths());
        }
        let mut objectives = objectives.0.into_iter();
        let review = |(index, candidate)| Review {
            candidate,
            outcome: Outcome::from_code(outcomes.0[index]),
            measurements: Measurements(
                measurements.row(index).map(|(name, value)| (name.to_string(), value)).collect(),
            ),
            objectives: objectives.by_ref().take(n_objectives.0[index] as usize).collect(),
        };
        Ok(candidates.into_iter().enumerate().map(review).collect())
    }
}

fn wrong_lengths() -> PluginError {
    PluginError::new(ErrorCode::Message, "judge: lengths do not agree")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::cbor::{decode, encode};
    use super::*;
    use crate::measurement::Cost;
    use crate::verdict::Progress;

    fn review(trial: u64, genotype: Vec<u16>, outcome: Outcome) -> Review {
        let cost = Cost { parameters: trial * 1000, depth: 3, ..Cost::default() };
        let names = ["skip_connect", "sep_conv_3x3"];
        let operations: BTreeMap<_, _> =
            names.iter().skip(trial as usize % 3).map(|&name| (name.into(), 2)).collect();
        let (measurements, objectives) = match outcome {
            Outcome::Finished => (Measurements::from([("latency_ms", 0.5)]), vec![0.25, -1.0]),
            _ => (Measurements::default(), Vec::new()),
        };
        let genotype = Genotype(genotype);
        let parents = (1..trial).collect();
        let candidate = Candidate { trial, genotype, cost, operations, parents };
        Review { candidate, outcome, measurements, objectives }
    }

    #[track_caller]
    fn check(questions: &[Question], in_columns: bool) {
        let packed = Questions::of(questions);
        assert_eq!(!matches!(packed, Questions::Each(_)), in_columns);
        let received: Questions = decode(&encode(&packed).unwrap()).unwrap();
        assert_eq!(received.unpack().unwrap(), questions);
    }

    #[test]
    fn questions_come_across_as_they_are() {
        let reviews = [
            review(3, vec![0, 65_535], Outcome::Finished),
            review(4, vec![7, 1], Outcome::OutOfMemory),
            review(5, vec![7, 1], Outcome::Finished),
        ];
        check(&reviews.clone().map(Question::Review), true);
        check(&reviews.clone().map(|review| Question::Candidate(review.candidate)), true);
        let [first, ..] = reviews;
        let other = review(6, vec![1], Outcome::Finished);
        check(&[Question::Review(first.clone()), Question::Review(other)], false);
        check(&[Question::Champion(first), Question::Progress(Progress::default())], false);
        check(&[], false);
    }
}
