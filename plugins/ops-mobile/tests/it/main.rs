//! Every operation in every context, and the layers it is made of.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_plugin_api::component::{Component, OperationSet};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{BatchNorm, Graph, GraphBuilder, Layer, Shape};
use nas_plugin_api::template::{OperationContext, Role};
use ops_mobile::{MobileOperations, MobileOperationsConfig};

fn operations(config: MobileOperationsConfig) -> MobileOperations {
    MobileOperations::create(config, ()).unwrap()
}

fn names(config: MobileOperationsConfig) -> String {
    let names: Vec<String> =
        operations(config).operations().into_iter().map(|operation| operation.name).collect();
    names.join(" ")
}

fn build(
    operation: &str,
    input: [usize; 3],
    output: [usize; 3],
    stride: usize,
) -> Result<Graph, PluginError> {
    let (input, output) = (Shape::from(input), Shape::from(output));
    let context =
        OperationContext { role: Role::Search, inputs: vec![input.clone()], output, stride };
    let mut graph = GraphBuilder::new();
    let x = graph.input(input);
    let set = operations(MobileOperationsConfig::default());
    let y = set.build(operation, &context, &[x], &mut graph)?;
    assert_eq!(graph.shape(y), &context.output, "{operation} {context:?}");
    Ok(graph.finish(y)?)
}

/// The layers of an operation on `[8, 8, 8]`.
#[track_caller]
fn check(operation: &str, channels: usize, stride: usize, layers: &str) {
    let extent = 8_usize.div_ceil(stride);
    let graph = build(operation, [8, 8, 8], [channels, extent, extent], stride).unwrap();
    let names: Vec<&str> = graph.nodes[1..].iter().map(|node| node.layer.name()).collect();
    assert_eq!(names.join(" "), layers);
}

#[test]
fn operations_come_in_the_published_order() {
    assert_eq!(
        names(MobileOperationsConfig::default()),
        "mbconv_k3_e3 mbconv_k3_e6 mbconv_k5_e3 mbconv_k5_e6 mbconv_k7_e3 mbconv_k7_e6 skip"
    );
}

#[test]
fn kernels_and_expansions_can_be_set() {
    let config = MobileOperationsConfig { kernels: vec![3], expansions: vec![1, 4], skip: false };
    assert_eq!(names(config), "mbconv_k3_e1 mbconv_k3_e4");
}

#[test]
fn a_block_is_expansion_depthwise_and_projection() {
    let narrow = "conv2d batch_norm activation conv2d batch_norm";
    let wide = format!("conv2d batch_norm activation {narrow}");
    check("mbconv_k3_e6", 8, 1, &format!("{wide} add"));
    check("mbconv_k3_e6", 16, 1, &wide);
    check("mbconv_k7_e3", 8, 2, &wide);
    check("mbconv_k3_e1", 16, 1, narrow);
    check("mbconv_k3_e1", 8, 1, &format!("{narrow} add"));
    check("skip", 8, 1, "identity");
}

#[test]
fn every_block_returns_the_shape_asked_for() {
    for operation in ["mbconv_k3_e1", "mbconv_k3_e3", "mbconv_k5_e6", "mbconv_k7_e6"] {
        for extent in [1_usize, 2, 7, 8, 32] {
            for stride in [1, 2] {
                let smaller = extent.div_ceil(stride);
                build(operation, [4, extent, extent], [6, smaller, smaller], stride).unwrap();
            }
        }
    }
}

#[test]
fn batch_norms_are_the_published_ones() {
    let graph = build("mbconv_k5_e6", [4, 8, 8], [4, 8, 8], 1).unwrap();
    let norms: Vec<&Layer> =
        graph.nodes.iter().map(|n| &n.layer).filter(|l| l.name() == "batch_norm").collect();
    let expected = Layer::BatchNorm(BatchNorm { eps: 1e-3, momentum: 0.1, ..BatchNorm::default() });
    assert_eq!(norms, [&expected; 3]);
}

#[test]
fn a_skip_that_would_change_the_shape_is_refused() {
    let message =
        |output, stride| build("skip", [8, 8, 8], output, stride).unwrap_err().to_string();
    assert_eq!(
        message([16, 8, 8], 1),
        "build `skip` at stride 1 from [8, 8, 8] to [16, 8, 8]: it keeps its input's shape"
    );
    assert!(message([8, 4, 4], 2).contains("stride 2"));
}

#[test]
fn what_is_no_block_is_refused() {
    for name in ["mbconv_k4_e3", "mbconv_k3_e0", "mbconv_k03_e3", "mbconv_k3", "conv_3x3", ""] {
        let error = build(name, [8, 8, 8], [8, 8, 8], 1).unwrap_err().to_string();
        assert!(error.starts_with(&format!("build `{name}` on 1 inputs")), "{error}");
    }
}

#[test]
fn bad_settings_are_refused() {
    let error = |kernels: &[usize], expansions: &[usize]| {
        let (kernels, expansions) = (kernels.to_vec(), expansions.to_vec());
        let config = MobileOperationsConfig { kernels, expansions, skip: true };
        MobileOperations::create(config, ()).unwrap_err().to_string()
    };
    assert_eq!(
        error(&[4], &[3]),
        "offer `mbconv_k4_e3`: kernels are odd and expansions at least 1"
    );
    assert_eq!(
        error(&[3], &[0]),
        "offer `mbconv_k3_e0`: kernels are odd and expansions at least 1"
    );
    assert_eq!(error(&[3, 3], &[6]), "offer `mbconv_k3_e6` twice");
}
