//! Progress for programs: every journalled event as one line of JSON on stdout.

use nas_core::journal::Event;
use nas_core::search::Observer;
use nas_plugin_api::measurement::EpochRecord;
use nas_plugin_api::trial::TrialId;
use nas_plugin_api::verdict::Spending;
use serde_json::json;

use crate::output::data;

/// Writes events as they are journalled, and the epochs of running trials between them.
pub(crate) struct JsonLines;

impl Observer for JsonLines {
    fn event(&mut self, event: &Event, _: &Spending) {
        // Events are data and always have a form in JSON; infinite numbers become null.
        if let Ok(line) = serde_json::to_string(event) {
            data(line);
        }
    }

    fn epoch(&mut self, trial: TrialId, record: &EpochRecord) {
        data(json!({ "event": "epoch", "trial": trial, "record": record }));
    }
}
