//! What paths cost in milliseconds, measured where the search runs.
//!
//! A search that is taken up must see the same numbers, so they are kept beside the checkpoints.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use nas_core::network::{NetworkSpace, Supernet, SupernetLayer};
use nas_plugin_api::graph::{Graph, Layer, Node, NodeIndex};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use serde::{Deserialize, Serialize};
use tch::Device;

use super::SearchError;
use crate::latency::median_ms;
use crate::network::{Network, Options};
use crate::program::Program;

/// How long each of them is measured.
const TIME: Duration = Duration::from_millis(30);

/// Milliseconds of one example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Latencies {
    /// Of each path, wherever in the network it is.
    pub(super) paths: Vec<f64>,
    /// Of what is computed whatever is chosen.
    pub(super) fixed: f64,
}

impl Latencies {
    /// Those of the file, or measured and written to it.
    pub(super) fn keep(
        file: &Path,
        space: &NetworkSpace,
        supernet: &Supernet,
        device: Device,
    ) -> Result<Self, SearchError> {
        let wrong = |what: String| SearchError::Checkpoint { path: file.to_owned(), what };
        if let Ok(text) = fs::read(file) {
            let kept: Self =
                serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
            if kept.paths.len() == supernet.n_paths {
                return Ok(kept);
            }
            return Err(wrong("it has the latencies of another space".to_owned()));
        }
        let measured = Self::measure(space, supernet, device)?;
        let waiting = file.with_extension("part");
        let write = || -> std::io::Result<()> {
            fs::write(&waiting, serde_json::to_vec(&measured)?)?;
            fs::File::open(&waiting)?.sync_all()?;
            fs::rename(&waiting, file)
        };
        write().map_err(|error| wrong(error.to_string()))?;
        Ok(measured)
    }

    /// Each path alone, equal ones once. What is fixed is what one whole network needs besides its
    /// paths.
    ///
    /// # Source
    /// A sum of latencies of operations, measured one by one, as the latency model: Cai, Zhu, Han,
    /// ProxylessNAS, ICLR 2019, section 3.3. They take a table measured on a phone.
    fn measure(
        space: &NetworkSpace,
        supernet: &Supernet,
        device: Device,
    ) -> Result<Self, SearchError> {
        let options = Options::on(device);
        let time = |graph: &Graph| -> Result<f64, SearchError> {
            let network = Network::build(graph, 0, options).map_err(SearchError::Network)?;
            median_ms(&network, 1, TIME).map_err(SearchError::Network)
        };
        let mut paths = vec![0.0; supernet.n_paths];
        let mut known: HashMap<String, f64> = HashMap::new();
        for (path, graph) in operations(supernet)? {
            let shape = format!("{:?}", unnamed(&graph));
            let milliseconds = match known.get(&shape) {
                Some(&known) => known,
                None => time(&graph)?,
            };
            known.insert(shape, milliseconds);
            paths[path] += milliseconds;
        }
        let template = space.space();
        let genotype = random_genotype(template, &mut generator(0))
            .map_err(|source| SearchError::Strategy { strategy: "random".to_owned(), source })?;
        let whole = time(&space.network(&genotype)?)?;
        let layout = MixtureLayout::new(template);
        let chosen = layout.chosen(template, &genotype);
        let fixed = whole - chosen.map(|path| paths[path]).sum::<f64>();
        Ok(Self { paths, fixed: fixed.max(0.0) })
    }
}

/// The operation behind every path of every mixture, as a network of its own. Paths that hand on
/// what they read have none.
fn operations(supernet: &Supernet) -> Result<Vec<(usize, Graph)>, SearchError> {
    let program =
        Program::from_supernet(supernet).map_err(|error| SearchError::Network(error.into()))?;
    let mut found = Vec::new();
    for node in &supernet.nodes {
        let SupernetLayer::Mixture { paths } = &node.layer else { continue };
        for (path, &term) in paths.iter().zip(&node.inputs) {
            let prefix = format!("{}/", node.name);
            let Some(rest) = supernet.nodes[term].name.strip_prefix(&prefix) else { continue };
            let Some((candidate, _)) = rest.split_once('/') else { continue };
            let prefix = format!("{prefix}{candidate}/");
            let mut graph = Graph { nodes: Vec::new(), outputs: Vec::new() };
            let mut place = HashMap::new();
            let output = copy(supernet, &program, &prefix, term, &mut graph, &mut place);
            graph.outputs.push(output);
            found.push((path.index, graph));
        }
    }
    Ok(found)
}

/// Copies a node of an operation with all that it needs; what lies outside becomes an input.
fn copy(
    supernet: &Supernet,
    program: &Program,
    prefix: &str,
    node: NodeIndex,
    graph: &mut Graph,
    place: &mut HashMap<NodeIndex, NodeIndex>,
) -> NodeIndex {
    if let Some(&known) = place.get(&node) {
        return known;
    }
    let original = &supernet.nodes[node];
    let copied = match &original.layer {
        SupernetLayer::Layer(layer) if original.name.starts_with(prefix) => {
            let inputs = original.inputs.iter();
            let inputs =
                inputs.map(|&i| copy(supernet, program, prefix, i, graph, place)).collect();
            Node { name: original.name.clone(), layer: layer.clone(), inputs }
        }
        _ => {
            let layer = Layer::Input { shape: program.nodes[node].shape.clone() };
            Node { name: original.name.clone(), layer, inputs: Vec::new() }
        }
    };
    graph.nodes.push(copied);
    place.insert(node, graph.nodes.len() - 1);
    graph.nodes.len() - 1
}

/// What two operations that take equally long have in common.
fn unnamed(graph: &Graph) -> Vec<(&Layer, &[NodeIndex])> {
    graph.nodes.iter().map(|node| (&node.layer, node.inputs.as_slice())).collect()
}
