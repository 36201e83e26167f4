//! A checked template that can be asked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::{Choice, ChoiceIndex, Constraint, Options, Template, TemplateLayer, TemplateNode};
use crate::genotype::Genotype;
use crate::graph::{GraphError, Layer, NodeIndex, Shape, infer_shape};

/// Most nodes of a template (DARTS for ImageNet has about 500).
const MAX_NODES: usize = 50_000;
/// Most choices of a template.
const MAX_CHOICES: usize = 10_000;

/// A template that is known to be sound; cheap to clone.
#[derive(Clone, Debug)]
pub struct Space {
    checked: Arc<Checked>,
}

#[derive(Debug)]
struct Checked {
    template: Template,
    /// Per choice and option, what is selected.
    selections: Vec<Vec<Vec<usize>>>,
    /// Per node, a hash of what it computes.
    signatures: Vec<u128>,
    choice_by_id: HashMap<String, ChoiceIndex>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A choice has no option, too many, or numbers out of order.
    #[error("choice `{choice}` needs 1 to 65536 options (numbers in rising order, min ≤ max)")]
    Options {
        /// The choice's id.
        choice: String,
    },
    /// Two choices share an id.
    #[error("two choices are named `{choice}`")]
    DuplicateChoice {
        /// The id.
        choice: String,
    },
    /// An id can't be written in a genotype's text.
    #[error("choice id `{choice}` may have letters, digits and `_-/.` only")]
    ChoiceId {
        /// The id.
        choice: String,
    },
    /// An operation's name can't be written in a genotype's text.
    #[error("operation name `{operation}` may have letters, digits and `_` only")]
    OperationName {
        /// The name.
        operation: String,
    },
    /// A node refers to a choice that does not exist, or of another kind.
    #[error("node `{node}` needs {expected}, but choice {choice} is none")]
    Choice {
        /// The node's name.
        node: String,
        /// The position it refers to.
        choice: ChoiceIndex,
        /// What it needs there.
        expected: &'static str,
    },
    /// A choice among a node's inputs has another number of options than there are inputs.
    #[error("node `{node}` has {inputs} inputs, but its choice selects among {options}")]
    InputCount {
        /// The node's name.
        node: String,
        /// How many inputs.
        inputs: usize,
        /// How many the choice expects.
        options: usize,
    },
    /// The graph itself is unsound.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The template is larger than any sensible one.
    #[error("the template has {found} {what}, more than {limit}")]
    TooLarge {
        /// Nodes or choices.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A constraint names an operation that no choice offers.
    #[error("a constraint counts `{operation}`, which no choice offers")]
    Constraint {
        /// The operation.
        operation: String,
    },
}

/// Why a genotype is none of a space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenotypeError {
    /// It has more or fewer values than the space has choices.
    #[error("a genotype of space `{space}` has {expected} values, this one has {found}")]
    Length {
        /// The space's name.
        space: String,
        /// The number of choices.
        expected: usize,
        /// The number of values.
        found: usize,
    },
    /// A value is out of its choice's range.
    #[error("choice `{choice}` has options 0 to {last}, the genotype says {found}")]
    Range {
        /// The choice's id.
        choice: String,
        /// The last option.
        last: u16,
        /// The value.
        found: u16,
    },
    /// A constraint is not met.
    #[error("operation `{operation}` is chosen {found} times, the space asks for {expected}")]
    Count {
        /// The operation.
        operation: String,
        /// How often it is chosen.
        found: usize,
        /// How often it may be.
        expected: String,
    },
}

impl Space {
    /// Checks a template.
    ///
    /// # Errors
    /// The first thing that is wrong, with the choice's or node's name.
    pub fn new(template: Template) -> Result<Self, TemplateError> {
        check_sizes(&template)?;
        let mut choice_by_id = HashMap::new();
        let mut selections = Vec::with_capacity(template.choices.len());
        for (index, choice) in template.choices.iter().enumerate() {
            selections.push(check_choice(choice)?);
            if choice_by_id.insert(choice.id.clone(), index).is_some() {
                return Err(TemplateError::DuplicateChoice { choice: choice.id.clone() });
            }
        }
        widest_shapes(&template)?;
        for Constraint::Count { operation, .. } in &template.constraints {
            let offered = template.choices.iter().any(|choice| match &choice.options {
                Options::Operation { candidates, .. } => candidates.contains(operation),
                _ => false,
            });
            if !offered {
                return Err(TemplateError::Constraint { operation: operation.clone() });
            }
        }
        let signatures = template.nodes.iter().map(signature).collect();
        let checked = Checked { template, selections, signatures, choice_by_id };
        Ok(Self { checked: Arc::new(checked) })
    }

    /// The template.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.checked.template
    }

    /// The space's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.checked.template.space
    }

    /// Number of choices, which is the length of a genotype.
    #[must_use]
    pub fn n_choices(&self) -> usize {
        self.checked.selections.len()
    }

    /// Number of options of one choice.
    ///
    /// # Panics
    /// If there is no such choice.
    #[must_use]
    pub fn n_options(&self, choice: ChoiceIndex) -> usize {
        self.checked.selections[choice].len()
    }

    /// Number of genotypes, as a floating-point number since it may be astronomical; those that
    /// differ only in values that do not matter count as different.
    #[must_use]
    pub fn size(&self) -> f64 {
        self.checked.selections.iter().map(|options| options.len() as f64).product()
    }

    /// What an option selects: positions of candidate operations or inputs, or the position of a
    /// number.
    ///
    /// # Panics
    /// If there is no such choice or option.
    #[must_use]
    pub fn selection(&self, choice: ChoiceIndex, option: u16) -> &[usize] {
        &self.checked.selections[choice][usize::from(option)]
    }

    /// Position of the choice with this id.
    #[must_use]
    pub fn choice(&self, id: &str) -> Option<ChoiceIndex> {
        self.checked.choice_by_id.get(id).copied()
    }

    /// Whether a genotype is one of this space.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn check(&self, genotype: &Genotype) -> Result<(), GenotypeError> {
        if genotype.0.len() != self.n_choices() {
            return Err(GenotypeError::Length {
                space: self.name().to_owned(),
                expected: self.n_choices(),
                found: genotype.0.len(),
            });
        }
        for (choice, &found) in genotype.0.iter().enumerate() {
            if usize::from(found) >= self.n_options(choice) {
                return Err(GenotypeError::Range {
                    choice: self.template().choices[choice].id.clone(),
                    last: (self.n_options(choice) - 1) as u16,
                    found,
                });
            }
        }
        self.check_constraints(genotype)
    }

    /// What a node computes, as a hash; its inputs and the genotype do not enter.
    pub(super) fn signature(&self, node: NodeIndex) -> u128 {
        self.checked.signatures[node]
    }

    fn check_constraints(&self, genotype: &Genotype) -> Result<(), GenotypeError> {
        if self.template().constraints.is_empty() {
            return Ok(());
        }
        let (_, active) = self.needed(genotype);
        for Constraint::Count { operation, prefix, min, max } in &self.template().constraints {
            let chosen = |(index, choice): &(ChoiceIndex, &Choice)| match &choice.options {
                Options::Operation { candidates, .. } => {
                    active[*index]
                        && choice.id.starts_with(prefix.as_str())
                        && self
                            .selection(*index, genotype.0[*index])
                            .iter()
                            .any(|&candidate| &candidates[candidate] == operation)
                }
                _ => false,
            };
            let found = self.template().choices.iter().enumerate().filter(chosen).count();
            if found < *min || max.is_some_and(|max| found > max) {
                let most = max.map_or("any number".to_owned(), |max| max.to_string());
                return Err(GenotypeError::Count {
                    operation: operation.clone(),
                    found,
                    expected: format!("{min} to {most}"),
                });
            }
        }
        Ok(())
    }
}

fn check_sizes(template: &Template) -> Result<(), TemplateError> {
    for (what, found, limit) in [
        ("nodes", template.nodes.len(), MAX_NODES),
        ("choices", template.choices.len(), MAX_CHOICES),
    ] {
        if found > limit {
            return Err(TemplateError::TooLarge { what, found, limit });
        }
    }
    Ok(())
}

fn check_choice(choice: &Choice) -> Result<Vec<Vec<usize>>, TemplateError> {
    let plain = |text: &str, also: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
    };
    if !plain(&choice.id, "_-/.") {
        return Err(TemplateError::ChoiceId { choice: choice.id.clone() });
    }
    let candidates = match &choice.options {
        Options::Operation { candidates, .. } => candidates.as_slice(),
        _ => &[],
    };
    if let Some(operation) = candidates.iter().find(|name| !plain(name, "_")) {
        return Err(TemplateError::OperationName { operation: operation.clone() });
    }
    choice.options.selections().ok_or_else(|| TemplateError::Options { choice: choice.id.clone() })
}

/// Checks every node and returns its shape with all widths at their largest.
pub(super) fn widest_shapes(template: &Template) -> Result<Vec<Shape>, TemplateError> {
    let mut shapes: Vec<Shape> = Vec::with_capacity(template.nodes.len());
    let mut names = HashSet::new();
    for (index, node) in template.nodes.iter().enumerate() {
        if !names.insert(node.name.as_str()) {
            return Err(GraphError::DuplicateName { node: node.name.clone() }.into());
        }
        if let Some(&input) = node.inputs.iter().find(|&&input| input >= index) {
            return Err(GraphError::InputOrder { node: node.name.clone(), index, input }.into());
        }
        shapes.push(node_shape(template, node, &shapes)?);
    }
    if template.outputs.is_empty() {
        return Err(GraphError::NoOutput.into());
    }
    let n_nodes = template.nodes.len();
    match template.outputs.iter().find(|&&output| output >= n_nodes) {
        Some(&output) => Err(GraphError::Output { output, n_nodes }.into()),
        None => Ok(shapes),
    }
}

/// A node's shape with all widths at their largest.
pub(super) fn node_shape(
    template: &Template,
    node: &TemplateNode,
    shapes: &[Shape],
) -> Result<Shape, TemplateError> {
    let inputs: Vec<&Shape> = node.inputs.iter().map(|&input| &shapes[input]).collect();
    let infer = |layer: &Layer| {
        infer_shape(layer, &inputs)
            .map_err(|source| GraphError::Shape { node: node.name.clone(), source }.into())
    };
    let options = |choice: ChoiceIndex| template.choices.get(choice).map(|c| &c.options);
    let wrong = |choice: ChoiceIndex, expected: &'static str| TemplateError::Choice {
        node: node.name.clone(),
        choice,
        expected,
    };
    let count = |options: usize| match options == inputs.len() {
        true => infer(&Layer::Add),
        false => Err(TemplateError::InputCount {
            node: node.name.clone(),
            inputs: inputs.len(),
            options,
        }),
    };
    match &node.layer {
        TemplateLayer::Layer(layer) => infer(layer),
        TemplateLayer::Wide { layer, width } => match options(*width) {
            Some(Options::Width { .. }) => infer(layer),
            _ => Err(wrong(*width, "a width choice")),
        },
        TemplateLayer::Operation { choice, context, .. } => match options(*choice) {
            Some(Options::Operation { .. }) => Ok(context.output.clone()),
            _ => Err(wrong(*choice, "an operation choice")),
        },
        TemplateLayer::Inputs { choice } => match options(*choice) {
            Some(Options::Inputs { n, .. }) => count(*n),
            _ => Err(wrong(*choice, "an input choice")),
        },
        // Outputs after different numbers of repeats may differ in width: one is selected.
        TemplateLayer::Depth { choice } => match options(*choice) {
            Some(Options::Depth { repeats }) if repeats.len() == inputs.len() => {
                let widest = inputs.iter().max_by_key(|shape| shape.elements());
                Ok(widest.map(|shape| (*shape).clone()).unwrap_or_default())
            }
            Some(Options::Depth { repeats }) => count(repeats.len()),
            _ => Err(wrong(*choice, "a depth choice")),
        },
    }
}

fn signature(node: &TemplateNode) -> u128 {
    // A debug form is canonical for plain data, and names no node.
    let text = match &node.layer {
        TemplateLayer::Operation { choice: _, context, effects: _ } => {
            format!("operation {:?} {}", context.output, context.stride)
        }
        TemplateLayer::Layer(layer) | TemplateLayer::Wide { layer, .. } => format!("{layer:?}"),
        TemplateLayer::Inputs { .. } | TemplateLayer::Depth { .. } => String::new(),
    };
    xxh3_128(text.as_bytes())
}
