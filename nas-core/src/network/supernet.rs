//! The second reading of a template: every choice at once, as a mixture.

use nas_plugin_api::graph::{
    Concat, GraphError, Layer, NodeIndex, Pool2d, Shape, Slice, infer_shape,
};
use nas_plugin_api::template::{ChoiceIndex, Effect, Options, TemplateLayer};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use serde::{Deserialize, Serialize};

use super::operations::OperationGraph;
use super::{NetworkError, NetworkSpace, layer_cost};

/// A supernet as plain data: a layer graph in which mixtures take the places of choices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Supernet {
    /// The layers and mixtures, inputs first; parameters carry the nodes' names, which are those
    /// of the same layers in a concrete network.
    pub nodes: Vec<SupernetNode>,
    /// What the network returns: its logits first, then the logits of auxiliary heads.
    pub outputs: Vec<NodeIndex>,
    /// Number of paths: the length of a mixture.
    pub n_paths: usize,
    /// Multiply-adds of each path, wherever in the network it is.
    pub path_costs: Vec<f64>,
    /// Multiply-adds of what is computed whatever is chosen.
    pub fixed_cost: f64,
}

/// One node of a supernet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupernetNode {
    /// Path-like name, unique in the supernet.
    pub name: String,
    /// What is computed.
    pub layer: SupernetLayer,
    /// The nodes that are read, each before this one.
    pub inputs: Vec<NodeIndex>,
}

/// What a node of a supernet computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupernetLayer {
    /// A layer.
    Layer(Layer),
    /// The inputs' sum, each times its path's weight in the mixture.
    Mixture {
        /// One path per input.
        paths: Vec<Path>,
    },
    /// Its input times a weighted sum of masks, each of which lets the first so many channels
    /// through. Behind a layer of a chosen width, or behind the batch norm that reads it.
    WidthMask {
        /// One path per width.
        paths: Vec<usize>,
        /// The widths.
        widths: Vec<usize>,
    },
}

/// A path that enters a mixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Path {
    /// Position in the mixture's weights.
    pub index: usize,
    /// Whether it hands on what it reads, unchanged; dropout treats such paths differently.
    pub is_identity: bool,
}

impl NetworkSpace {
    /// The supernet of all networks of this space.
    ///
    /// With `one_in` above 1, only the first so-manieth part of an edge's channels passes its
    /// mixed operation; the rest goes round it, and the channels are shuffled behind it
    /// (PC-DARTS).
    ///
    /// # Errors
    /// What can't be relaxed, with the node's name.
    ///
    /// # Source
    /// Mixtures: Liu et al., DARTS, ICLR 2019, section 2.2. Partial channels: Xu et al.,
    /// PC-DARTS, ICLR 2020, section 3.2; `yuhuixu1993/PC-DARTS@b74702f`: model_search.py.
    pub fn supernet(&self, one_in: usize) -> Result<Supernet, NetworkError> {
        let template = self.space.template();
        let layout = MixtureLayout::new(&self.space);
        let mut writer = Writer {
            supernet: Supernet {
                n_paths: layout.n_paths(),
                path_costs: vec![0.0; layout.n_paths()],
                ..Supernet::default()
            },
            ..Writer::default()
        };
        let mut place: Vec<NodeIndex> = Vec::with_capacity(template.nodes.len());
        for (index, node) in template.nodes.iter().enumerate() {
            let inputs: Vec<NodeIndex> = node.inputs.iter().map(|&input| place[input]).collect();
            let plain = |choice: ChoiceIndex| {
                layout.paths(choice).map(|index| Path { index, is_identity: false }).collect()
            };
            place.push(match &node.layer {
                TemplateLayer::Layer(layer @ Layer::BatchNorm(_)) => {
                    writer.norm(&node.name, layer.clone(), &inputs)?
                }
                TemplateLayer::Layer(layer @ (Layer::LayerNorm(_) | Layer::GroupNorm(_)))
                    if inputs.iter().any(|&input| writer.masks[input].is_some()) =>
                {
                    let (node, layer) = (node.name.clone(), layer.name());
                    return Err(NetworkError::NormOfWidth { node, layer });
                }
                TemplateLayer::Layer(layer) => writer.fixed(&node.name, layer.clone(), &inputs)?,
                TemplateLayer::Wide { layer, width } => {
                    let Options::Width { values } = &template.choices[*width].options else {
                        continue;
                    };
                    let widest = values.last().copied().unwrap_or(1);
                    let layer = layer.clone().with_width(widest);
                    let wide = writer.fixed(&node.name, layer, &inputs)?;
                    let paths = layout.paths(*width).collect();
                    let mask = SupernetLayer::WidthMask { paths, widths: values.clone() };
                    let shape = writer.shapes[wide].clone();
                    writer.push(format!("{}/width", node.name), mask, vec![wide], shape)
                }
                TemplateLayer::Inputs { choice } | TemplateLayer::Depth { choice } => {
                    writer.mixture(&node.name, plain(*choice), &inputs)?
                }
                TemplateLayer::Operation { choice, .. } => {
                    let paths = layout.paths(*choice);
                    self.mixed_operation(index, paths.start, one_in, &inputs, &mut writer)?
                }
                _ => writer.fixed(&node.name, Layer::Identity, &inputs)?,
            });
        }
        writer.supernet.outputs = template.outputs.iter().map(|&output| place[output]).collect();
        Ok(writer.supernet)
    }

    /// All candidates of one place and their mixture.
    fn mixed_operation(
        &self,
        node: NodeIndex,
        first_path: usize,
        one_in: usize,
        inputs: &[NodeIndex],
        writer: &mut Writer,
    ) -> Result<NodeIndex, NetworkError> {
        let place = &self.space.template().nodes[node];
        let TemplateLayer::Operation { effects, context, .. } = &place.layer else {
            return writer.fixed(&place.name, Layer::Identity, inputs);
        };
        if one_in > 1 {
            return self.partial_channels(node, first_path, one_in, inputs, writer);
        }
        let shapes: Vec<Shape> = inputs.iter().map(|&i| writer.shapes[i].clone()).collect();
        let shapes: Vec<&Shape> = shapes.iter().collect();
        let mut terms = Vec::with_capacity(effects.len());
        let mut paths = Vec::with_capacity(effects.len());
        for candidate in 0..effects.len() {
            let operation = self.operation(node, candidate, &shapes)?;
            let name = format!("{}/{}", place.name, self.candidate(node, candidate));
            terms.push(writer.splice(&name, &operation, inputs)?);
            let index = first_path + candidate;
            writer.supernet.path_costs[index] += operation.cost.multiply_adds as f64;
            paths.push(Path { index, is_identity: operation.effect == Effect::Identity });
        }
        debug_assert_eq!(context.output.0.len(), writer.shapes[terms[0]].0.len());
        writer.mixture(&place.name, paths, &terms)
    }

    /// The mixture on the first channels, the others past it, and a shuffle of both.
    fn partial_channels(
        &self,
        node: NodeIndex,
        first_path: usize,
        one_in: usize,
        inputs: &[NodeIndex],
        writer: &mut Writer,
    ) -> Result<NodeIndex, NetworkError> {
        let place = &self.space.template().nodes[node];
        let name = &place.name;
        let TemplateLayer::Operation { effects, context, .. } = &place.layer else {
            return writer.fixed(name, Layer::Identity, inputs);
        };
        let shape = writer.shapes[inputs[0]].clone();
        let channels = shape.channels();
        if inputs.len() != 1
            || channels != context.output.channels()
            || !channels.is_multiple_of(one_in)
        {
            return Err(NetworkError::PartialChannels {
                node: name.clone(),
                inputs: inputs.len(),
                channels,
                output: context.output.channels(),
                one_in,
            });
        }
        let part = channels / one_in;
        let slice = |start, end| Layer::Slice(Slice { axis: 0, start, end, step: 1 });
        let inner = writer.fixed(&format!("{name}/part"), slice(0, Some(part)), inputs)?;
        let inner_shape = writer.shapes[inner].clone();
        let mut output = context.output.clone();
        output.0[0] = part;
        let (mut terms, mut paths) = (Vec::new(), Vec::new());
        for candidate in 0..effects.len() {
            let operation = self.operation_to(node, candidate, &[&inner_shape], output.clone())?;
            let prefix = format!("{name}/{}", self.candidate(node, candidate));
            terms.push(writer.splice(&prefix, &operation, &[inner])?);
            let index = first_path + candidate;
            writer.supernet.path_costs[index] += operation.cost.multiply_adds as f64;
            paths.push(Path { index, is_identity: operation.effect == Effect::Identity });
        }
        let mixed = writer.mixture(name, paths, &terms)?;
        let mut past = writer.fixed(&format!("{name}/past"), slice(part, None), inputs)?;
        if context.stride > 1 {
            let pool = Pool2d::max(context.stride).stride(context.stride);
            past = writer.fixed(&format!("{name}/past_pool"), pool.into(), &[past])?;
        }
        let joined = Layer::Concat(Concat { axis: 0, unordered: false });
        let joined = writer.fixed(&format!("{name}/joined"), joined, &[mixed, past])?;
        let joined_shape = writer.shapes[joined].clone();
        let mut grouped = vec![one_in, part];
        grouped.extend(&joined_shape.0[1..]);
        let reshape = |shape: Vec<usize>| Layer::Reshape { shape: Shape(shape) };
        let x = writer.fixed(&format!("{name}/groups"), reshape(grouped), &[joined])?;
        let swap = Layer::Transpose { first: 0, second: 1 };
        let x = writer.fixed(&format!("{name}/shuffle"), swap, &[x])?;
        writer.fixed(&format!("{name}/shuffled"), reshape(joined_shape.0), &[x])
    }
}

/// Whether zeros in some channels reach others, or move.
fn mixes_channels(layer: &Layer) -> bool {
    !matches!(
        layer,
        Layer::Activation(_)
            | Layer::Add
            | Layer::AdaptiveAvgPool(_)
            | Layer::BatchNorm(_)
            | Layer::DropPath
            | Layer::Dropout { .. }
            | Layer::GlobalAvgPool
            | Layer::Identity
            | Layer::Mul
            | Layer::Pool1d(_)
            | Layer::Pool2d(_)
    )
}

/// A supernet in the making, with its shapes.
#[derive(Default)]
struct Writer {
    supernet: Supernet,
    shapes: Vec<Shape>,
    /// The mask that each value carries: what lies behind it is zero.
    masks: Vec<Option<SupernetLayer>>,
}

impl Writer {
    fn push(
        &mut self,
        name: String,
        layer: SupernetLayer,
        inputs: Vec<NodeIndex>,
        shape: Shape,
    ) -> NodeIndex {
        self.masks.push(match &layer {
            SupernetLayer::WidthMask { .. } => Some(layer.clone()),
            SupernetLayer::Layer(layer) if mixes_channels(layer) => None,
            // Sums of values with different masks have none.
            _ => match inputs.split_first() {
                Some((&first, others)) => self.masks[first]
                    .clone()
                    .filter(|mask| others.iter().all(|&i| self.masks[i].as_ref() == Some(mask))),
                None => None,
            },
        });
        self.supernet.nodes.push(SupernetNode { name, layer, inputs });
        self.shapes.push(shape);
        self.shapes.len() - 1
    }

    fn infer(
        &self,
        name: &str,
        layer: &Layer,
        inputs: &[NodeIndex],
    ) -> Result<Shape, NetworkError> {
        let shapes: Vec<&Shape> = inputs.iter().map(|&input| &self.shapes[input]).collect();
        infer_shape(layer, &shapes)
            .map_err(|source| GraphError::Shape { node: name.to_owned(), source }.into())
    }

    /// A layer that is computed whatever is chosen.
    fn fixed(
        &mut self,
        name: &str,
        layer: Layer,
        inputs: &[NodeIndex],
    ) -> Result<NodeIndex, NetworkError> {
        let shape = self.infer(name, &layer, inputs)?;
        let shapes: Vec<&Shape> = inputs.iter().map(|&input| &self.shapes[input]).collect();
        self.supernet.fixed_cost += layer_cost(&layer, &shapes, &shape).multiply_adds as f64;
        Ok(self.push(name.to_owned(), SupernetLayer::Layer(layer), inputs.to_vec(), shape))
    }

    /// A batch norm. It undoes whatever a mask does to a channel's scale, and shifts channels that
    /// are masked away: so a mask right in front of it moves behind it, and one further up is
    /// repeated.
    fn norm(
        &mut self,
        name: &str,
        layer: Layer,
        inputs: &[NodeIndex],
    ) -> Result<NodeIndex, NetworkError> {
        let mask = inputs.first().and_then(|&input| self.masks[input].clone());
        let Some(mask) = mask else { return self.fixed(name, layer, inputs) };
        let wide = match &self.supernet.nodes[inputs[0]] {
            SupernetNode { layer: SupernetLayer::WidthMask { .. }, inputs, .. } => inputs.clone(),
            _ => inputs.to_vec(),
        };
        let norm = self.fixed(name, layer, &wide)?;
        let shape = self.shapes[norm].clone();
        Ok(self.push(format!("{name}/width"), mask, vec![norm], shape))
    }

    fn mixture(
        &mut self,
        name: &str,
        paths: Vec<Path>,
        inputs: &[NodeIndex],
    ) -> Result<NodeIndex, NetworkError> {
        let shape = self.infer(name, &Layer::Add, inputs)?;
        Ok(self.push(name.to_owned(), SupernetLayer::Mixture { paths }, inputs.to_vec(), shape))
    }

    /// Copies an operation's graph in, its inputs replaced by `inputs`.
    fn splice(
        &mut self,
        name: &str,
        operation: &OperationGraph,
        inputs: &[NodeIndex],
    ) -> Result<NodeIndex, NetworkError> {
        let graph = &operation.graph;
        let mut next_input = inputs.iter();
        let mut place: Vec<NodeIndex> = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            place.push(match (&node.layer, next_input.as_slice()) {
                (Layer::Input { .. }, [input, ..]) => {
                    next_input.next();
                    *input
                }
                _ => {
                    let inputs: Vec<NodeIndex> = node.inputs.iter().map(|&i| place[i]).collect();
                    let name = format!("{name}/{}", node.name);
                    let shape = self.infer(&name, &node.layer, &inputs)?;
                    self.push(name, SupernetLayer::Layer(node.layer.clone()), inputs, shape)
                }
            });
        }
        Ok(place[graph.outputs[0]])
    }
}
