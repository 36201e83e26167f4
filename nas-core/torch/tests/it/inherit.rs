//! Networks with a supernet's weights compute what the supernet does where only they are chosen.

use std::path::Path;

use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_plugin_api::component::{Component, OperationInfo, OperationSet, SearchSpace};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::graph::{BatchNorm, Conv2d, GroupNorm, Layer, Shape};
use nas_plugin_api::template::{Role, Scale, Template, TemplateBuilder};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use nas_torch::mixture::Mixed;
use nas_torch::network::{Network, NetworkError, Norms, Options};
use nas_torch::weights::{WeightsError, inherit};
use ops_basic::BasicOperations;
use ops_darts::DartsOperations;
use ops_mobile::{MobileOperations, MobileOperationsConfig};
use ops_nb201::Nb201Operations;
use space_chain::{ChainConfig, ChainSpace};
use space_darts::{DartsConfig, DartsSpace};
use space_layer_widths::{LayerWidthsConfig, LayerWidthsSpace};
use space_mobile::{MobileConfig, MobileSpace};
use space_nb201::{Nb201Config, Nb201Space};
use tch::{Device, Kind, Tensor};

use crate::splitmix::{numbers, set_parameters};

fn networks(
    space: &dyn SearchSpace,
    operations: Box<dyn OperationSet>,
    (channels, cells): (Option<usize>, Option<usize>),
) -> NetworkSpace {
    let scale = Scale {
        input: Shape::from([3, 16, 16]),
        classes: 4,
        channels,
        cells,
        auxiliary_head: false,
        role: Role::Search,
    };
    NetworkSpace::new(space, OperationGraphs::new(operations), &scale, Role::Search).unwrap()
}

/// What a one-shot search keeps of its weights.
fn keep(network: &Network, path: &Path) {
    let named: Vec<(&str, Tensor)> = network
        .parameters()
        .learnt()
        .iter()
        .map(|learnt| (learnt.name.as_str(), learnt.tensor.detach().contiguous()))
        .collect();
    Tensor::write_safetensors(&named, path).unwrap();
}

#[track_caller]
fn check(networks: &NetworkSpace) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let options = Options { kind: Kind::Double, ..Options::on(Device::Cpu) };
    let supernet = Network::build_supernet(&networks.supernet(1).unwrap(), 0, options).unwrap();
    set_parameters(supernet.parameters());
    keep(&supernet, &checkpoint);
    let images = supernet.lay_out(&numbers(77, &[8, 3, 16, 16])).unwrap();
    let space = networks.space();
    let mut rng = generator(5);
    for _ in 0..6 {
        let genotype = random_genotype(space, &mut rng).unwrap();
        let layout = MixtureLayout::new(space);
        let mixture = layout.single_path(space, &genotype);
        let mixed = Mixed::new(&mixture, layout.n_paths()).unwrap();
        let mut network =
            Network::build_inheriting(&networks.network(&genotype).unwrap(), options).unwrap();
        inherit(&mut network, &checkpoint).unwrap();
        tch::no_grad(|| {
            // Statistics of one batch, and then by them.
            for norms in [Norms::Average { before: 0 }, Norms::Averaged] {
                let mut nothing = || Ok::<(), NetworkError>(());
                let theirs = supernet.forward_norms(&images, &mixed, norms, &mut nothing).unwrap();
                let ours = network.logits(&images, norms).unwrap();
                let scale = theirs[0].abs().max().double_value(&[]).max(1e-3);
                let difference = (ours - &theirs[0]).abs().max().double_value(&[]) / scale;
                let text = space.text(&genotype);
                assert!(difference < 1e-9, "{text} at {norms:?} differs by {difference:e}");
            }
        });
    }
}

#[test]
fn an_heir_computes_what_the_supernet_does_on_its_path() {
    let nb201 = Nb201Space::create(Nb201Config::default(), ()).unwrap();
    check(&networks(&nb201, Box::new(Nb201Operations), (Some(8), Some(1))));
    let darts = DartsSpace::create(DartsConfig { nodes: 2, ..DartsConfig::default() }, ()).unwrap();
    check(&networks(&darts, Box::new(DartsOperations), (Some(4), Some(3))));
    let chain = ChainSpace::create(ChainConfig { cells: 2, ..ChainConfig::default() }, ()).unwrap();
    check(&networks(&chain, Box::new(BasicOperations), (None, None)));
    let mobile = MobileSpace::create(MobileConfig::default(), ()).unwrap();
    let mobile_operations =
        MobileOperations::create(MobileOperationsConfig::default(), ()).unwrap();
    check(&networks(&mobile, Box::new(mobile_operations), (None, None)));
}

/// The first channels of the widest layers, and the first repeats.
#[test]
fn narrow_networks_inherit_the_first_channels() {
    let config = LayerWidthsConfig { widths: vec![4, 8, 12], ..LayerWidthsConfig::default() };
    let space = LayerWidthsSpace::create(config, ()).unwrap();
    check(&networks(&space, Box::new(BasicOperations), (None, None)));
}

/// Layers of chosen widths with a norm somewhere behind.
struct Wide {
    norm: Layer,
}

impl SearchSpace for Wide {
    fn template(&self, _: &[OperationInfo], scale: &Scale) -> Result<Template, PluginError> {
        let mut network = TemplateBuilder::new("wide");
        let mut x = network.input(scale.input.clone());
        for id in ["first", "second"] {
            x = network.chosen_width(id, &[4, 8, 12], Conv2d::new(1, 3).padding(1), x);
            x = network.relu(x);
            x = network.layer(self.norm.clone(), x);
        }
        let x = network.global_avg_pool(x);
        let logits = network.linear(scale.classes, x);
        Ok(network.finish(logits)?)
    }
}

/// A batch norm that a ReLU parts from the layer whose width is chosen.
#[test]
fn masked_channels_stay_masked_behind_norms() {
    let space = Wide { norm: BatchNorm::default().into() };
    check(&networks(&space, Box::new(BasicOperations), (None, None)));
}

#[test]
fn norms_over_a_chosen_number_of_channels_make_no_supernet() {
    let space = Wide { norm: GroupNorm { groups: 2, eps: 1e-5, affine: true }.into() };
    let networks = networks(&space, Box::new(BasicOperations), (None, None));
    let error = networks.supernet(1).unwrap_err().to_string();
    assert!(error.contains("group_norm") && error.contains("take a batch norm"), "{error}");
    // Single networks are no problem.
    let genotype = random_genotype(networks.space(), &mut generator(1)).unwrap();
    networks.network(&genotype).unwrap();
}

#[test]
fn weights_of_another_supernet_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let space = Nb201Space::create(Nb201Config::default(), ()).unwrap();
    let of = |channels| networks(&space, Box::new(Nb201Operations), (Some(channels), Some(1)));
    let options = Options { kind: Kind::Double, ..Options::on(Device::Cpu) };
    let narrow = Network::build_supernet(&of(4).supernet(1).unwrap(), 0, options).unwrap();
    keep(&narrow, &checkpoint);
    let wide = of(8);
    let genotype = random_genotype(wide.space(), &mut generator(1)).unwrap();
    let mut network =
        Network::build_inheriting(&wide.network(&genotype).unwrap(), options).unwrap();
    let error = inherit(&mut network, &checkpoint).unwrap_err();
    assert!(matches!(error, WeightsError::Shape { .. }), "{error}");
    assert!(error.to_string().contains("this network needs"), "{error}");
}
