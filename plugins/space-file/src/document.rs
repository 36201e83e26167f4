//! What a space's file holds, and where.

use std::collections::BTreeMap;
use std::ops::Range;

use nas_plugin_api::component::FileField;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::serde::Deserialize;
use toml::{Spanned, Table, Value};

/// A file with what it says.
#[derive(Debug)]
pub(crate) struct File {
    path: String,
    text: String,
    /// What it says.
    pub(crate) document: Document,
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(crate = "nas_plugin_api::serde", deny_unknown_fields)]
pub(crate) struct Document {
    /// The space's name in results.
    pub(crate) name: String,
    /// The cells that follow each other.
    pub(crate) network: Vec<Spanned<Part>>,
    /// Named numbers.
    #[serde(default)]
    pub(crate) values: BTreeMap<String, usize>,
    /// What is chosen, by id.
    #[serde(default)]
    pub(crate) choices: BTreeMap<String, Spanned<Choice>>,
    /// Lists of nodes, by name.
    pub(crate) cells: BTreeMap<String, Vec<Spanned<Node>>>,
}

/// A cell, some times in a row.
#[derive(Debug, Deserialize)]
#[serde(crate = "nas_plugin_api::serde", deny_unknown_fields)]
pub(crate) struct Part {
    /// Which cell.
    pub(crate) cell: String,
    /// How often.
    pub(crate) repeat: Option<Value>,
    /// The choice that decides how often.
    pub(crate) depth: Option<String>,
    /// Values that hold in this part.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, Value>,
}

/// A node of a cell: one of `layer`, `operation` and `choose`.
#[derive(Debug, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub(crate) struct Node {
    /// How later nodes of the cell call it.
    pub(crate) name: Option<String>,
    /// The node that is read, or several.
    pub(crate) input: Option<String>,
    pub(crate) inputs: Option<Vec<String>>,
    /// Name of a layer.
    pub(crate) layer: Option<String>,
    /// Id of a choice of the layer's width.
    pub(crate) width: Option<String>,
    /// Id of a choice of operations.
    pub(crate) operation: Option<String>,
    /// Id of a choice of inputs.
    pub(crate) choose: Option<String>,
    /// Attributes of the layer; stride and channels of the operation.
    #[serde(flatten)]
    pub(crate) attributes: Table,
}

/// A choice: among one of `operations`, `inputs`, `depth` and `width`.
#[derive(Debug, Deserialize)]
#[serde(crate = "nas_plugin_api::serde", deny_unknown_fields)]
pub(crate) struct Choice {
    /// Names of operations; empty means all of the set.
    pub(crate) operations: Option<Vec<String>>,
    /// How many inputs.
    pub(crate) inputs: Option<usize>,
    /// Numbers of repeats, in rising order.
    pub(crate) depth: Option<Vec<usize>>,
    /// Numbers of channels or features, in rising order.
    pub(crate) width: Option<Vec<usize>>,
    /// Fewest operations or inputs.
    pub(crate) min: Option<usize>,
    /// Most operations.
    pub(crate) max: Option<usize>,
    /// Operations of the supernet that no genotype holds.
    #[serde(default)]
    pub(crate) search_only: Vec<String>,
}

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// What is no TOML or has other keys, with its line.
    pub(crate) fn read(file: &FileField) -> Result<Self, PluginError> {
        let path = file.path.clone();
        let text = String::from_utf8(file.bytes.clone())
            .map_err(|_| PluginError::configuration(format!("read {path}: it is no text")))?;
        match toml::from_str(&text) {
            Ok(document) => Ok(Self { path, text, document }),
            Err(error) => {
                let message = error.message();
                Err(mistake(&path, &text, error.span().unwrap_or_default(), message))
            }
        }
    }

    /// An error about a part of the file.
    pub(crate) fn mistake(&self, place: Range<usize>, what: &str) -> PluginError {
        mistake(&self.path, &self.text, place, what)
    }
}

fn mistake(path: &str, text: &str, place: Range<usize>, what: &str) -> PluginError {
    let before = text.as_bytes().iter().take(place.start);
    let line = 1 + before.filter(|&&byte| byte == b'\n').count();
    PluginError::configuration(format!("read {path}, line {line}: {}", what.trim_end()))
}
