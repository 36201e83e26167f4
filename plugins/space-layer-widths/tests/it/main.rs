//! Layers and widths, with and without shortcuts.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost};
use nas_plugin_api::component::Component;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use ops_basic::BasicOperations;
use space_layer_widths::{Form, LayerWidthsConfig, LayerWidthsSpace};

fn networks(config: LayerWidthsConfig, input: &[usize]) -> NetworkSpace {
    let space = LayerWidthsSpace::create(config, ()).unwrap();
    let scale = Scale { input: Shape(input.to_vec()), classes: 10, ..Scale::default() };
    let operations = OperationGraphs::new(Box::new(BasicOperations));
    NetworkSpace::new(&space, operations, &scale, Role::Final).unwrap()
}

fn config(form: Form, max_layers: usize, skips: bool) -> LayerWidthsConfig {
    LayerWidthsConfig { form, max_layers, skips, ..LayerWidthsConfig::default() }
}

/// Parameters of a network and of its outline, which must agree.
#[track_caller]
fn check(networks: &NetworkSpace, text: &str, parameters: u64) {
    let genotype = networks.space().parse(text).unwrap();
    assert_eq!(networks.space().text(&genotype), text);
    let graph = networks.network(&genotype).unwrap();
    assert_eq!(graph_cost(&graph).unwrap().parameters, parameters);
    assert_eq!(networks.outline(&genotype).unwrap().cost.parameters, parameters);
}

/// A layer and its batch norm.
fn layer(window: u64, from: u64, to: u64) -> u64 {
    window * from * to + 2 * to
}

#[test]
fn the_encoding_is_layers_then_widths() {
    let space = networks(LayerWidthsConfig::default(), &[3, 32, 32]).space().clone();
    let ids: Vec<&str> = space.template().choices.iter().map(|choice| choice.id.as_str()).collect();
    assert_eq!((ids[0], ids[1], ids[12], ids.len()), ("layers", "width_1", "width_12", 13));
    assert_eq!(space.size(), 10.0 * 4_f64.powi(12));
}

#[test]
fn dense_networks_have_the_chosen_widths() {
    let networks = networks(config(Form::Mlp, 5, false), &[1, 8, 8]);
    check(
        &networks,
        "layers=3,width_1=128,width_2=64,width_3=512",
        layer(1, 64, 128) + layer(1, 128, 64) + layer(1, 64, 512) + 513 * 10,
    );
}

#[test]
fn convolutional_networks_have_the_chosen_depth() {
    let networks = networks(config(Form::Conv, 12, false), &[3, 32, 32]);
    check(
        &networks,
        "layers=4,width_1=64,width_2=256,width_3=64,width_4=128",
        layer(9, 3, 64) + layer(9, 64, 256) + layer(9, 256, 64) + layer(9, 64, 128) + 129 * 10,
    );
    let longest = Genotype(vec![9, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
    networks.network(&longest).unwrap();
}

#[test]
fn shortcuts_follow_the_widths_of_their_layers() {
    for form in [Form::Conv, Form::Mlp] {
        let window = if form == Form::Conv { 9 } else { 1 };
        let inputs = if form == Form::Conv { 1 } else { 64 };
        let networks = networks(config(form, 4, true), &[1, 8, 8]);
        check(
            &networks,
            "layers=3,width_1=64,width_2=128,width_3=64,skip_2=1,skip_3=0",
            layer(window, inputs, 64)
                + layer(window, 64, 128)
                + layer(1, 64, 128)
                + layer(window, 128, 64)
                + 65 * 10,
        );
    }
}

#[test]
fn widths_out_of_order_are_refused() {
    let config = LayerWidthsConfig { widths: vec![128, 64], ..LayerWidthsConfig::default() };
    let error = LayerWidthsSpace::create(config, ()).unwrap_err();
    assert_eq!(
        error.message,
        "choose from the widths [128, 64]: `widths` must rise from one to the next"
    );
}
