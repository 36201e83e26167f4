//! The component.

use nas_plugin_api::component::{Component, FileField, OperationInfo, SearchSpace};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::template::{Scale, Template};

use crate::document::File;
use crate::network;

configuration! {
    /// Settings of the space `file`.
    pub struct FileConfig {
        /// The TOML file that describes the space.
        pub file: FileField = FileField::default(),
    }
}

/// A space that its user writes in TOML.
///
/// - `cells` are lists of nodes; `network` says which cells follow each other, how often, and with
///   which values. A cell returns its last node.
/// - A node computes a `layer`, the `operation` that a choice selects, or the sum of those inputs
///   that a choice lets it `choose`. Its `input` or `inputs` name earlier nodes of the cell, `in`
///   (what the cell before returned) or `before` (what the one before that returned); without
///   them it reads the node above.
/// - A layer has the name and the attributes that `nas_plugin_api::graph::Layer` gives it;
///   activations and `max_pool2d`, `avg_pool2d`, … stand for themselves. With `width` a choice
///   decides its channels.
/// - `choices` are made once for all cells that name them; one with `*` in its id is made anew in
///   every repeat, whose number replaces the `*`. A genotype lists them in the order in which the
///   network meets them.
/// - Numbers may be written as products: `"channels * 2"`. Names are `classes`, those in `values`,
///   and those that `with` gives; the scale's `channels` and `cells`, where it has any, replace
///   the file's.
#[derive(Debug)]
pub struct FileSpace {
    file: File,
}

impl Component for FileSpace {
    const NAME: &'static str = "file";
    const SUMMARY: &'static str = "a space of your own, written in a TOML file";
    type Config = FileConfig;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        if config.file.path.is_empty() {
            return Err(PluginError::configuration("find the space's file: `file` is not set")
                .with_help("set `file` to the path of a TOML file, see examples/spaces"));
        }
        Ok(Self { file: File::read(&config.file)? })
    }
}

impl SearchSpace for FileSpace {
    fn template(
        &self,
        operations: &[OperationInfo],
        scale: &Scale,
    ) -> Result<Template, PluginError> {
        network::write(&self.file, operations, scale)
    }
}
