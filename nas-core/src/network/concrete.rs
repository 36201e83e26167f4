//! From genotype to layer graph.

use std::borrow::Cow;
use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::{Graph, Layer, Node, NodeIndex, Shape, infer_shape};
use nas_plugin_api::template::{Decided, OperationContext, Options, TemplateLayer};

use super::operations::OperationGraph;
use super::{NetworkError, NetworkSpace};

impl NetworkSpace {
    /// The concrete network of a genotype.
    ///
    /// # Panics
    /// If the genotype is none of this space.
    ///
    /// # Errors
    /// A network that can't be computed.
    pub fn network(&self, genotype: &Genotype) -> Result<Graph, NetworkError> {
        let decision = self.space.decide(genotype);
        let template = self.space.template();
        let mut network = Network::default();
        // Where each of the template's nodes is in the network.
        let mut place: Vec<NodeIndex> = vec![usize::MAX; template.nodes.len()];
        for (index, node) in template.nodes.iter().enumerate() {
            place[index] = match &decision.nodes[index] {
                // A network of zeros reads nothing, but it is still given an example.
                Decided::Dead => match &node.layer {
                    TemplateLayer::Layer(input @ Layer::Input { .. }) => {
                        network.push(&node.name, input.clone(), &[])?
                    }
                    _ => continue,
                },
                Decided::Same(other) => place[*other],
                Decided::Zero => {
                    let read: Vec<Shape> = node
                        .inputs
                        .iter()
                        .map(|&i| network.shapes.get(place[i]).cloned().unwrap_or_default())
                        .collect();
                    let shape = self.zero_shape_of(index, &read);
                    network.push(&node.name, Layer::Zero { shape }, &[])?
                }
                Decided::Sum(inputs) => {
                    let inputs: Vec<NodeIndex> = inputs.iter().map(|&input| place[input]).collect();
                    network.push(&node.name, Layer::Add, &inputs)?
                }
                Decided::Layer(inputs) => {
                    let inputs: Vec<NodeIndex> = inputs.iter().map(|&input| place[input]).collect();
                    network.push(
                        &node.name,
                        self.layer_of(index, genotype).into_owned(),
                        &inputs,
                    )?
                }
                Decided::Operations { candidates, identities, inputs } => {
                    let inputs: Vec<NodeIndex> = inputs.iter().map(|&input| place[input]).collect();
                    let mut terms = vec![inputs[0]; *identities];
                    for &candidate in candidates {
                        let shapes: Vec<&Shape> =
                            inputs.iter().map(|&input| &network.shapes[input]).collect();
                        let operation = self.operation(index, candidate, &shapes)?;
                        let name = format!("{}/{}", node.name, self.candidate(index, candidate));
                        terms.push(network.splice(&name, &operation.graph, &inputs)?);
                    }
                    match terms.as_slice() {
                        [only] => *only,
                        _ => network.push(&node.name, Layer::Add, &terms)?,
                    }
                }
            };
        }
        let outputs = decision.outputs.iter().map(|&output| place[output]).collect();
        let graph = Graph { nodes: network.nodes, outputs };
        graph.shapes()?;
        Ok(graph)
    }

    /// A layer of the template, with the chosen width.
    pub(super) fn layer_of(&self, node: NodeIndex, genotype: &Genotype) -> Cow<'_, Layer> {
        let template = self.space.template();
        match &template.nodes[node].layer {
            TemplateLayer::Layer(layer) => Cow::Borrowed(layer),
            TemplateLayer::Wide { layer, width } => {
                let position = self.space.selection(*width, genotype.0[*width])[0];
                match &template.choices[*width].options {
                    Options::Width { values } => {
                        Cow::Owned(layer.clone().with_width(values[position]))
                    }
                    _ => Cow::Borrowed(layer),
                }
            }
            _ => Cow::Owned(Layer::Identity),
        }
    }

    /// A candidate operation's graph at a node, for inputs of these shapes.
    pub(super) fn operation(
        &self,
        node: NodeIndex,
        candidate: usize,
        inputs: &[&Shape],
    ) -> Result<Arc<OperationGraph>, NetworkError> {
        let TemplateLayer::Operation { context, .. } = &self.space.template().nodes[node].layer
        else {
            unreachable!("only operation nodes have candidates")
        };
        self.operation_to(node, candidate, inputs, context.output.clone())
    }

    /// The same, returning another shape than the template says.
    pub(super) fn operation_to(
        &self,
        node: NodeIndex,
        candidate: usize,
        inputs: &[&Shape],
        output: Shape,
    ) -> Result<Arc<OperationGraph>, NetworkError> {
        let place = &self.space.template().nodes[node];
        let TemplateLayer::Operation { context, .. } = &place.layer else {
            unreachable!("only operation nodes have candidates")
        };
        let context = OperationContext {
            role: self.role,
            inputs: inputs.iter().map(|&shape| shape.clone()).collect(),
            output,
            ..context.clone()
        };
        self.operations
            .get(self.candidate(node, candidate), &context)
            .map_err(|source| NetworkError::Operation { node: place.name.clone(), source })
    }

    /// The shape of the zeros at a node, given the shapes of all nodes of the template before it.
    pub(super) fn zero_shape(&self, node: NodeIndex, shapes: &[Shape]) -> Shape {
        let inputs: Vec<Shape> = self.space.template().nodes[node]
            .inputs
            .iter()
            .map(|&input| shapes[input].clone())
            .collect();
        self.zero_shape_of(node, &inputs)
    }

    fn zero_shape_of(&self, node: NodeIndex, inputs: &[Shape]) -> Shape {
        // Inputs that nothing else reads are dead and have no shape any more.
        let known = inputs.iter().find(|shape| !shape.0.is_empty());
        let known = known.unwrap_or(&self.widest[node]).clone();
        match &self.space.template().nodes[node].layer {
            TemplateLayer::Operation { context, .. } => context.output.clone(),
            TemplateLayer::Layer(Layer::Zero { shape }) => shape.clone(),
            TemplateLayer::Layer(layer) | TemplateLayer::Wide { layer, .. }
                if inputs.iter().all(|shape| !shape.0.is_empty()) =>
            {
                let inputs: Vec<&Shape> = inputs.iter().collect();
                infer_shape(layer, &inputs).unwrap_or(known)
            }
            TemplateLayer::Layer(_) | TemplateLayer::Wide { .. } => self.widest[node].clone(),
            _ => known,
        }
    }

    pub(super) fn candidate(&self, node: NodeIndex, candidate: usize) -> &str {
        let template = self.space.template();
        match &template.nodes[node].layer {
            TemplateLayer::Operation { choice, .. } => match &template.choices[*choice].options {
                Options::Operation { candidates, .. } => &candidates[candidate],
                _ => "",
            },
            _ => "",
        }
    }
}

/// A layer graph in the making, with its shapes.
#[derive(Default)]
struct Network {
    nodes: Vec<Node>,
    shapes: Vec<Shape>,
}

impl Network {
    fn push(
        &mut self,
        name: &str,
        layer: Layer,
        inputs: &[NodeIndex],
    ) -> Result<NodeIndex, NetworkError> {
        let shapes: Vec<&Shape> = inputs.iter().map(|&input| &self.shapes[input]).collect();
        let shape = infer_shape(&layer, &shapes).map_err(|source| {
            nas_plugin_api::graph::GraphError::Shape { node: name.to_owned(), source }
        })?;
        self.nodes.push(Node { name: name.to_owned(), layer, inputs: inputs.to_vec() });
        self.shapes.push(shape);
        Ok(self.nodes.len() - 1)
    }

    /// Copies an operation's graph in, its inputs replaced by `inputs`.
    fn splice(
        &mut self,
        name: &str,
        operation: &Graph,
        inputs: &[NodeIndex],
    ) -> Result<NodeIndex, NetworkError> {
        let mut next_input = inputs.iter();
        let mut place: Vec<NodeIndex> = Vec::with_capacity(operation.nodes.len());
        for node in &operation.nodes {
            place.push(match (&node.layer, next_input.as_slice()) {
                (Layer::Input { .. }, [input, ..]) => {
                    next_input.next();
                    *input
                }
                _ => {
                    let inputs: Vec<NodeIndex> = node.inputs.iter().map(|&i| place[i]).collect();
                    self.push(&format!("{name}/{}", node.name), node.layer.clone(), &inputs)?
                }
            });
        }
        Ok(place[operation.outputs[0]])
    }
}
