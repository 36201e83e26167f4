//! When a generation is over, and what it showed.

use std::collections::BTreeMap;

use nas_plugin_api::verdict::Progress;

/// A strategy without generations is looked at every so many trials.
const TRIALS_PER_LOOK: u32 = 20;

/// Follows the generations of a search.
#[derive(Default)]
pub(super) struct ProgressTracker {
    /// Trials of the unit that is under way.
    gains: Vec<f64>,
    generation: Option<u32>,
    completed: u32,
    best_so_far: Option<f64>,
}

impl ProgressTracker {
    /// A proposal of this generation was made; if it is a new one, the old one is over.
    pub(super) fn proposed(&mut self, generation: Option<u32>) -> Option<Progress> {
        let generation = generation?;
        match self.generation {
            Some(current) if generation > current => {
                let progress = self.complete("generation", current + 1);
                self.generation = Some(generation);
                progress
            }
            Some(_) => None,
            None => {
                self.generation = Some(generation);
                None
            }
        }
    }

    /// A trial was told, with its first objective turned so that larger is better.
    pub(super) fn told(&mut self, gain: Option<f64>) -> Option<Progress> {
        self.gains.push(gain.unwrap_or(f64::NEG_INFINITY));
        let full = self.gains.len() as u32 >= TRIALS_PER_LOOK;
        (self.generation.is_none() && full).then(|| {
            self.completed += TRIALS_PER_LOOK;
            let completed = self.completed;
            self.complete("trials", completed)
        })?
    }

    /// The strategy is done: what is under way is over.
    pub(super) fn finish(&mut self) -> Option<Progress> {
        let generation = self.generation?;
        self.complete("generation", generation + 1)
    }

    fn complete(&mut self, unit: &str, completed: u32) -> Option<Progress> {
        let gains: Vec<f64> =
            std::mem::take(&mut self.gains).into_iter().filter(|gain| gain.is_finite()).collect();
        let best = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if gains.is_empty() {
            return None;
        }
        let best_so_far = self.best_so_far.map_or(best, |so_far| so_far.max(best));
        self.best_so_far = Some(best_so_far);
        Some(Progress {
            unit: unit.to_owned(),
            completed,
            best,
            best_so_far,
            mean: gains.iter().sum::<f64>() / gains.len() as f64,
            signals: BTreeMap::new(),
        })
    }
}
