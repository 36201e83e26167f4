//! What the numbers of a mixture are called.

use nas_plugin_api::template::{Options, Space};

use crate::journal::ChoicePaths;

/// The choices of a space and the paths of each, in a mixture's order.
#[must_use]
pub fn choice_paths(space: &Space) -> Vec<ChoicePaths> {
    let name = |options: &Options| match options {
        Options::Operation { candidates, .. } => candidates.clone(),
        Options::Inputs { n, .. } => (0..*n).map(|input| format!("input {input}")).collect(),
        Options::Depth { repeats } => repeats.iter().map(|n| format!("{n} repeats")).collect(),
        Options::Width { values } => values.iter().map(|n| format!("{n} wide")).collect(),
        _ => Vec::new(),
    };
    space
        .template()
        .choices
        .iter()
        .map(|choice| ChoicePaths { choice: choice.id.clone(), paths: name(&choice.options) })
        .collect()
}
