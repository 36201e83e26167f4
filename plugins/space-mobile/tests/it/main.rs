//! The space against the published sizes of the networks in it.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost};
use nas_plugin_api::component::{Component, OperationInfo, OperationSet, SearchSpace};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::measurement::Cost;
use nas_plugin_api::template::{Options, Role, Scale};
use ops_mobile::{MobileOperations, MobileOperationsConfig};
use space_mobile::{MobileConfig, MobileSpace};

fn imagenet() -> Scale {
    let input = Shape::from([3, 224, 224]);
    Scale { input, classes: 1000, ..Scale::default() }
}

fn operations() -> MobileOperations {
    MobileOperations::create(MobileOperationsConfig::default(), ()).unwrap()
}

fn networks(config: MobileConfig, scale: &Scale) -> NetworkSpace {
    let space = MobileSpace::create(config, ()).unwrap();
    let operations = OperationGraphs::new(Box::new(operations()));
    NetworkSpace::new(&space, operations, scale, scale.role).unwrap()
}

fn cost(networks: &NetworkSpace, genotype: &Genotype) -> Cost {
    graph_cost(&networks.network(genotype).unwrap()).unwrap()
}

/// The genotype with the same operation in every layer.
fn uniform(networks: &NetworkSpace, operation: &str) -> Genotype {
    let position = |options: &Options| match options {
        Options::Operation { candidates, .. } => {
            candidates.iter().position(|candidate| candidate == operation).unwrap() as u16
        }
        _ => panic!("only operations are chosen"),
    };
    let choices = &networks.space().template().choices;
    Genotype(choices.iter().map(|choice| position(&choice.options)).collect())
}

/// MobileNetV2 is a point of this space, at other widths and depths.
fn mobilenet_v2(width_multiplier: f64) -> MobileConfig {
    MobileConfig {
        widths: vec![24, 32, 64, 96, 160, 320],
        layers: vec![2, 3, 4, 3, 3, 1],
        width_multiplier,
        ..MobileConfig::default()
    }
}

#[test]
fn mobilenet_v2_has_its_published_size() {
    let networks = networks(mobilenet_v2(1.0), &imagenet());
    let cost = cost(&networks, &uniform(&networks, "mbconv_k3_e6"));
    // torchvision's `mobilenet_v2`; the paper's table 4 rounds to 3.4 M and 300 M.
    assert_eq!(cost.parameters, 3_504_872);
    assert_eq!(cost.multiply_adds, 300_774_272);
}

#[test]
fn multiplied_widths_have_their_published_size() {
    for (multiplier, millions) in [(0.5, 1.97), (1.4, 6.11)] {
        let networks = networks(mobilenet_v2(multiplier), &imagenet());
        let cost = cost(&networks, &uniform(&networks, "mbconv_k3_e6"));
        // timm's `mobilenetv2_050` and `mobilenetv2_140`, in millions of parameters.
        assert_eq!((cost.parameters as f64 / 1e4).round() / 100.0, millions);
    }
}

/// One of the networks that ProxylessNAS found: `k3e6` is a block, `-` a skip.
#[track_caller]
fn check_found(config: MobileConfig, blocks: &str, parameters: u64) -> Cost {
    let networks = networks(config, &imagenet());
    let choices = &networks.space().template().choices;
    let text: Vec<String> = choices
        .iter()
        .zip(blocks.split_whitespace())
        .map(|(choice, block)| match block.split_at(block.len().min(2)) {
            ("-", _) => format!("{}=skip", choice.id),
            (kernel, expansion) => format!("{}=mbconv_{kernel}_{expansion}", choice.id),
        })
        .collect();
    assert_eq!(text.len(), choices.len());
    let genotype = networks.space().parse(&text.join(",")).unwrap();
    let cost = cost(&networks, &genotype);
    assert_eq!(cost.parameters, parameters);
    cost
}

#[test]
fn the_networks_that_proxylessnas_found_have_their_published_size() {
    let mobile = check_found(
        MobileConfig { widths: vec![32, 40, 80, 96, 192, 320], ..MobileConfig::default() },
        "k5e3 k3e3 -    -    k7e3 k3e3 k5e3 k5e3 k7e6 k5e3 k5e3 k5e3 \
         k5e6 k5e3 k5e3 k5e3 k7e6 k7e6 k7e3 k7e3 k7e6",
        4_080_512,
    );
    // The paper's table 4 says 320 M.
    assert_eq!(mobile.multiply_adds, 320_427_584);
    check_found(
        MobileConfig {
            stem_channels: 40,
            first_channels: 24,
            widths: vec![32, 56, 112, 128, 256, 432],
            head_channels: 1728,
            ..MobileConfig::default()
        },
        "k5e3 -    -    -    k7e3 -    -    k3e3 k7e6 -    -    k5e3 \
         k5e6 -    k3e3 k5e3 k7e6 k7e6 k7e6 k5e6 k7e6",
        7_119_848,
    );
}

#[test]
fn skips_are_candidates_where_the_shape_stays() {
    let networks = networks(MobileConfig::default(), &imagenet());
    let sizes: Vec<usize> = (0..networks.space().n_choices())
        .map(|choice| networks.space().n_options(choice))
        .collect();
    assert_eq!(sizes, [6, 7, 7, 7, 6, 7, 7, 7, 6, 7, 7, 7, 6, 7, 7, 7, 6, 7, 7, 7, 6]);
    let stays = MobileConfig { widths: vec![16; 6], ..MobileConfig::default() };
    let networks = self::networks(stays, &imagenet());
    let first = |stage: usize| networks.space().choice(&format!("stage_{stage}/layer_0")).unwrap();
    assert_eq!([0, 3].map(|stage| networks.space().n_options(first(stage))), [6, 7]);
}

#[test]
fn a_genotype_serves_at_every_scale() {
    let choices = |channels, cells| {
        let scale = Scale { channels, cells, ..imagenet() };
        let networks = networks(MobileConfig::default(), &scale);
        let genotype = Genotype(vec![1; networks.space().n_choices()]);
        networks.network(&genotype).unwrap();
        networks.space().template().choices.clone()
    };
    let published = choices(None, None);
    for (channels, cells) in [(Some(8), None), (Some(48), Some(8)), (None, Some(5))] {
        assert_eq!(choices(channels, cells), published);
    }
}

#[test]
fn the_stem_s_channels_are_the_scale_s() {
    let at_scale = Scale { channels: Some(16), ..imagenet() };
    let scaled = networks(mobilenet_v2(1.0), &at_scale);
    let multiplied = networks(mobilenet_v2(0.5), &imagenet());
    let genotype = uniform(&scaled, "mbconv_k3_e6");
    assert_eq!(cost(&scaled, &genotype), cost(&multiplied, &genotype));
}

#[test]
fn digits_of_8_by_8_fit() {
    let config = MobileConfig {
        stem_channels: 8,
        stem_stride: 1,
        first_channels: 8,
        widths: vec![8, 16, 24],
        layers: vec![2, 2, 1],
        strides: vec![1, 2, 2],
        head_channels: 32,
        ..MobileConfig::default()
    };
    for (extent, role) in [(8, Role::Search), (8, Role::Final), (1, Role::Final), (7, Role::Final)]
    {
        let input = Shape::from([1, extent, extent]);
        let scale = Scale { input, classes: 10, role, ..Scale::default() };
        let networks = networks(config.clone(), &scale);
        for option in 0..6 {
            let graph = networks.network(&Genotype(vec![option; 5])).unwrap();
            assert_eq!(graph.shapes().unwrap()[graph.outputs[0]], Shape::from([10]));
        }
    }
}

#[track_caller]
fn check_refused(config: MobileConfig, scale: &Scale, message: &str) {
    let template = MobileSpace::create(config, ())
        .and_then(|space| space.template(&operations().operations(), scale));
    assert_eq!(template.unwrap_err().to_string(), message);
}

#[test]
fn bad_settings_are_refused() {
    check_refused(
        MobileConfig { widths: vec![24, 40], ..MobileConfig::default() },
        &imagenet(),
        "make stages of 2 widths, 6 layers and 6 strides: each stage has one of each",
    );
    check_refused(
        MobileConfig { layers: vec![4, 4, 0, 4, 4, 1], ..MobileConfig::default() },
        &imagenet(),
        "make a network whose `layers` has a 0: at least 1 is needed",
    );
    check_refused(
        MobileConfig { width_multiplier: -1.0, ..MobileConfig::default() },
        &imagenet(),
        "multiply widths by -1: a positive number is needed",
    );
    check_refused(
        MobileConfig::default(),
        &Scale { cells: Some(3), ..imagenet() },
        "make stages of 3 layers: the deepest stage has 4, each chosen for itself",
    );
    check_refused(
        MobileConfig { operations: vec!["skip".to_owned()], ..MobileConfig::default() },
        &imagenet(),
        "fill stages with skip alone: their first layers change the shape",
    );
    let offered = "mbconv_k3_e3, mbconv_k3_e6, mbconv_k5_e3, mbconv_k5_e6, mbconv_k7_e3, \
                   mbconv_k7_e6, skip";
    check_refused(
        MobileConfig { operations: vec!["mbconv".to_owned()], ..MobileConfig::default() },
        &imagenet(),
        &format!("offer operation `mbconv`, which the set does not have (it has {offered})"),
    );
}

#[test]
fn a_set_without_skips_serves() {
    let offered = [OperationInfo::new("mbconv_k3_e3", ""), OperationInfo::new("mbconv_k5_e3", "")];
    let space = MobileSpace::create(MobileConfig::default(), ()).unwrap();
    let template = space.template(&offered, &imagenet()).unwrap();
    assert_eq!(template.choices.len(), 21);
}
