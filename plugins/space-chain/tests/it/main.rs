//! The chain at several scales.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost};
use nas_plugin_api::component::{Component, SearchSpace};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use ops_basic::BasicOperations;
use space_chain::{ChainConfig, ChainSpace};

fn networks(config: ChainConfig, scale: &Scale) -> Result<NetworkSpace, String> {
    let space = ChainSpace::create(config, ()).unwrap();
    let operations = OperationGraphs::new(Box::new(BasicOperations));
    NetworkSpace::new(&space, operations, scale, Role::Final).map_err(|error| error.to_string())
}

fn scale(cells: Option<usize>) -> Scale {
    Scale { input: Shape::from([3, 32, 32]), classes: 10, cells, ..Scale::default() }
}

/// Parameters of stem and head at 16 channels.
const FIXED: u64 = (3 * 9 + 1) * 16 + (16 + 1) * 10;

#[test]
fn a_genotype_chooses_every_operation_for_itself() {
    let networks = networks(ChainConfig::default(), &scale(None)).unwrap();
    let space = networks.space();
    assert_eq!((space.n_choices(), space.size()), (32, 4_f64.powi(32)));
    let mut genotype = Genotype(vec![3; 32]);
    genotype.0[0] = 0;
    genotype.0[5] = 1;
    let text = space.text(&genotype);
    assert!(text.starts_with("cell_0/operation_0=conv_3x3,cell_0/operation_1=identity"), "{text}");
    let cost = graph_cost(&networks.network(&genotype).unwrap()).unwrap();
    assert_eq!(cost.parameters, FIXED + (16 * 9 + 1) * 16 + (16 * 25 + 1) * 16);
}

#[test]
fn more_cells_repeat_the_chosen_ones() {
    let config = ChainConfig { cells: 2, operations_per_cell: 1, ..ChainConfig::default() };
    let (small, large) = (scale(None), scale(Some(5)));
    let small = networks(config.clone(), &small).unwrap();
    let large = networks(config.clone(), &large).unwrap();
    assert_eq!(small.space().template().choices, large.space().template().choices);
    let cost = large.outline(&Genotype(vec![0, 3])).unwrap().cost;
    assert_eq!(cost.parameters, FIXED + 3 * (16 * 9 + 1) * 16);
    let error = networks(config, &scale(Some(1))).err();
    let expected = "the search space failed to make a chain of 1 cells: 2 are chosen, each for \
                    itself";
    assert_eq!(error.as_deref(), Some(expected));
}

#[test]
fn all_operations_of_the_set_are_candidates_if_none_is_named() {
    let config = ChainConfig { operations: Vec::new(), cells: 1, ..ChainConfig::default() };
    let scale = Scale { input: Shape::from([1, 8, 8]), ..scale(None) };
    let networks = networks(config, &scale).unwrap();
    assert_eq!(networks.space().n_options(0), 17);
    for option in 0..17 {
        networks.network(&Genotype(vec![option; 4])).unwrap();
    }
}

#[test]
fn default_operations_need_images() {
    let vectors = Scale { input: Shape::from([64]), ..scale(None) };
    let space = ChainSpace::create(ChainConfig::default(), ()).unwrap();
    use nas_plugin_api::component::OperationSet;
    let error = space.template(&BasicOperations.operations(), &vectors).unwrap_err();
    assert_eq!(
        error.message,
        "node `stem/conv2d`: conv2d needs an input of shape [channels, height, width], got [64]"
    );
}
