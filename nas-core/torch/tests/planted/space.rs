//! One edge for each group of channels; their means are what a linear layer classifies.

use nas_plugin_api::component::{Component, OperationInfo, SearchSpace};
use nas_plugin_api::configuration;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{Layer, NodeIndex, Shape, Slice};
use nas_plugin_api::template::{Scale, Template, TemplateBuilder};

use crate::problem::{N_CHANNELS, N_COPIES, N_EDGES};

/// Candidates of an edge.
pub(crate) const N_OPERATIONS: usize = N_CHANNELS + 1;
/// The number of `skip`; the others have the number of the channel that they read.
pub(crate) const SKIP: usize = N_CHANNELS;

configuration! {
    /// Settings of the planted space.
    pub struct PlantedSpaceConfig {
        /// Candidate operations, in a mixture's order.
        pub operations: Vec<String> =
            ["pick_0", "pick_1", "pick_2", "pick_3", "pick_4", "pick_5", "pick_6", "skip"]
                .map(str::to_owned),
    }
}

/// Behind an edge nothing is learnt but one weight a class: its channels and pixels are averaged,
/// so that channels which go round a mixture (PC-DARTS) can't be picked out later.
#[derive(Debug)]
pub(crate) struct PlantedSpace {
    config: PlantedSpaceConfig,
}

impl Component for PlantedSpace {
    const NAME: &'static str = "planted";
    const SUMMARY: &'static str = "one edge for each group of channels";
    type Config = PlantedSpaceConfig;
    type Context = ();

    fn create(config: Self::Config, (): ()) -> Result<Self, PluginError> {
        Ok(Self { config })
    }
}

impl SearchSpace for PlantedSpace {
    /// At a scale of several cells each choice stands in all of them. Every edge lists its candidates
    /// from another one on, so that a position means nothing across edges.
    fn template(&self, _: &[OperationInfo], scale: &Scale) -> Result<Template, PluginError> {
        let mut network = TemplateBuilder::new(Self::NAME);
        let image = network.input(scale.input.clone());
        let names: Vec<&str> = self.config.operations.iter().map(String::as_str).collect();
        let mut evidence = Vec::new();
        for cell in 0..scale.cells.unwrap_or(1) {
            for edge in 0..N_EDGES {
                network.begin(&format!("cell_{cell}/edge_{edge}"));
                let group = group(edge, image, &mut network);
                let mut candidates = names.clone();
                candidates.rotate_left(edge % names.len());
                let read = network.operation(&format!("edge_{edge}"), &candidates, group);
                evidence.push(mean(read, &mut network));
            }
        }
        network.begin("head");
        let evidence = network.concat(&evidence);
        let logits = network.linear(scale.classes, evidence);
        Ok(network.finish(logits)?)
    }
}

/// The number, in the order of the configuration, of what an edge lists at this position.
pub(crate) fn operation_at(edge: usize, position: usize) -> usize {
    (position + edge) % N_OPERATIONS
}

/// Where an edge lists an operation.
pub(crate) fn position_of(edge: usize, operation: usize) -> usize {
    (operation + N_OPERATIONS - edge % N_OPERATIONS) % N_OPERATIONS
}

fn group(edge: usize, image: NodeIndex, network: &mut TemplateBuilder) -> NodeIndex {
    let n = N_CHANNELS * N_COPIES;
    let slice = Slice { axis: 0, start: edge * n, end: Some((edge + 1) * n), step: 1 };
    network.layer(slice, image)
}

/// One number an image.
fn mean(x: NodeIndex, network: &mut TemplateBuilder) -> NodeIndex {
    let elements = network.shape(x).elements();
    let flat = network.layer(Layer::Reshape { shape: Shape::from([1, 1, elements]) }, x);
    network.global_avg_pool(flat)
}
