//! How operations and spaces write layer graphs.

use super::{
    Activation, BatchNorm, Concat, Graph, GraphError, Layer, Linear, Node, NodeIndex, Shape,
    infer_shape,
};

/// Writes a layer graph node by node.
///
/// Methods return the new node at once and remember the first mistake; [`GraphBuilder::finish`]
/// reports it with the node's name. So an operation reads like the network it describes:
///
/// ```
/// use nas_plugin_api::graph::{BatchNorm, Conv2d, GraphBuilder};
/// let mut graph = GraphBuilder::new();
/// let image = graph.input([3, 32, 32]);
/// let x = graph.relu(image);
/// let x = graph.layer(Conv2d::new(16, 3).padding(1), x);
/// let x = graph.layer(BatchNorm::default(), x);
/// assert_eq!(graph.shape(x).to_string(), "[16, 32, 32]");
/// assert!(graph.finish(x).is_ok());
/// ```
#[derive(Debug, Default)]
pub struct GraphBuilder {
    graph: Graph,
    shapes: Vec<Shape>,
    error: Option<GraphError>,
}

impl GraphBuilder {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an input of this shape.
    pub fn input(&mut self, shape: impl Into<Shape>) -> NodeIndex {
        self.node(Layer::Input { shape: shape.into() }, &[])
    }

    /// Adds a layer with one input.
    pub fn layer(&mut self, layer: impl Into<Layer>, input: NodeIndex) -> NodeIndex {
        self.node(layer.into(), &[input])
    }

    /// Adds a layer with any number of inputs, named after the layer and its position.
    pub fn node(&mut self, layer: Layer, inputs: &[NodeIndex]) -> NodeIndex {
        let name = format!("{}_{}", layer.name(), self.graph.nodes.len());
        self.named(&name, layer, inputs)
    }

    /// Adds a layer under a name of its own, which its parameters will carry.
    pub fn named(&mut self, name: &str, layer: Layer, inputs: &[NodeIndex]) -> NodeIndex {
        let index = self.graph.nodes.len();
        let name = name.to_owned();
        let shape = match inputs.iter().find(|&&input| input >= index) {
            Some(&input) => Err(GraphError::InputOrder { node: name.clone(), index, input }),
            None => {
                let shapes: Vec<&Shape> = inputs.iter().map(|&input| &self.shapes[input]).collect();
                infer_shape(&layer, &shapes)
                    .map_err(|source| GraphError::Shape { node: name.clone(), source })
            }
        };
        self.graph.nodes.push(Node { name, layer, inputs: inputs.to_vec() });
        self.shapes.push(shape.unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            inputs.first().and_then(|&i| self.shapes.get(i).cloned()).unwrap_or_default()
        }));
        index
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

    /// Adds zeros of this shape that depend on `input` only in name.
    pub fn zero(&mut self, shape: impl Into<Shape>, input: NodeIndex) -> NodeIndex {
        self.layer(Layer::Zero { shape: shape.into() }, input)
    }

    /// A node's shape; after a mistake, a guess.
    ///
    /// # Panics
    /// If the node does not exist.
    #[must_use]
    pub fn shape(&self, node: NodeIndex) -> &Shape {
        &self.shapes[node]
    }

    /// Ends the graph with one output.
    ///
    /// # Errors
    /// The first mistake made, with its node's name.
    pub fn finish(self, output: NodeIndex) -> Result<Graph, GraphError> {
        self.finish_with(vec![output])
    }

    /// Ends the graph with several outputs.
    ///
    /// # Errors
    /// The first mistake made, with its node's name.
    pub fn finish_with(mut self, outputs: Vec<NodeIndex>) -> Result<Graph, GraphError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.graph.outputs = outputs;
        self.graph.shapes().map(|_| self.graph)
    }
}
