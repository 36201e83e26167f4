//! Choices and what can be chosen.

use serde::{Deserialize, Serialize};

/// One decision that a genotype makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Path-like id (`normal/edge_0_2`), the same at every scale: letters, digits and `_-/.`.
    pub id: String,
    /// What can be chosen.
    pub options: Options,
}

/// The options of a choice. A genotype stores a position among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Options {
    /// Between `min` and `max` of the candidate operations; all subsets of one size before those
    /// of the next, each size in lexicographic order of positions.
    Operation {
        /// Names of operations, in the mixture's order.
        candidates: Vec<String>,
        /// Positions of candidates that take part in a supernet's mixture but in no genotype
        /// (`none` in the DARTS space).
        #[serde(default)]
        search_only: Vec<usize>,
        /// Fewest operations, usually 1.
        min: usize,
        /// Most operations, usually 1.
        max: usize,
    },
    /// Between `min` and `max` of `n` inputs, ordered like the operations.
    Inputs {
        /// Number of inputs to choose from.
        n: usize,
        /// Fewest inputs.
        min: usize,
        /// Most inputs.
        max: usize,
    },
    /// How many repeats, in rising order; one option for each input of the depth nodes.
    Depth {
        /// The numbers of repeats.
        repeats: Vec<usize>,
    },
    /// A number of channels or features, in rising order.
    Width {
        /// The numbers.
        values: Vec<usize>,
    },
}

/// What every genotype must satisfy besides the ranges of its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Constraint {
    /// The number of choices that select an operation, counting those that matter only.
    Count {
        /// The operation's name.
        operation: String,
        /// Ids of the choices begin with this; empty means all.
        #[serde(default)]
        prefix: String,
        /// Fewest.
        #[serde(default)]
        min: usize,
        /// Most; absent means no limit.
        #[serde(default)]
        max: Option<usize>,
    },
}

/// Most options that one choice may have: a genotype stores 16-bit positions.
pub(super) const MAX_OPTIONS: usize = 1 << 16;

impl Options {
    /// What each option selects: positions of candidates or inputs, or one position of a number.
    ///
    /// `None` if there are no options or too many.
    pub(super) fn selections(&self) -> Option<Vec<Vec<usize>>> {
        match self {
            Self::Operation { candidates, search_only, min, max } => {
                let positions: Vec<usize> = (0..candidates.len())
                    .filter(|position| !search_only.contains(position))
                    .collect();
                subsets(&positions, *min, *max)
            }
            Self::Inputs { n, min, max } => subsets(&(0..*n).collect::<Vec<_>>(), *min, *max),
            Self::Depth { repeats: numbers } | Self::Width { values: numbers } => {
                let rising = numbers.windows(2).all(|pair| pair[0] < pair[1]);
                let usable = rising && (1..=MAX_OPTIONS).contains(&numbers.len());
                usable.then(|| (0..numbers.len()).map(|position| vec![position]).collect())
            }
        }
    }

    /// The word for one selection, as the genotype's text has it.
    pub(super) fn word(&self, selection: &[usize]) -> String {
        let join = |words: Vec<String>| match words.is_empty() {
            true => "-".to_owned(),
            false => words.join("+"),
        };
        match self {
            Self::Operation { candidates, .. } => {
                join(selection.iter().map(|&position| candidates[position].clone()).collect())
            }
            Self::Inputs { .. } => join(selection.iter().map(usize::to_string).collect()),
            Self::Depth { repeats: numbers } | Self::Width { values: numbers } => {
                join(selection.iter().map(|&position| numbers[position].to_string()).collect())
            }
        }
    }
}

/// All subsets of `positions` with `min..=max` members, small ones first, each size in
/// lexicographic order.
fn subsets(positions: &[usize], min: usize, max: usize) -> Option<Vec<Vec<usize>>> {
    let mut found: Vec<Vec<usize>> = Vec::new();
    if min > max {
        return None;
    }
    for size in min..=max.min(positions.len()) {
        let mut picks: Vec<usize> = (0..size).collect();
        loop {
            found.push(picks.iter().map(|&pick| positions[pick]).collect());
            if found.len() > MAX_OPTIONS {
                return None;
            }
            let Some(place) =
                (0..size).rev().find(|&place| picks[place] < positions.len() - size + place)
            else {
                break;
            };
            picks[place] += 1;
            for behind in place + 1..size {
                picks[behind] = picks[behind - 1] + 1;
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(n: usize, min: usize, max: usize, expected: &str) {
        let options = Options::Inputs { n, min, max };
        let words: Vec<String> = options
            .selections()
            .unwrap_or_default()
            .iter()
            .map(|selection| options.word(selection))
            .collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn subsets_come_small_first_and_in_order() {
        check(3, 1, 1, "0 1 2");
        check(4, 2, 2, "0+1 0+2 0+3 1+2 1+3 2+3");
        check(3, 0, 2, "- 0 1 2 0+1 0+2 1+2");
        check(2, 2, 5, "0+1");
        check(1, 2, 2, "");
        check(40, 20, 20, "");
    }
}
