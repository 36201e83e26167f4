//! Every operation in every context, and the layers it is made of.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_plugin_api::component::{Component, OperationSet};
use nas_plugin_api::graph::{Graph, GraphBuilder, Shape};
use nas_plugin_api::template::{OperationContext, Role};
use ops_darts::{DartsOperations, DartsOperationsConfig};

fn build(operation: &str, role: Role, input: &[usize], output: &[usize], stride: usize) -> Graph {
    let operations = DartsOperations::create(DartsOperationsConfig::default(), ()).unwrap();
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
    DartsOperations.operations().into_iter().map(|operation| operation.name).collect()
}

#[test]
fn operations_come_in_the_published_order() {
    assert_eq!(
        names().join(" "),
        "none max_pool_3x3 avg_pool_3x3 skip_connect sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 \
         dil_conv_5x5"
    );
}

#[test]
fn every_operation_returns_the_shape_asked_for() {
    for role in [Role::Search, Role::Final] {
        for extent in [1_usize, 2, 7, 8, 32] {
            for (stride, half) in [(1, extent), (2, extent.div_ceil(2))] {
                for name in names() {
                    build(&name, role, &[8, extent, extent], &[8, half, half], stride);
                }
            }
        }
    }
}

#[test]
fn layers_differ_between_supernet_and_final_network() {
    check("max_pool_3x3", Role::Search, 1, "pool2d batch_norm");
    check("max_pool_3x3", Role::Final, 1, "pool2d drop_path");
    check("skip_connect", Role::Search, 1, "identity");
    check("skip_connect", Role::Final, 1, "identity");
    check("none", Role::Search, 2, "zero");
    check("dil_conv_5x5", Role::Search, 2, "activation conv2d conv2d batch_norm");
    let half = "activation conv2d conv2d batch_norm";
    check("sep_conv_3x3", Role::Search, 2, &format!("{half} {half}"));
    check("sep_conv_3x3", Role::Final, 1, &format!("{half} {half} drop_path"));
}

#[test]
fn factorised_reduction_pads_odd_extents_only() {
    let even = "activation conv2d slice slice conv2d concat batch_norm";
    check("skip_connect", Role::Search, 2, even);
    let graph = build("skip_connect", Role::Search, &[8, 7, 8], &[8, 4, 4], 2);
    let names: Vec<&str> = graph.nodes[1..].iter().map(|node| node.layer.name()).collect();
    assert_eq!(names.join(" "), "activation conv2d conv2d slice slice concat batch_norm");
}
