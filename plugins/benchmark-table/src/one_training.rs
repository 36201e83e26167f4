//! Tables with one training of each network.

use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::Fidelity;

/// Refuses another fidelity than the one that stands for the table's training.
///
/// # Errors
/// Says which one it is.
pub(crate) fn check_fidelity(
    path: &str,
    epochs: u32,
    fidelity: &Fidelity,
) -> Result<(), PluginError> {
    if fidelity.epochs == epochs && fidelity.data_fraction == 1.0 {
        return Ok(());
    }
    let text = format!(
        "look up {} epochs on {} of the data: `{path}` has one training of each network, which \
         counts as {epochs} epochs on all data",
        fidelity.epochs, fidelity.data_fraction
    );
    let help = format!("set the trial's epochs to {epochs}, or the benchmark's `epochs`");
    Err(PluginError::unsupported(text).with_help(help))
}
