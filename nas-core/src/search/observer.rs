//! Watching a search.

use nas_plugin_api::measurement::EpochRecord;
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::Spending;

use crate::journal::Event;
use crate::protocol::one_shot::SearchStep;

/// Is shown what happens, as it happens; must return quickly.
pub trait Observer {
    /// An event was journalled.
    fn event(&mut self, event: &Event, spent: &Spending);

    /// An epoch of a running trial is over.
    fn epoch(&mut self, trial: TrialId, record: &EpochRecord) {
        let _ = (trial, record);
    }

    /// An epoch of a one-shot search goes on.
    fn search_step(&mut self, step: &SearchStep) {
        let _ = step;
    }

    /// Nothing happened for a moment.
    fn idle(&mut self, spent: &Spending) {
        let _ = spent;
    }
}

/// Watches nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: &Event, _: &Spending) {}
}
