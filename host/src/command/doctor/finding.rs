//! What was found, and what to do about it.

use crate::output::style::{ERROR, LITERAL, WARNING, paint};

/// What was found.
pub(super) enum Finding {
    /// It is as it should be.
    Good(String),
    /// A search runs, but something is less than it could be; the second text says what to do.
    Poor(String, String),
    /// No search runs; the second text says what to do.
    Bad(String, String),
}

impl Finding {
    /// A word for how good it is, of four letters.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Good(_) => paint(LITERAL, "ok  "),
            Self::Poor(..) => paint(WARNING, "note"),
            Self::Bad(..) => paint(ERROR, "FAIL"),
        }
    }

    /// What was found.
    pub(super) fn found(&self) -> &str {
        match self {
            Self::Good(found) | Self::Poor(found, _) | Self::Bad(found, _) => found,
        }
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> Option<&str> {
        match self {
            Self::Good(_) => None,
            Self::Poor(_, advice) | Self::Bad(_, advice) => Some(advice),
        }
    }

    /// Whether no search runs.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self, Self::Bad(..))
    }
}
