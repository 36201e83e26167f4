//! The space against what is published of NAS-Bench-201.

#![expect(clippy::unwrap_used, reason = "a failing helper fails its test")]

use std::collections::HashSet;

use nas_core::network::{NetworkSpace, OperationGraphs, graph_cost};
use nas_plugin_api::component::{Component, OperationSet, SearchSpace};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use ops_basic::BasicOperations;
use ops_nb201::Nb201Operations;
use space_nb201::{Nb201Config, Nb201Space};

fn scale(cells: Option<usize>) -> Scale {
    Scale { input: Shape::from([3, 32, 32]), classes: 10, cells, ..Scale::default() }
}

fn space(config: Nb201Config) -> Nb201Space {
    Nb201Space::create(config, ()).unwrap()
}

fn networks(operations: Box<dyn OperationSet>, cells: Option<usize>) -> NetworkSpace {
    let space = space(Nb201Config::default());
    NetworkSpace::new(&space, OperationGraphs::new(operations), &scale(cells), Role::Final).unwrap()
}

/// A genotype as the column `ops` of the table writes it.
fn genotype(digits: &str) -> Genotype {
    Genotype(digits.bytes().map(|digit| u16::from(digit - b'0')).collect())
}

/// The parameters of a whole network, which the table lists in millions.
#[track_caller]
fn check_parameters(digits: &str, expected: u64) {
    let networks = networks(Box::new(Nb201Operations), None);
    let graph = networks.network(&genotype(digits)).unwrap();
    assert_eq!(graph_cost(&graph).unwrap().parameters, expected);
}

#[test]
fn parameters_are_those_of_the_table() {
    // Entries 0 and 1, and the all-skip cell to which DARTS collapses.
    check_parameters("421211", 129_306);
    check_parameters("334131", 802_426);
    check_parameters("111111", 73_306);
}

#[test]
fn equal_networks_share_a_hash() {
    let networks = networks(Box::new(Nb201Operations), Some(1));
    let space = networks.space();
    assert_eq!(space.size(), 15_625.0);
    let all = (0..15_625_u16).map(|index| {
        Genotype((0..6).map(|edge| index / 5_u16.pow(edge) % 5).collect::<Vec<u16>>())
    });
    let unique: HashSet<_> = all.map(|genotype| space.canonical_hash(&genotype)).collect();
    // As many as by brute force over all numberings of the learnt layers. The paper's 6,466
    // (section 2.1) comes from strings that keep the zeros in sums, so that x + 0 is not x.
    assert_eq!(unique.len(), 6_147);
}

#[test]
fn edges_come_in_the_order_of_the_table() {
    let networks = networks(Box::new(Nb201Operations), Some(1));
    assert_eq!(
        networks.space().text(&genotype("421343")),
        "edge_0_1=avg_pool_3x3,edge_0_2=nor_conv_1x1,edge_1_2=skip_connect,\
         edge_0_3=nor_conv_3x3,edge_1_3=avg_pool_3x3,edge_2_3=nor_conv_3x3"
    );
}

#[test]
fn choices_do_not_depend_on_the_scale() {
    let small = networks(Box::new(Nb201Operations), Some(1));
    let large = networks(Box::new(Nb201Operations), Some(5));
    assert_eq!(small.space().template().choices, large.space().template().choices);
}

#[test]
fn other_operations_and_odd_extents_fit() {
    let operations = || OperationGraphs::new(Box::new(BasicOperations));
    for extent in [1, 7, 8, 28] {
        let scale = Scale { input: Shape::from([1, extent, extent]), ..scale(Some(1)) };
        let space = space(Nb201Config::default());
        let networks = NetworkSpace::new(&space, operations(), &scale, Role::Search).unwrap();
        networks.network(&genotype("000000")).unwrap();
    }
}

#[test]
fn an_operation_that_the_set_lacks_is_named() {
    let space = space(Nb201Config { operations: vec!["skip".into()], ..Nb201Config::default() });
    let error = space.template(&Nb201Operations.operations(), &scale(None)).unwrap_err();
    assert_eq!(
        error.message,
        "offer operation `skip`, which the set does not have (it has none, skip_connect, \
         nor_conv_1x1, nor_conv_3x3, avg_pool_3x3)"
    );
}
