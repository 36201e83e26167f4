//! Trainings that can go on.

use std::collections::BTreeMap;

use nas_plugin_api::template::CanonicalHash;
use nas_plugin_api::trial::{Proposal, TrialId};

/// Checkpoints of trials, which others may go on from.
#[derive(Default)]
pub(super) struct Checkpoints {
    kept: BTreeMap<TrialId, Checkpoint>,
    /// Trials whose files are not needed any more, to be removed once that is journalled.
    used_up: Vec<TrialId>,
}

/// A checkpoint of a network.
#[derive(Clone)]
struct Checkpoint {
    /// The trial that wrote it.
    writer: TrialId,
    sha256: String,
    network: CanonicalHash,
}

impl Checkpoints {
    /// A trial kept one.
    pub(super) fn keep(&mut self, trial: TrialId, sha256: &str, network: CanonicalHash) {
        let checkpoint = Checkpoint { writer: trial, sha256: sha256.to_owned(), network };
        self.kept.insert(trial, checkpoint);
    }

    /// A trial got the result of another one, and with it its checkpoint.
    pub(super) fn share(&mut self, trial: TrialId, first: TrialId) {
        if let Some(checkpoint) = self.kept.get(&first).cloned() {
            self.kept.insert(trial, checkpoint);
        }
    }

    /// The checkpoint that a proposal goes on from: who wrote it, and its sha256.
    pub(super) fn of(&self, proposal: &Proposal) -> Option<(TrialId, &str)> {
        let checkpoint = self.kept.get(&proposal.details.continue_from?)?;
        Some((checkpoint.writer, &checkpoint.sha256))
    }

    /// Says why a proposal of a network can't go on from where it wants to.
    pub(super) fn refusal(&self, proposal: &Proposal, network: CanonicalHash) -> Option<String> {
        let from = proposal.details.continue_from?;
        match self.kept.get(&from) {
            None => Some(format!("trial {from} has no checkpoint to go on from")),
            Some(checkpoint) if checkpoint.network != network => {
                Some(format!("trial {from}, which it is to go on from, is another network"))
            }
            Some(_) => None,
        }
    }

    /// A trial that went on from a checkpoint has its result: nobody needs the checkpoint again.
    pub(super) fn continued(&mut self, proposal: &Proposal) {
        if let Some((writer, _)) = self.of(proposal) {
            self.kept.retain(|_, checkpoint| checkpoint.writer != writer);
            self.used_up.push(writer);
        }
    }

    /// No trial follows any more.
    pub(super) fn give_up(&mut self) {
        self.used_up.extend(self.kept.values().map(|checkpoint| checkpoint.writer));
        self.kept.clear();
    }

    /// Trials whose files may go.
    pub(super) fn take_used_up(&mut self) -> Vec<TrialId> {
        std::mem::take(&mut self.used_up)
    }
}
