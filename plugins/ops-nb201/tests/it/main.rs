//! Every operation in every context, and the layers it is made of.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_plugin_api::component::{Component, OperationSet};
use nas_plugin_api::graph::{Graph, GraphBuilder, Layer, Shape};
use nas_plugin_api::template::{OperationContext, Role};
use ops_nb201::{Nb201Operations, Nb201OperationsConfig};

fn build(operation: &str, role: Role, input: &[usize], output: &[usize], stride: usize) -> Graph {
    let operations = Nb201Operations::create(Nb201OperationsConfig::default(), ()).unwrap();
    let (input, output) = (Shape(input.to_vec()), Shape(output.to_vec()));
    let context = OperationContext { role, inputs: vec![input.clone()], output, stride };
    let mut graph = GraphBuilder::new();
    let x = graph.input(input);
    let y = operations.build(operation, &context, &[x], &mut graph).unwrap();
    assert_eq!(graph.shape(y), &context.output, "{operation} {context:?}");
    graph.finish(y).unwrap()
}

/// The layers of an operation from 8 to 8 channels.
#[track_caller]
fn check(operation: &str, role: Role, stride: usize, layers: &str) {
    let extent = 8_usize.div_ceil(stride);
    let graph = build(operation, role, &[8, 8, 8], &[8, extent, extent], stride);
    let names: Vec<&str> = graph.nodes[1..].iter().map(|node| node.layer.name()).collect();
    assert_eq!(names.join(" "), layers);
}

fn names() -> Vec<String> {
    Nb201Operations.operations().into_iter().map(|operation| operation.name).collect()
}

#[test]
fn operations_come_in_the_order_of_the_table() {
    assert_eq!(names().join(" "), "none skip_connect nor_conv_1x1 nor_conv_3x3 avg_pool_3x3");
}

#[test]
fn every_operation_returns_the_shape_asked_for() {
    for role in [Role::Search, Role::Final] {
        for extent in [1_usize, 7, 8, 32] {
            for (stride, half) in [(1, extent), (2, extent.div_ceil(2))] {
                for name in names() {
                    build(&name, role, &[8, extent, extent], &[8, half, half], stride);
                    build(&name, role, &[8, extent, extent], &[16, half, half], stride);
                }
            }
        }
    }
}

#[test]
fn layers_are_those_of_the_source() {
    check("none", Role::Final, 1, "zero");
    check("skip_connect", Role::Final, 1, "identity");
    check("nor_conv_3x3", Role::Final, 1, "activation conv2d batch_norm");
    check("avg_pool_3x3", Role::Search, 1, "pool2d");
    let reduce = "activation conv2d slice slice conv2d concat batch_norm";
    check("skip_connect", Role::Search, 2, reduce);
}

#[test]
fn convolutions_have_a_bias_exactly_when_the_norm_is_not_affine() {
    for (role, expected) in [(Role::Search, true), (Role::Final, false)] {
        let graph = build("nor_conv_1x1", role, &[8, 8, 8], &[8, 8, 8], 1);
        let Layer::Conv2d(conv) = &graph.nodes[2].layer else { panic!("{graph:?}") };
        let Layer::BatchNorm(norm) = &graph.nodes[3].layer else { panic!("{graph:?}") };
        assert_eq!((conv.bias, norm.affine), (expected, !expected));
    }
}
