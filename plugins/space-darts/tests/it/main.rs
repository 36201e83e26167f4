//! The space against what is published of DARTS.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost, layer_cost};
use nas_plugin_api::component::{Component, OperationSet};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::{Graph, GraphBuilder, Shape};
use nas_plugin_api::template::{Options, Role, Scale, TemplateLayer};
use ops_darts::DartsOperations;
use ops_nb201::Nb201Operations;
use space_darts::{DartsConfig, DartsSpace};

/// The cells of the paper's second-order search (`DARTS_V2` in cnn/genotypes.py); operations of
/// edges that are not kept are left out.
const SECOND_ORDER: &str = "normal/edge_0_2=sep_conv_3x3,normal/edge_1_2=sep_conv_3x3,\
    normal/node_2=0+1,normal/edge_0_3=sep_conv_3x3,normal/edge_1_3=sep_conv_3x3,normal/node_3=0+1,\
    normal/edge_0_4=skip_connect,normal/edge_1_4=sep_conv_3x3,normal/node_4=0+1,\
    normal/edge_0_5=skip_connect,normal/edge_2_5=dil_conv_3x3,normal/node_5=0+2,\
    reduction/edge_0_2=max_pool_3x3,reduction/edge_1_2=max_pool_3x3,reduction/node_2=0+1,\
    reduction/edge_1_3=max_pool_3x3,reduction/edge_2_3=skip_connect,reduction/node_3=1+2,\
    reduction/edge_0_4=max_pool_3x3,reduction/edge_2_4=skip_connect,reduction/node_4=0+2,\
    reduction/edge_1_5=max_pool_3x3,reduction/edge_2_5=skip_connect,reduction/node_5=1+2";

/// The cells of the first-order search (`DARTS_V1`).
const FIRST_ORDER: &str = "normal/edge_0_2=sep_conv_3x3,normal/edge_1_2=sep_conv_3x3,\
    normal/node_2=0+1,normal/edge_0_3=skip_connect,normal/edge_1_3=sep_conv_3x3,normal/node_3=0+1,\
    normal/edge_0_4=skip_connect,normal/edge_1_4=sep_conv_3x3,normal/node_4=0+1,\
    normal/edge_0_5=sep_conv_3x3,normal/edge_2_5=skip_connect,normal/node_5=0+2,\
    reduction/edge_0_2=max_pool_3x3,reduction/edge_1_2=max_pool_3x3,reduction/node_2=0+1,\
    reduction/edge_0_3=max_pool_3x3,reduction/edge_2_3=skip_connect,reduction/node_3=0+2,\
    reduction/edge_0_4=max_pool_3x3,reduction/edge_2_4=skip_connect,reduction/node_4=0+2,\
    reduction/edge_0_5=avg_pool_3x3,reduction/edge_2_5=skip_connect,reduction/node_5=0+2";

fn scale(role: Role, channels: usize, cells: usize) -> Scale {
    Scale {
        input: Shape::from([3, 32, 32]),
        classes: 10,
        channels: Some(channels),
        cells: Some(cells),
        auxiliary_head: false,
        role,
    }
}

fn networks(operations: Box<dyn OperationSet>, scale: &Scale) -> NetworkSpace {
    let space = DartsSpace::create(DartsConfig::default(), ()).unwrap();
    NetworkSpace::new(&space, OperationGraphs::new(operations), scale, scale.role).unwrap()
}

fn parameters(graph: &Graph) -> u64 {
    graph_cost(graph).unwrap().parameters
}

/// Parameters at the scale of the paper's evaluation, without the auxiliary head.
#[track_caller]
fn check_parameters(text: &str, expected: u64) {
    let networks = networks(Box::new(DartsOperations), &scale(Role::Final, 36, 20));
    let genotype = networks.space().parse(text).unwrap();
    assert_eq!(networks.space().text(&genotype), text);
    assert_eq!(parameters(&networks.network(&genotype).unwrap()), expected);
}

#[test]
fn published_cells_have_the_published_size() {
    // The paper's table 1 rounds the second to 3.3 M; the first is 3.2 M by the same count.
    check_parameters(FIRST_ORDER, 3_169_414);
    check_parameters(SECOND_ORDER, 3_349_342);
}

#[test]
fn the_supernet_has_the_size_of_the_source() {
    let networks = networks(Box::new(DartsOperations), &scale(Role::Search, 16, 8));
    let template = networks.space().template();
    let mut total = 0;
    let mut shapes: Vec<Shape> = Vec::new();
    for node in &template.nodes {
        let inputs: Vec<&Shape> = node.inputs.iter().map(|&input| &shapes[input]).collect();
        let shape = match &node.layer {
            TemplateLayer::Layer(layer) => {
                let shape = nas_plugin_api::graph::infer_shape(layer, &inputs).unwrap();
                total += layer_cost(layer, &inputs, &shape).parameters;
                shape
            }
            TemplateLayer::Operation { choice, context, .. } => {
                let Options::Operation { candidates, .. } = &template.choices[*choice].options
                else {
                    panic!("an operation node has an operation choice");
                };
                for candidate in candidates {
                    let mut graph = GraphBuilder::new();
                    let x = graph.input(inputs[0].clone());
                    let y = DartsOperations.build(candidate, context, &[x], &mut graph).unwrap();
                    total += parameters(&graph.finish(y).unwrap());
                }
                context.output.clone()
            }
            _ => inputs[0].clone(),
        };
        shapes.push(shape);
    }
    // cnn/train_search.py logs "param size = 1.930618MB", by which it means millions.
    assert_eq!(total, 1_930_618);
}

#[test]
fn a_genotype_serves_at_every_scale() {
    let small = networks(Box::new(DartsOperations), &scale(Role::Search, 4, 3));
    let large = networks(Box::new(DartsOperations), &scale(Role::Final, 36, 20));
    let choices = &small.space().template().choices;
    assert_eq!(choices, &large.space().template().choices);
    assert_eq!(choices.len(), 2 * (14 + 4));
    let expected = (7_f64.powi(14) * 180.0).powi(2);
    assert!((small.space().size() / expected - 1.0).abs() < 1e-12);
}

#[test]
fn cells_with_renumbered_nodes_are_one_network() {
    let networks = networks(Box::new(DartsOperations), &scale(Role::Final, 4, 3));
    // Nodes 2 and 3 of the normal cell both read the inputs only: exchange them.
    let one = "normal/edge_0_2=sep_conv_3x3,normal/edge_1_2=sep_conv_5x5,\
               normal/edge_0_3=dil_conv_3x3,normal/edge_1_3=skip_connect";
    let other = "normal/edge_0_2=dil_conv_3x3,normal/edge_1_2=skip_connect,\
                 normal/edge_0_3=sep_conv_3x3,normal/edge_1_3=sep_conv_5x5";
    let rest = SECOND_ORDER
        .split(',')
        .filter(|part| !part.contains("normal/edge_0_2") && !part.contains("normal/edge_1_2"))
        .filter(|part| !part.contains("normal/edge_0_3") && !part.contains("normal/edge_1_3"))
        .map(|part| if part == "normal/node_5=0+2" { "normal/node_5=0+1" } else { part })
        .map(|part| part.replace("normal/edge_2_5", "normal/edge_1_5"))
        .collect::<Vec<_>>()
        .join(",");
    let hash = |cell: &str| {
        let genotype = networks.space().parse(&format!("{cell},{rest}")).unwrap();
        networks.space().canonical_hash(&genotype)
    };
    assert_eq!(hash(one), hash(other));
}

#[test]
fn the_auxiliary_head_is_a_second_output_where_it_fits() {
    for (extent, outputs) in [(8, 1), (28, 1), (32, 2), (64, 2)] {
        let scale = Scale {
            input: Shape::from([3, extent, extent]),
            auxiliary_head: true,
            ..scale(Role::Final, 4, 8)
        };
        let networks = networks(Box::new(DartsOperations), &scale);
        let genotype = networks.space().parse(SECOND_ORDER).unwrap();
        let graph = networks.network(&genotype).unwrap();
        let shapes = graph.shapes().unwrap();
        assert_eq!(graph.outputs.len(), outputs, "{extent}");
        assert!(graph.outputs.iter().all(|&output| shapes[output] == Shape::from([10])));
    }
}

#[test]
fn other_operations_and_odd_extents_fit() {
    for extent in [1, 7, 8, 28] {
        let scale = Scale { input: Shape::from([1, extent, extent]), ..scale(Role::Search, 4, 4) };
        let networks = networks(Box::new(Nb201Operations), &scale);
        let genotype = Genotype(vec![0; networks.space().n_choices()]);
        networks.network(&genotype).unwrap();
    }
}
