//! Genotypes: one complete choice, as data.

use serde::{Deserialize, Serialize};

/// One value for every choice of a template, in the template's order; each value is a position
/// among that choice's options ([`crate::template::Choice`]).
///
/// The vector alone says nothing without its template; [`crate::template::Space::text`] gives
/// the form that people read and paste.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Genotype(pub Vec<u16>);

impl From<Vec<u16>> for Genotype {
    fn from(values: Vec<u16>) -> Self {
        Self(values)
    }
}
