//! What is known of a network before it is built: cost, operations, canonical hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::{GraphError, Layer, Shape, infer_shape};
use nas_plugin_api::measurement::Cost;
use nas_plugin_api::template::{CanonicalHash, Decided, Decision, Reader, TemplateLayer};

use super::{NetworkError, NetworkSpace, layer_cost};

/// What is known of a network before it is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Shared by genotypes that are the same network.
    pub canonical: CanonicalHash,
    /// What it costs.
    pub cost: Cost,
    /// How often each operation is part of it, by name; identities and zeros are counted where
    /// they were chosen and matter.
    pub operations: BTreeMap<Arc<str>, u32>,
}

/// Looks at one genotype after the other, and keeps its memory from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Outliner {
    reader: Reader,
    depths: Vec<u32>,
    counts: Vec<u32>,
}

impl Outliner {
    /// Looks at a genotype's network without building it.
    ///
    /// # Panics
    /// If the genotype is none of this space.
    ///
    /// # Errors
    /// A network that can't be computed (shapes that depend on widths may disagree).
    pub fn outline(
        &mut self,
        space: &NetworkSpace,
        genotype: &Genotype,
    ) -> Result<Outline, NetworkError> {
        let (canonical, decision) = self.reader.read(&space.space, genotype);
        let cost = match &space.fixed_costs {
            Some(costs) => costs.total(decision, &mut self.depths),
            None => space.cost(decision, genotype)?,
        };
        let counter = &space.operation_counter;
        let operations = counter.count(&space.space, decision, genotype, &mut self.counts);
        Ok(Outline { canonical, cost, operations })
    }
}

impl NetworkSpace {
    /// Looks at a genotype's network without building it; for many, an [`Outliner`] is faster.
    ///
    /// # Panics
    /// If the genotype is none of this space.
    ///
    /// # Errors
    /// A network that can't be computed (shapes that depend on widths may disagree).
    pub fn outline(&self, genotype: &Genotype) -> Result<Outline, NetworkError> {
        Outliner::default().outline(self, genotype)
    }

    /// Adds up the costs of what a decision leaves.
    fn cost(&self, decision: &Decision, genotype: &Genotype) -> Result<Cost, NetworkError> {
        let template = self.space.template();
        let mut total = Cost::default();
        let mut depths: Vec<u32> = vec![0; template.nodes.len()];
        let mut shapes: Vec<Shape> = vec![Shape::default(); template.nodes.len()];
        for (index, node) in template.nodes.iter().enumerate() {
            let decided = &decision.nodes[index];
            let (cost, inputs, shape) = match decided {
                Decided::Dead => continue,
                Decided::Same(other) => {
                    shapes[index] = shapes[*other].clone();
                    depths[index] = depths[*other];
                    continue;
                }
                Decided::Zero => {
                    shapes[index] = self.zero_shape(index, &shapes);
                    continue;
                }
                Decided::Sum(inputs) => {
                    let terms: Vec<&Shape> = inputs.iter().map(|&input| &shapes[input]).collect();
                    let shape = self.infer(&node.name, &Layer::Add, &terms)?;
                    (layer_cost(&Layer::Add, &terms, &shape), inputs, shape)
                }
                Decided::Layer(inputs) => {
                    let layer = self.layer_of(index, genotype);
                    let terms: Vec<&Shape> = inputs.iter().map(|&input| &shapes[input]).collect();
                    let shape = self.infer(&node.name, &layer, &terms)?;
                    (layer_cost(&layer, &terms, &shape), inputs, shape)
                }
                Decided::Operations { candidates, inputs, .. } => {
                    let mut sum = Cost::default();
                    let terms: Vec<&Shape> = inputs.iter().map(|&input| &shapes[input]).collect();
                    let mut shape = Shape::default();
                    for &candidate in candidates {
                        let graph = self.operation(index, candidate, &terms)?;
                        sum.parameters += graph.cost.parameters;
                        sum.multiply_adds += graph.cost.multiply_adds;
                        sum.activation_bytes += graph.cost.activation_bytes;
                        sum.depth = sum.depth.max(graph.cost.depth);
                    }
                    if let TemplateLayer::Operation { context, .. } = &node.layer {
                        shape.clone_from(&context.output);
                    }
                    (sum, inputs, shape)
                }
            };
            total.parameters += cost.parameters;
            total.multiply_adds += cost.multiply_adds;
            total.activation_bytes += cost.activation_bytes;
            depths[index] =
                cost.depth + inputs.iter().map(|&input| depths[input]).max().unwrap_or(0);
            shapes[index] = shape;
        }
        total.depth = decision.outputs.iter().map(|&output| depths[output]).max().unwrap_or(0);
        Ok(total)
    }

    fn infer(&self, node: &str, layer: &Layer, inputs: &[&Shape]) -> Result<Shape, NetworkError> {
        infer_shape(layer, inputs)
            .map_err(|source| GraphError::Shape { node: node.to_owned(), source }.into())
    }
}
