//! In which order trials are asked and told.

use nas_plugin_api::trial::TrialId;

use super::state::{Open, Stage, State};

/// How asks and tells are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As trials end: every worker is kept busy.
    AsTheyEnd,
    /// Trial n is asked after exactly the trials up to n − W were told, W being the number of
    /// workers, and trials are told by number; so the order does not depend on how fast each is.
    ByNumber {
        /// W
        workers: u64,
    },
}

impl Order {
    /// The trials to tell now.
    pub(super) fn to_tell(self, state: &State, waiting: bool) -> Vec<TrialId> {
        match self {
            Self::AsTheyEnd => state.ended.iter().copied().collect(),
            // One at a time, and only if the next ask is not due before.
            Self::ByNumber { .. } if !waiting && self.slots(state, waiting, usize::MAX) > 0 => {
                Vec::new()
            }
            Self::ByNumber { .. } => match state.open.first_key_value() {
                Some((&trial, Open { stage: Stage::Ended(_), .. })) => vec![trial],
                _ => Vec::new(),
            },
        }
    }

    /// How many proposals to ask for now, `free` being how many could be dispatched.
    pub(super) fn slots(self, state: &State, waiting: bool, free: usize) -> usize {
        if waiting || state.done.is_some() || state.stop.is_some() {
            return 0;
        }
        match self {
            Self::AsTheyEnd => free.saturating_sub(state.queue.len()),
            Self::ByNumber { workers } => {
                let due = (state.next_trial + 1).saturating_sub(workers);
                usize::from(state.n_told >= due)
            }
        }
    }
}
