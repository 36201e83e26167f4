//! Every operation in every context, and the layers it is made of.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_plugin_api::component::{Component, OperationSet};
use nas_plugin_api::graph::{Graph, GraphBuilder, Shape};
use nas_plugin_api::template::{OperationContext, Role};
use ops_basic::{BasicOperations, BasicOperationsConfig};

fn build(operation: &str, role: Role, input: &[usize], output: &[usize], stride: usize) -> Graph {
    let operations = BasicOperations::create(BasicOperationsConfig::default(), ()).unwrap();
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
    BasicOperations.operations().into_iter().map(|operation| operation.name).collect()
}

#[test]
fn every_operation_takes_images() {
    for role in [Role::Search, Role::Final] {
        for extent in [1_usize, 7, 8, 32] {
            for (stride, half) in [(1, extent), (2, extent.div_ceil(2))] {
                for name in names() {
                    build(&name, role, &[8, extent, extent], &[8, half, half], stride);
                    build(&name, role, &[8, extent, extent], &[12, half, half], stride);
                }
            }
        }
    }
}

#[test]
fn some_operations_take_vectors_and_sequences() {
    for name in ["identity", "none", "linear", "gelu_mlp"] {
        build(name, Role::Final, &[64], &[64], 1);
        build(name, Role::Final, &[64], &[10], 1);
        build(name, Role::Search, &[16, 64], &[16, 32], 1);
    }
}

#[test]
fn an_image_operation_on_a_vector_is_a_typed_error() {
    let context = OperationContext {
        role: Role::Final,
        inputs: vec![Shape::from([64])],
        output: Shape::from([64]),
        stride: 1,
    };
    let mut graph = GraphBuilder::new();
    let x = graph.input([64]);
    let y = BasicOperations.build("conv_3x3", &context, &[x], &mut graph).unwrap();
    let message = graph.finish(y).unwrap_err().to_string();
    let expected = "node `conv2d_1`: conv2d needs an input of shape [channels, height, width], \
                    got [64]";
    assert_eq!(message, expected);
}

#[test]
fn layers_are_plain() {
    check("conv_3x3", Role::Search, 1, "conv2d");
    check("max_pool_3x3", Role::Search, 2, "pool2d");
    check("identity", Role::Final, 1, "identity");
    check("identity", Role::Final, 2, "conv2d");
    check("norm_conv_3x3", Role::Final, 1, "activation conv2d batch_norm");
    check("dil_conv_5x5", Role::Search, 1, "activation conv2d conv2d batch_norm");
    check("gelu_mlp", Role::Final, 1, "conv2d activation conv2d");
}

#[test]
fn unknown_operations_are_refused_with_what_is_known() {
    let mut graph = GraphBuilder::new();
    let x = graph.input([8, 8, 8]);
    let shape = Shape::from([8, 8, 8]);
    let context = OperationContext {
        role: Role::Final,
        inputs: vec![shape.clone()],
        output: shape,
        stride: 1,
    };
    let error = BasicOperations.build("conv3x3", &context, &[x], &mut graph).unwrap_err();
    assert!(error.message.starts_with(
        "build `conv3x3` on 1 inputs: the set `basic` has conv_3x3, conv_5x5, max_pool_3x3"
    ));
}
