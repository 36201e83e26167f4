//! What edits make of a supernet: its scale, its partial channels, its dropped paths.

use std::collections::BTreeSet;

use nas_plugin_api::component::{Mixture, Need};
use serde::{Deserialize, Serialize};

use crate::supernet::Settings;

/// Everything about a supernet but its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Form {
    /// Cells, where an edit set them.
    pub(super) cells: Option<u32>,
    /// Channels, where an edit set them.
    pub(super) channels: Option<u32>,
    /// One in so many channels passes a mixture.
    pub(super) one_in: u32,
    /// Paths that are gone for good.
    pub(super) dropped: BTreeSet<usize>,
    /// How often weights began anew, so that each beginning has a seed of its own.
    pub(super) beginnings: u64,
    /// How the weights are trained, before the supervisor's factor on the weight decay.
    pub(super) settings: Settings,
}

impl Form {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            cells: None,
            channels: None,
            one_in: 1,
            dropped: BTreeSet::new(),
            beginnings: 0,
            settings,
        }
    }

    /// The name of a file about supernets of this scale.
    pub(super) fn named(&self, what: &str) -> String {
        let part = |number: Option<u32>| number.map_or("own".to_owned(), |n| n.to_string());
        let (cells, channels) = (part(self.cells), part(self.channels));
        format!("{what}_{cells}_cells_{channels}_channels_1_in_{}.json", self.one_in)
    }

    /// The same mixture without dropped paths.
    pub(super) fn without_dropped(&self, mut mixture: Mixture) -> Mixture {
        for &path in &self.dropped {
            if let Some(need) = mixture.needs.get_mut(path) {
                *need = Need::Skip;
            }
        }
        mixture
    }

    /// The settings in force.
    pub(super) fn settings_with(&self, weight_decay_factor: f64) -> Settings {
        let weight_decay = self.settings.weight_decay * weight_decay_factor;
        Settings { weight_decay, ..self.settings.clone() }
    }
}
