//! The examples, and what mistakes in a file are told as.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost};
use nas_plugin_api::component::{Component, FileField, OperationSet, SearchSpace};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale, Template};
use ops_basic::BasicOperations;
use space_file::{FileConfig, FileSpace};

const TWO_STAGES: &str = include_str!("../../../../examples/spaces/two-stages.toml");
const DENSE_WIDTHS: &str = include_str!("../../../../examples/spaces/dense-widths.toml");

fn scale(cells: Option<usize>) -> Scale {
    Scale { input: Shape::from([1, 8, 8]), classes: 10, cells, ..Scale::default() }
}

fn space(text: &str) -> Result<FileSpace, String> {
    let file = FileField { path: "my.toml".to_owned(), bytes: text.as_bytes().to_vec() };
    FileSpace::create(FileConfig { file }, ()).map_err(|error| error.message)
}

fn template(text: &str) -> Result<Template, String> {
    space(text)?
        .template(&BasicOperations.operations(), &scale(None))
        .map_err(|error| error.message)
}

fn networks(text: &str, cells: Option<usize>) -> NetworkSpace {
    let operations = OperationGraphs::new(Box::new(BasicOperations));
    NetworkSpace::new(&space(text).unwrap(), operations, &scale(cells), Role::Final).unwrap()
}

/// The first example with one change is refused with this message, and the line of `to`.
#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    check_at(from, to, to, expected);
}

/// The same, with the line of another text.
#[track_caller]
fn check_at(from: &str, to: &str, place: &str, expected: &str) {
    assert!(TWO_STAGES.contains(from), "the example has no `{from}`");
    let text = TWO_STAGES.replacen(from, to, 1);
    let line = 1 + text.lines().position(|line| line.contains(place)).unwrap();
    let message = template(&text).err();
    assert_eq!(message, Some(format!("read my.toml, line {line}: {expected}")));
}

#[test]
fn the_cells_example_is_a_space_at_every_scale() {
    let small = networks(TWO_STAGES, None);
    let large = networks(TWO_STAGES, Some(5));
    assert_eq!(small.space().name(), "two-stages");
    assert_eq!(small.space().template().choices, large.space().template().choices);
    assert_eq!(small.space().size(), 4.0 * 3.0 * 3.0 * 3.0 * 3.0);
    let text = "edge_0_1=conv_3x3,edge_0_2=identity,edge_1_2=norm_conv_3x3,node_2=0+1,\
                halve=max_pool_3x3";
    let genotype = small.space().parse(text).unwrap();
    assert_eq!(small.space().text(&genotype), text);
    let cells = |c: u64| (9 * c + 1) * c + 9 * c * c + 2 * c;
    let fixed = (9 * 16 + 2 * 16) + 16 * 32 + 2 * 32 + 33 * 10;
    for (networks, count) in [(small, 1), (large, 5)] {
        let cost = graph_cost(&networks.network(&genotype).unwrap()).unwrap();
        assert_eq!(cost.parameters, fixed + count * (cells(16) + cells(32)));
    }
}

#[test]
fn the_widths_example_has_a_choice_per_layer() {
    let networks = networks(DENSE_WIDTHS, None);
    let text = "layers=2,width_1=32,width_2=128";
    let genotype = networks.space().parse(text).unwrap();
    assert_eq!(networks.space().n_choices(), 5);
    let cost = graph_cost(&networks.network(&genotype).unwrap()).unwrap();
    assert_eq!(cost.parameters, 65 * 32 + 64 + 33 * 128 + 256 + 129 * 10);
}

#[test]
fn attributes_take_pairs_groups_and_products() {
    let text = r#"
        name = "layers"
        network = [{ cell = "all" }]
        [values]
        channels = 4
        [cells]
        all = [
          { layer = "conv2d", out_channels = "channels * 2", kernel = [3, 1], padding = [1, 0] },
          { layer = "conv2d", kernel = 3, padding = 1, groups = "depthwise" },
          { layer = "conv2d", out_channels = 8, kernel = 1, groups = "channels" },
          { layer = "batch_norm", affine = false, momentum = 0.01 },
          { layer = "avg_pool2d", kernel = 2, stride = 2 },
          { layer = "reshape", shape = ["channels * 2", 16] },
          { layer = "softmax", axis = 1 },
          { layer = "flatten" },
          { layer = "linear", out_features = "classes", bias = false },
        ]
    "#;
    let template = template(text).unwrap();
    assert_eq!(template.nodes.len(), 10);
}

#[test]
fn mistakes_are_told_with_their_line() {
    check(
        "repeat = \"cells\"",
        "repeats = 2",
        "unknown field `repeats`, expected one of `cell`, `repeat`, \
         `depth`, `with`",
    );
    check(
        "name = \"two-stages\"",
        "name = our-stages",
        "string values must be quoted, expected literal string",
    );
    check(
        "{ cell = \"head\" }",
        "{ cell = \"heat\" }",
        "there is no cell `heat` (there are block, head, reduction, stem)",
    );
    check(
        "with = { channels = \"channels * 2\" }",
        "with = { channels = \"width * 2\" }",
        "`width` in \"width * 2\" is no value (there are cells, channels, \
         classes)",
    );
    check(
        "operation = \"edge_0_2\"",
        "operation = \"edge_2_0\"",
        "there is no choice `edge_2_0` (there are edge_0_1, edge_0_2, \
         edge_1_2, halve, node_2)",
    );
    check(
        "operation = \"edge_0_2\"",
        "operation = \"node_2\"",
        "node `block_1/node_2` needs an operation choice, but choice 1 is none",
    );
    check(
        "input = \"a\"",
        "input = \"d\"",
        "there is no node `d` above (there are a, b, before, in)",
    );
    check(
        "\"conv_5x5\", ",
        "\"conv5x5\", ",
        "offer operation `conv5x5`, which the set does not have (it has \
         conv_3x3, conv_5x5, max_pool_3x3, identity, none, avg_pool_3x3, conv_1x1, conv_7x7, \
         norm_conv_1x1, norm_conv_3x3, norm_conv_5x5, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, \
         dil_conv_5x5, linear, gelu_mlp)",
    );
    check_at(
        "halve = {",
        "half = {",
        "operation = \"halve\"",
        "there is no choice `halve` (there are edge_0_1, edge_0_2, \
         edge_1_2, half, node_2)",
    );
    check_at(
        "[choices]",
        "[choices]\nidle = { inputs = 2 }",
        "idle =",
        "nothing names choice `idle`",
    );
    check(
        "padding = 1",
        "pading = 1",
        "layer `conv2d` has no attribute `pading` (it has out_channels, \
         kernel, stride, padding, dilation, groups, bias)",
    );
    check(
        "kernel = 3, padding",
        "padding",
        "node `stem_1/conv2d`: conv2d: kernel is 0, expected at least 1",
    );
    check("\"relu\"", "\"rely\"", "there is no layer `rely`");
    check("stride = 2, ", "strides = 2, ", "this node has no use for `strides`");
    check(
        "\"edge_0_1\", input",
        "\"edge_*\", input",
        "there is no choice `edge_*` (there are edge_0_1, edge_0_2, \
         edge_1_2, halve, node_2)",
    );
}

#[test]
fn a_choice_per_repeat_may_not_depend_on_the_scale() {
    let text =
        TWO_STAGES.replace("edge_0_1 =", "\"edge_*\" =").replace("\"edge_0_1\"", "\"edge_*\"");
    let message = template(&text).unwrap_err();
    let expected = "`edge_*` is chosen anew in every repeat, so `repeat` must be a number: choices \
                    may not depend on the scale";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn a_missing_file_is_asked_for() {
    let error = FileSpace::create(FileConfig::default(), ()).unwrap_err();
    assert_eq!(error.message, "find the space's file: `file` is not set");
}
