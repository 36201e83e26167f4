//! Every candidate operation, and one network each of the spaces nb201 and darts, against arrays
//! that PyTorch computed: `tests/reference/make_reference.py` says how.
//!
//! Parameters and multiply-adds must be equal; outputs, gradients and running statistics agree to
//! 1e-11 in 64-bit floats, and those of single operations to 5e-5 in the 32-bit floats that training
//! uses.

use std::collections::HashMap;
use std::path::Path;

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost};
use nas_plugin_api::component::{Component, OperationSet, SearchSpace};
use nas_plugin_api::graph::{Graph, GraphBuilder, Shape};
use nas_plugin_api::template::{OperationContext, Role, Scale};
use nas_torch::network::{Network, Options};
use ops_basic::BasicOperations;
use ops_darts::DartsOperations;
use ops_nb201::Nb201Operations;
use space_darts::{DartsConfig, DartsSpace};
use space_nb201::{Nb201Config, Nb201Space};
use tch::{Device, Kind, Tensor};

use crate::splitmix::{numbers, sample, set_parameters};

// As in the script.
const BATCH: usize = 2;
pub(crate) const INPUT: u64 = 1_000_000;
const TARGET: u64 = 1_000_001;

pub(crate) const NB201: &str = "edge_0_1=nor_conv_3x3,edge_0_2=skip_connect,edge_1_2=nor_conv_1x1,\
    edge_0_3=avg_pool_3x3,edge_1_3=none,edge_2_3=nor_conv_3x3";

pub(crate) const DARTS: &str = "normal/edge_0_2=sep_conv_3x3,normal/edge_1_2=sep_conv_5x5,normal/node_2=0+1,\
    normal/edge_0_3=skip_connect,normal/edge_2_3=dil_conv_3x3,normal/node_3=0+2,\
    normal/edge_1_4=avg_pool_3x3,normal/edge_3_4=max_pool_3x3,normal/node_4=1+3,\
    normal/edge_0_5=dil_conv_5x5,normal/edge_2_5=skip_connect,normal/node_5=0+2,\
    reduction/edge_0_2=max_pool_3x3,reduction/edge_1_2=skip_connect,reduction/node_2=0+1,\
    reduction/edge_0_3=dil_conv_5x5,reduction/edge_2_3=skip_connect,reduction/node_3=0+2,\
    reduction/edge_1_4=sep_conv_5x5,reduction/edge_3_4=avg_pool_3x3,reduction/node_4=1+3,\
    reduction/edge_1_5=avg_pool_3x3,reduction/edge_4_5=sep_conv_3x3,reduction/node_5=1+4";

#[test]
fn operations_of_nb201() {
    check_operations(&Nb201Operations, "ops_nb201");
}

#[test]
fn operations_of_darts() {
    check_operations(&DartsOperations, "ops_darts");
}

#[test]
fn operations_of_basic() {
    check_operations(&BasicOperations, "ops_basic");
}

#[test]
fn network_of_nb201() {
    let space = Nb201Space::create(Nb201Config::default(), ()).unwrap();
    let scale = Scale { channels: Some(16), cells: Some(1), ..scale(16) };
    check_network(&space, Box::new(Nb201Operations), &scale, NB201, "network_nb201");
}

#[test]
fn network_of_darts_with_its_auxiliary_head() {
    let space = DartsSpace::create(DartsConfig::default(), ()).unwrap();
    let scale = Scale { channels: Some(8), cells: Some(4), auxiliary_head: true, ..scale(32) };
    check_network(&space, Box::new(DartsOperations), &scale, DARTS, "network_darts");
}

/// How something is computed, and how far from PyTorch's 64-bit numbers that may be: so many times
/// the largest of an array, or 1.
struct Precision {
    kind: Kind,
    channels_last: bool,
    tolerance: f64,
}

const EXACT: Precision = Precision { kind: Kind::Double, channels_last: false, tolerance: 1e-11 };
const EXACT_CHANNELS_LAST: Precision = Precision { channels_last: true, ..EXACT };
/// Looser than 1e-5 for sums that cancel: in front of a batch norm, a bias has gradient zero.
const FLOAT: Precision = Precision { kind: Kind::Float, channels_last: true, tolerance: 5e-5 };

/// Shapes and strides that operations are asked for, under the script's names; not every operation
/// serves them all.
fn contexts(role: Role) -> impl Iterator<Item = (&'static str, OperationContext)> {
    let contexts: [(&str, &[usize], &[usize], usize); 7] = [
        ("stride_1", &[4, 6, 6], &[4, 6, 6], 1),
        ("stride_2", &[4, 6, 6], &[4, 3, 3], 2),
        ("wider", &[4, 6, 6], &[6, 6, 6], 1),
        ("wider_stride_2", &[4, 6, 6], &[6, 3, 3], 2),
        ("odd_extent", &[4, 7, 7], &[4, 4, 4], 2),
        ("vector", &[5], &[7], 1),
        ("sequence", &[3, 5], &[3, 5], 1),
    ];
    contexts.into_iter().map(move |(name, input, output, stride)| {
        let (inputs, output) = (vec![Shape(input.to_vec())], Shape(output.to_vec()));
        (name, OperationContext { role, inputs, output, stride })
    })
}

#[track_caller]
fn check_operations(operations: &dyn OperationSet, file: &str) {
    let reference = Reference::read(file);
    let mut checked = 0;
    for operation in operations.operations() {
        let searched = contexts(Role::Search);
        for ((name, search), (_, last)) in searched.zip(contexts(Role::Final)) {
            let [search, last] =
                [search, last].map(|context| declare(operations, &operation.name, &context));
            for (role, graph) in [("search", &search), ("final", &last)] {
                let Some(graph) = graph else { continue };
                if role == "search" && search == last {
                    continue;
                }
                let case = format!("{}/{role}/{name}/", operation.name);
                check(graph, &reference, &case, &[EXACT, EXACT_CHANNELS_LAST, FLOAT]);
                checked += 1;
            }
        }
    }
    let stored = reference.arrays.keys().filter(|name| name.ends_with("/parameters")).count();
    assert_eq!(checked, stored, "all that {file} has is compared");
}

/// The operation's graph, unless it does not serve this context.
fn declare(
    operations: &dyn OperationSet,
    operation: &str,
    context: &OperationContext,
) -> Option<Graph> {
    let mut graph = GraphBuilder::new();
    let x = graph.input(context.inputs[0].clone());
    let y = operations.build(operation, context, &[x], &mut graph).ok()?;
    let fits = graph.shape(y) == &context.output;
    graph.finish(y).ok().filter(|_| fits)
}

#[track_caller]
fn check_network(
    space: &dyn SearchSpace,
    operations: Box<dyn OperationSet>,
    scale: &Scale,
    genotype: &str,
    file: &str,
) {
    let operations = OperationGraphs::new(operations);
    let networks = NetworkSpace::new(space, operations, scale, scale.role).unwrap();
    let genotype = networks.space().parse(genotype).unwrap();
    let graph = networks.network(&genotype).unwrap();
    let (known_before, built) = (networks.outline(&genotype).unwrap().cost, graph_cost(&graph));
    assert_eq!(known_before, built.unwrap(), "{file}");
    // Not in 32-bit floats: where a ReLU's input or two pixels of a maximum lie that near to each
    // other, rounding sends the gradient elsewhere.
    check(&graph, &Reference::read(file), "", &[EXACT, EXACT_CHANNELS_LAST]);
}

pub(crate) fn scale(extent: usize) -> Scale {
    Scale {
        input: Shape::from([3, extent, extent]),
        classes: 10,
        channels: None,
        cells: None,
        auxiliary_head: false,
        role: Role::Final,
    }
}

#[track_caller]
fn check(graph: &Graph, reference: &Reference, case: &str, precisions: &[Precision]) {
    let cost = graph_cost(graph).unwrap();
    assert_eq!(cost.parameters, reference.count(case, "parameters"), "parameters of {case}");
    let multiply_adds = reference.count(case, "multiply_adds");
    assert_eq!(cost.multiply_adds, multiply_adds, "multiply-adds of {case}");
    for &Precision { kind, channels_last, tolerance } in precisions {
        let options = Options { device: Device::Cpu, kind, channels_last };
        let network = Network::build(graph, 0, options).unwrap();
        assert_eq!(network.count_parameters(), cost.parameters, "{case}");
        assert_eq!(network.count_multiply_adds().unwrap(), multiply_adds, "{case}");
        let computed = compute(&network, graph);
        assert_eq!(computed.len(), reference.n_arrays(case), "arrays of {case}");
        for (name, array) in computed {
            let expected = reference.array(case, &name);
            let distance = (array.to_kind(Kind::Double) - expected).abs().max().double_value(&[]);
            let largest = expected.abs().max().double_value(&[]).max(1.0);
            assert!(
                distance <= tolerance * largest,
                "{case}{name} ({options:?}): off by {distance:e}, where the largest is {largest}"
            );
        }
    }
}

/// Everything that is compared, under the names of the stored arrays.
fn compute(network: &Network, graph: &Graph) -> Vec<(String, Tensor)> {
    set_parameters(network.parameters());
    let learnt = network.parameters().learnt();
    let shape = &graph.shapes().unwrap()[graph.input_nodes()[0]];
    let size: Vec<i64> = [BATCH].iter().chain(&shape.0).map(|&extent| extent as i64).collect();
    let input = numbers(INPUT, &size).to_kind(network.options().kind).set_requires_grad(true);
    let images = network.lay_out(&input).unwrap();
    let outputs = network.forward_training(&images).unwrap();
    let loss: Tensor = outputs
        .iter()
        .zip(TARGET..)
        .map(|(output, stream)| (output * numbers(stream, &output.size())).sum(Kind::Double))
        .sum();
    let mut input_gradient = input.zeros_like();
    if loss.requires_grad() {
        loss.backward();
        if input.grad().defined() {
            input_gradient = input.grad();
        }
    }
    let mut computed = vec![
        ("evaluation".to_owned(), network.forward(&images).unwrap()),
        ("input_gradient".to_owned(), input_gradient),
    ];
    let statistics = network.parameters().statistics().iter();
    computed.extend(numbered("output", outputs.iter().map(Tensor::shallow_clone)));
    computed.extend(numbered("gradient", learnt.iter().map(|learnt| learnt.tensor.grad())));
    computed.extend(numbered("statistic", statistics.map(|it| it.tensor.shallow_clone())));
    computed.into_iter().map(|(name, array)| (name, sample(&array.detach()))).collect()
}

fn numbered(
    name: &str,
    arrays: impl Iterator<Item = Tensor>,
) -> impl Iterator<Item = (String, Tensor)> {
    arrays.enumerate().map(move |(position, array)| (format!("{name}/{position}"), array))
}

/// The arrays of one file.
struct Reference {
    arrays: HashMap<String, Tensor>,
}

impl Reference {
    fn read(file: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        let path = folder.join(file).with_extension("safetensors");
        Self { arrays: Tensor::read_safetensors(path).unwrap().into_iter().collect() }
    }

    #[track_caller]
    fn array(&self, case: &str, name: &str) -> &Tensor {
        let key = format!("{case}{name}");
        self.arrays.get(&key).unwrap_or_else(|| panic!("`{key}` is not stored: run the script"))
    }

    #[track_caller]
    fn count(&self, case: &str, name: &str) -> u64 {
        self.array(case, name).int64_value(&[]).cast_unsigned()
    }

    /// How many arrays a case has besides its three counts.
    fn n_arrays(&self, case: &str) -> usize {
        self.arrays.keys().filter(|key| key.starts_with(case)).count() - 3
    }
}
