//! From the file to the template.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use nas_plugin_api::component::OperationInfo;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::template::{
    ChoiceIndex, Options, Scale, Template, TemplateBuilder, TemplateLayer,
};
use toml::{Spanned, Value};

use crate::document::{Choice, File, Node, Part};
use crate::layer::layer;
use crate::value::{Values, evaluate};

/// The template that a file describes, over these operations and at this scale.
///
/// # Errors
/// Whatever does not fit, with its line.
pub(crate) fn write(
    file: &File,
    operations: &[OperationInfo],
    scale: &Scale,
) -> Result<Template, PluginError> {
    for choice in file.document.choices.values() {
        options(choice.get_ref(), 0, operations)
            .map_err(|what| file.mistake(choice.span(), &what))?;
    }
    let mut network = TemplateBuilder::new(&file.document.name);
    let image = network.input(scale.input.clone());
    let (returned, met) = (vec![image], BTreeSet::new());
    let counts = BTreeMap::new();
    let mut writer = Writer { file, operations, network, returned, counts, met };
    let mut values = file.document.values.clone();
    values.insert("classes".to_owned(), scale.classes);
    for (name, scaled) in [("channels", scale.channels), ("cells", scale.cells)] {
        values.extend(scaled.map(|number| (name.to_owned(), number)));
    }
    for part in &file.document.network {
        writer.part(part, &values)?;
    }
    let idle = file.document.choices.iter().find(|(id, _)| !writer.met.contains(id.as_str()));
    if let Some((id, choice)) = idle {
        return Err(file.mistake(choice.span(), &format!("nothing names choice `{id}`")));
    }
    let logits = writer.last();
    Ok(writer.network.finish(logits)?)
}

struct Writer<'a> {
    file: &'a File,
    operations: &'a [OperationInfo],
    network: TemplateBuilder,
    /// The image, then what each cell returned.
    returned: Vec<NodeIndex>,
    /// How often each cell was written.
    counts: BTreeMap<&'a str, usize>,
    /// Choices that were named.
    met: BTreeSet<&'a str>,
}

/// What holds in one repeat of a cell.
struct Surroundings<'a> {
    values: &'a Values,
    /// Number of the repeat, from 1; none if the scale decides how many there are.
    repeat: Option<usize>,
    /// Nodes by name.
    nodes: BTreeMap<&'a str, NodeIndex>,
    /// The node above.
    above: NodeIndex,
}

impl<'a> Writer<'a> {
    fn last(&self) -> NodeIndex {
        self.returned[self.returned.len() - 1]
    }

    fn part(&mut self, part: &'a Spanned<Part>, values: &Values) -> Result<(), PluginError> {
        let file = self.file;
        let here = |what: String| file.mistake(part.span(), &what);
        let Part { cell, repeat, depth, with } = part.get_ref();
        let mut inner = values.clone();
        for (name, value) in with {
            inner.insert(name.clone(), evaluate(value, values).map_err(here)?);
        }
        match (repeat, depth) {
            (Some(_), Some(_)) => Err(here("a part has `repeat` or `depth`, not both".into())),
            (None, Some(id)) => {
                let choice = self.choice(id, None, 0).map_err(here)?;
                let repeats =
                    file.document.choices.get(id).and_then(|c| c.get_ref().depth.as_ref());
                let repeats = repeats.ok_or_else(|| here(format!("`{id}` chooses no depth")))?;
                let mut outputs: Vec<NodeIndex> = Vec::new();
                for number in 1..=repeats.iter().copied().max().unwrap_or(0) {
                    self.cell(cell, &part.span(), &inner, Some(number))?;
                    outputs.extend(repeats.contains(&number).then(|| self.last()));
                }
                let output = self.network.push(id, TemplateLayer::Depth { choice }, &outputs);
                self.returned.push(output);
                self.check(&part.span())
            }
            (repeat, None) => {
                let fixed = !matches!(repeat, Some(Value::String(_)));
                let once = Value::Integer(1);
                let times = evaluate(repeat.as_ref().unwrap_or(&once), values).map_err(here)?;
                if times == 0 {
                    return Err(here(format!("cell `{cell}` would stand here 0 times")));
                }
                (1..=times).try_for_each(|number| {
                    self.cell(cell, &part.span(), &inner, fixed.then_some(number))
                })
            }
        }
    }

    fn cell(
        &mut self,
        name: &'a str,
        place: &Range<usize>,
        values: &Values,
        repeat: Option<usize>,
    ) -> Result<(), PluginError> {
        let file = self.file;
        let Some(nodes) = file.document.cells.get(name) else {
            let known: Vec<&str> = file.document.cells.keys().map(String::as_str).collect();
            let known = known.join(", ");
            let what = format!("there is no cell `{name}` (there are {known})");
            return Err(file.mistake(place.clone(), &what));
        };
        let count = self.counts.entry(name).or_default();
        *count += 1;
        self.network.begin(&format!("{name}_{count}"));
        let above = self.last();
        let before = self.returned.iter().rev().nth(1).copied().unwrap_or(above);
        let nodes_before = [("in", above), ("before", before)];
        let mut cell = Surroundings { values, repeat, nodes: nodes_before.into(), above };
        for node in nodes {
            cell.above = self
                .node(node.get_ref(), &cell)
                .map_err(|what| file.mistake(node.span(), &what))?;
            self.check(&node.span())?;
            if let Some(name) = &node.get_ref().name {
                cell.nodes.insert(name, cell.above);
            }
        }
        self.network.end();
        self.returned.push(cell.above);
        Ok(())
    }

    fn node(&mut self, node: &'a Node, cell: &Surroundings<'_>) -> Result<NodeIndex, String> {
        let inputs = inputs(node, cell)?;
        let Node { layer: name, width, operation, choose, attributes, .. } = node;
        match (name, operation, choose) {
            (Some(name), None, None) => {
                let layer = layer(name, attributes, cell.values)?;
                let Some(id) = width else { return Ok(self.network.node(layer, &inputs)) };
                let width = self.choice(id, cell.repeat, 0)?;
                let widest = self.file.document.choices.get(id).and_then(|choice| {
                    choice.get_ref().width.as_ref().and_then(|values| values.last().copied())
                });
                let wide = layer.clone().with_width(widest.unwrap_or(0));
                if wide == layer {
                    return Err(format!("layer `{name}` has no width to choose"));
                }
                Ok(self.network.push(name, TemplateLayer::Wide { layer: wide, width }, &inputs))
            }
            (None, Some(id), None) => {
                allow(attributes.keys(), &["stride", "channels"])?;
                let number = |key: &str| {
                    attributes.get(key).map(|value| evaluate(value, cell.values)).transpose()
                };
                let (stride, channels) = (number("stride")?.unwrap_or(1), number("channels")?);
                let [input] = inputs[..] else {
                    return Err(format!("an operation reads one input, not {}", inputs.len()));
                };
                let mut output = self.network.shape(input).clone();
                if let (Some(channels), [first, ..]) = (channels, &mut output.0[..]) {
                    *first = channels;
                }
                let halve = |extent: &mut usize| *extent = extent.div_ceil(stride.max(1));
                output.0.iter_mut().skip(1).for_each(halve);
                let choice = self.choice(id, cell.repeat, 0)?;
                Ok(self.network.operation_of(choice, input, output, stride))
            }
            (None, None, Some(id)) => {
                allow(attributes.keys(), &[])?;
                let choice = self.choice(id, cell.repeat, inputs.len())?;
                Ok(self.network.push(id, TemplateLayer::Inputs { choice }, &inputs))
            }
            _ => Err("a node has one of `layer`, `operation` and `choose`".to_owned()),
        }
    }

    /// The choice of this id, with the number of the repeat where the id asks for it; one of
    /// inputs is among `n_inputs`.
    fn choice(
        &mut self,
        id: &'a str,
        repeat: Option<usize>,
        n_inputs: usize,
    ) -> Result<ChoiceIndex, String> {
        let choices = &self.file.document.choices;
        let choice = choices.get(id).ok_or_else(|| {
            let known: Vec<&str> = choices.keys().map(String::as_str).collect();
            format!("there is no choice `{id}` (there are {})", known.join(", "))
        })?;
        self.met.insert(id);
        let numbered = match (id.contains('*'), repeat) {
            (false, _) => id.to_owned(),
            (true, Some(number)) => id.replace('*', &number.to_string()),
            (true, None) => {
                return Err(format!(
                    "`{id}` is chosen anew in every repeat, so `repeat` must be a number: choices \
                     may not depend on the scale"
                ));
            }
        };
        Ok(self.network.choice(&numbered, options(choice.get_ref(), n_inputs, self.operations)?))
    }

    /// Reports a layer or a choice that does not fit.
    fn check(&self, place: &Range<usize>) -> Result<(), PluginError> {
        match self.network.mistake() {
            Some(mistake) => Err(self.file.mistake(place.clone(), &mistake.to_string())),
            None => Ok(()),
        }
    }
}

/// What a choice offers; one of inputs is among `n`.
fn options(choice: &Choice, n: usize, operations: &[OperationInfo]) -> Result<Options, String> {
    Ok(match (&choice.operations, choice.inputs, &choice.depth, &choice.width) {
        (Some(names), None, None, None) => {
            let candidates =
                OperationInfo::select(operations, names).map_err(|error| error.message)?;
            let hidden = |&place: &usize| choice.search_only.iter().any(|n| n == candidates[place]);
            let search_only = (0..candidates.len()).filter(hidden).collect();
            let candidates = candidates.into_iter().map(str::to_owned).collect();
            let (min, max) = (choice.min.unwrap_or(1), choice.max.unwrap_or(1));
            Options::Operation { candidates, search_only, min, max }
        }
        (None, Some(max), None, None) => Options::Inputs { n, min: choice.min.unwrap_or(max), max },
        (None, None, Some(repeats), None) => Options::Depth { repeats: repeats.clone() },
        (None, None, None, Some(values)) => Options::Width { values: values.clone() },
        _ => return Err("a choice has one of `operations`, `inputs`, `depth`, `width`".to_owned()),
    })
}

/// The nodes that a node reads.
fn inputs(node: &Node, cell: &Surroundings<'_>) -> Result<Vec<NodeIndex>, String> {
    let find = |name: &String| {
        cell.nodes.get(name.as_str()).copied().ok_or_else(|| {
            let known: Vec<&str> = cell.nodes.keys().copied().collect();
            format!("there is no node `{name}` above (there are {})", known.join(", "))
        })
    };
    match (&node.input, &node.inputs) {
        (None, None) => Ok(vec![cell.above]),
        (Some(name), None) => Ok(vec![find(name)?]),
        (None, Some(names)) => names.iter().map(find).collect(),
        _ => Err("a node has `input` or `inputs`, not both".to_owned()),
    }
}

/// Refuses keys that a node has no use for.
fn allow<'k>(keys: impl Iterator<Item = &'k String>, allowed: &[&str]) -> Result<(), String> {
    match keys.into_iter().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(format!("this node has no use for `{key}`")),
        None => Ok(()),
    }
}
