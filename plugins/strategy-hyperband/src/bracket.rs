//! One run of successive halving.

use nas_plugin_api::trial::{Fidelity, Proposal, Trial};

use crate::rung::{Entry, promote};

/// Genotypes that are weeded out level by level, each level waiting for the one below.
#[derive(Debug)]
pub(crate) struct Bracket {
    /// Epochs of its levels and how many genotypes each has, the lowest first; those left to do.
    levels: Vec<(u32, usize)>,
    /// Genotypes of the present level that were not proposed yet: new ones to be drawn, or these.
    to_draw: usize,
    promoted: Vec<Entry>,
    running: Vec<Proposal>,
    finished: Vec<Entry>,
}

/// What a bracket has to do.
pub(crate) enum Next {
    /// Begin a new genotype with so many epochs.
    Draw(u32),
    /// Go on with one.
    Promotion(Entry, u32),
    /// Nothing until a running trial is told.
    Wait,
    /// It is over.
    Over,
}

impl Bracket {
    /// The bracket with these levels, of which the lowest one is where it begins; the more levels
    /// there are, the more genotypes.
    ///
    /// # Source
    /// Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar. Hyperband. JMLR 18, 2018, algorithm 1: of
    /// `s + 1` levels, `⌈(s_max + 1) / (s + 1) · η^s⌉` genotypes begin.
    pub(crate) fn new(levels: &[u32], n_all_levels: usize, factor: u32) -> Self {
        let shares = (n_all_levels as f64 / levels.len() as f64)
            * f64::from(factor).powi(levels.len() as i32 - 1);
        let n = shares.ceil() as usize;
        let sizes = (0..levels.len()).map(|level| n / (factor as usize).pow(level as u32));
        let levels: Vec<(u32, usize)> =
            levels.iter().copied().zip(sizes.map(|size| size.max(1))).collect();
        Self {
            to_draw: levels[0].1,
            levels,
            promoted: Vec::new(),
            running: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// What to do next.
    pub(crate) fn next(&mut self) -> Next {
        let Some(&(epochs, _)) = self.levels.first() else { return Next::Over };
        if self.to_draw > 0 {
            self.to_draw -= 1;
            return Next::Draw(epochs);
        }
        if let Some(entry) = self.promoted.pop() {
            return Next::Promotion(entry, epochs);
        }
        if !self.running.is_empty() {
            return Next::Wait;
        }
        self.levels.remove(0);
        let mut finished = std::mem::take(&mut self.finished);
        let n = self.levels.first().map_or(0, |&(_, n)| n);
        self.promoted = promote(&mut finished, n, n);
        // The best goes first.
        self.promoted.reverse();
        match self.promoted.is_empty() {
            true => {
                self.levels.clear();
                Next::Over
            }
            false => self.next(),
        }
    }

    /// A proposal of it is on its way.
    pub(crate) fn begin(&mut self, proposal: &Proposal) {
        self.running.push(proposal.clone());
    }

    /// Takes the end of a trial, if it is one of its own.
    pub(crate) fn take(&mut self, trial: &Trial, entry: &Entry) -> bool {
        let is_same = |own: &Proposal| {
            own.genotype == trial.proposal.genotype && epochs(own) == epochs(&trial.proposal)
        };
        let Some(place) = self.running.iter().position(is_same) else { return false };
        self.running.swap_remove(place);
        self.finished.push(entry.clone());
        true
    }
}

fn epochs(proposal: &Proposal) -> Option<u32> {
    proposal.details.fidelity.map(|Fidelity { epochs, .. }| epochs)
}
