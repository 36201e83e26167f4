//! How search spaces write templates.

use super::space::node_shape;
use super::{
    Choice, ChoiceIndex, Constraint, OperationContext, Options, Role, Template, TemplateError,
    TemplateLayer, TemplateNode,
};
use crate::graph::{Activation, BatchNorm, Concat, Layer, Linear, NodeIndex, Shape};

/// Writes a template node by node; like [`crate::graph::GraphBuilder`], but with choices.
///
/// Methods return at once and remember the first mistake; [`TemplateBuilder::finish`] reports it.
/// A choice that was made before under the same id is used again, so cells of one kind share
/// their choices.
#[derive(Debug, Default)]
pub struct TemplateBuilder {
    template: Template,
    shapes: Vec<Shape>,
    prefix: String,
    error: Option<TemplateError>,
}

impl TemplateBuilder {
    /// An empty template of the space of this name.
    #[must_use]
    pub fn new(space: &str) -> Self {
        let template = Template { space: space.to_owned(), ..Template::default() };
        Self { template, ..Self::default() }
    }

    /// Begins a part: names of the nodes that follow begin with `name/`.
    pub fn begin(&mut self, name: &str) {
        self.prefix = format!("{name}/");
    }

    /// Ends the part: names of the nodes that follow begin with nothing.
    pub fn end(&mut self) {
        self.prefix.clear();
    }

    /// Adds an input of this shape.
    pub fn input(&mut self, shape: impl Into<Shape>) -> NodeIndex {
        self.node(Layer::Input { shape: shape.into() }, &[])
    }

    /// Adds a layer with one input.
    pub fn layer(&mut self, layer: impl Into<Layer>, input: NodeIndex) -> NodeIndex {
        self.node(layer.into(), &[input])
    }

    /// Adds a layer with any number of inputs.
    pub fn node(&mut self, layer: Layer, inputs: &[NodeIndex]) -> NodeIndex {
        let name = layer.name();
        self.push(name, TemplateLayer::Layer(layer), inputs)
    }

    /// Adds `max(x, 0)`.
    pub fn relu(&mut self, input: NodeIndex) -> NodeIndex {
        self.layer(Activation::Relu, input)
    }

    /// Adds an affine batch normalisation with PyTorch's defaults.
    pub fn batch_norm(&mut self, input: NodeIndex) -> NodeIndex {
        self.layer(BatchNorm::default(), input)
    }

    /// Adds a linear layer with bias.
    pub fn linear(&mut self, out_features: usize, input: NodeIndex) -> NodeIndex {
        self.layer(Linear::new(out_features), input)
    }

    /// Adds the sum of inputs of one shape.
    pub fn add(&mut self, inputs: &[NodeIndex]) -> NodeIndex {
        self.node(Layer::Add, inputs)
    }

    /// Joins inputs along the channels.
    pub fn concat(&mut self, inputs: &[NodeIndex]) -> NodeIndex {
        self.node(Concat { axis: 0, unordered: false }.into(), inputs)
    }

    /// Adds the mean over everything but the channels.
    pub fn global_avg_pool(&mut self, input: NodeIndex) -> NodeIndex {
        self.layer(Layer::GlobalAvgPool, input)
    }

    /// Adds one operation, chosen among `candidates`, that keeps the input's shape.
    pub fn operation(&mut self, id: &str, candidates: &[&str], input: NodeIndex) -> NodeIndex {
        let output = self.shape(input).clone();
        self.operation_to(id, candidates, input, output, 1)
    }

    /// Adds one operation, chosen among `candidates`, that returns `output` with this stride.
    pub fn operation_to(
        &mut self,
        id: &str,
        candidates: &[&str],
        input: NodeIndex,
        output: Shape,
        stride: usize,
    ) -> NodeIndex {
        let candidates = candidates.iter().map(|&name| name.to_owned()).collect();
        let options = Options::Operation { candidates, search_only: Vec::new(), min: 1, max: 1 };
        let choice = self.choice(id, options);
        self.operation_of(choice, input, output, stride)
    }

    /// Adds the operations that an existing choice selects.
    pub fn operation_of(
        &mut self,
        choice: ChoiceIndex,
        input: NodeIndex,
        output: Shape,
        stride: usize,
    ) -> NodeIndex {
        let inputs = vec![self.shape(input).clone()];
        let context = OperationContext { role: Role::Final, inputs, output, stride };
        let layer = TemplateLayer::Operation { choice, context, effects: Vec::new() };
        let name = self.last_part(choice);
        self.push(&name, layer, &[input])
    }

    /// Adds the sum of those inputs that a choice of between `min` and `max` selects.
    pub fn chosen_inputs(
        &mut self,
        id: &str,
        inputs: &[NodeIndex],
        min: usize,
        max: usize,
    ) -> NodeIndex {
        let choice = self.choice(id, Options::Inputs { n: inputs.len(), min, max });
        let name = self.last_part(choice);
        self.push(&name, TemplateLayer::Inputs { choice }, inputs)
    }

    /// Adds one of the inputs, which stand for the outputs after so many `repeats`.
    pub fn chosen_depth(&mut self, id: &str, repeats: &[usize], inputs: &[NodeIndex]) -> NodeIndex {
        let choice = self.choice(id, Options::Depth { repeats: repeats.to_vec() });
        let name = self.last_part(choice);
        self.push(&name, TemplateLayer::Depth { choice }, inputs)
    }

    /// Adds a layer whose output channels (or features) are one of `values`, in rising order.
    pub fn chosen_width(
        &mut self,
        id: &str,
        values: &[usize],
        layer: impl Into<Layer>,
        input: NodeIndex,
    ) -> NodeIndex {
        let width = self.choice(id, Options::Width { values: values.to_vec() });
        let layer = layer.into().with_width(values.last().copied().unwrap_or(0));
        let name = layer.name();
        self.push(name, TemplateLayer::Wide { layer, width }, &[input])
    }

    /// The choice of this id, new or made before.
    pub fn choice(&mut self, id: &str, options: Options) -> ChoiceIndex {
        match self.template.choices.iter().position(|choice| choice.id == id) {
            Some(index) => {
                if self.template.choices[index].options != options {
                    self.fail(TemplateError::DuplicateChoice { choice: id.to_owned() });
                }
                index
            }
            None => {
                self.template.choices.push(Choice { id: id.to_owned(), options });
                self.template.choices.len() - 1
            }
        }
    }

    /// Asks every genotype to satisfy this.
    pub fn constrain(&mut self, constraint: Constraint) {
        self.template.constraints.push(constraint);
    }

    /// A node's shape, with all widths at their largest; after a mistake, a guess.
    ///
    /// # Panics
    /// If the node does not exist.
    #[must_use]
    pub fn shape(&self, node: NodeIndex) -> &Shape {
        &self.shapes[node]
    }

    /// The first mistake made so far, which [`TemplateBuilder::finish`] would report.
    #[must_use]
    pub fn mistake(&self) -> Option<&TemplateError> {
        self.error.as_ref()
    }

    /// Ends the template with its logits.
    ///
    /// # Errors
    /// The first mistake made.
    pub fn finish(self, output: NodeIndex) -> Result<Template, TemplateError> {
        self.finish_with(vec![output])
    }

    /// Ends the template with its logits and those of auxiliary heads.
    ///
    /// # Errors
    /// The first mistake made.
    pub fn finish_with(mut self, outputs: Vec<NodeIndex>) -> Result<Template, TemplateError> {
        self.template.outputs = outputs;
        match self.error {
            Some(error) => Err(error),
            None => super::Space::new(self.template.clone()).map(|_| self.template),
        }
    }

    /// Adds a node of any kind under `prefix/name`, with its number where the name is taken.
    pub fn push(&mut self, name: &str, layer: TemplateLayer, inputs: &[NodeIndex]) -> NodeIndex {
        let index = self.template.nodes.len();
        let plain = format!("{}{name}", self.prefix);
        let taken = self.template.nodes.iter().any(|node| node.name == plain);
        let name = if taken { format!("{plain}_{index}") } else { plain };
        let node = TemplateNode { name, layer, inputs: inputs.to_vec() };
        let shape = match inputs.iter().find(|&&input| input >= index) {
            Some(&input) => {
                let node = node.name.clone();
                Err(crate::graph::GraphError::InputOrder { node, index, input }.into())
            }
            None => node_shape(&self.template, &node, &self.shapes),
        };
        self.template.nodes.push(node);
        let shape = shape.unwrap_or_else(|error| {
            self.fail(error);
            inputs.first().and_then(|&i| self.shapes.get(i).cloned()).unwrap_or_default()
        });
        self.shapes.push(shape);
        index
    }

    fn last_part(&self, choice: ChoiceIndex) -> String {
        let id = &self.template.choices[choice].id;
        id.rsplit('/').next().unwrap_or(id).to_owned()
    }

    fn fail(&mut self, error: TemplateError) {
        self.error.get_or_insert(error);
    }
}
