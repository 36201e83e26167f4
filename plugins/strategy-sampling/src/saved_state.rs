//! States on their way to and from a checkpoint.

use nas_plugin_api::error::{ErrorCode, PluginError};
use nas_plugin_api::serde::Serialize;
use nas_plugin_api::serde::de::DeserializeOwned;
use nas_plugin_api::serde_json;

/// A state as JSON text, in which finite numbers keep every bit.
pub(crate) fn save<T: Serialize>(state: &T) -> Result<Vec<u8>, PluginError> {
    serde_json::to_vec(state)
        .map_err(|error| PluginError::internal(format!("save the strategy's state: {error}")))
}

/// The state that `save` gave.
pub(crate) fn restore<T: DeserializeOwned>(state: &[u8]) -> Result<T, PluginError> {
    serde_json::from_slice(state).map_err(|error| {
        let message = format!("restore the strategy's state: {error}");
        PluginError::new(ErrorCode::Message, message)
            .with_help("resume with the version of the plugin that wrote the checkpoint")
    })
}

/// Refuses a state of another space or of other settings.
pub(crate) fn check_length(what: &str, found: usize, expected: usize) -> Result<(), PluginError> {
    match found == expected {
        true => Ok(()),
        false => Err(PluginError::new(
            ErrorCode::Message,
            format!("restore the strategy's state: it has {found} {what}, expected {expected}"),
        )
        .with_help("space and strategy settings must be those of the run that is resumed")),
    }
}
