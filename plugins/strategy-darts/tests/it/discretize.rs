//! Each rule on weights that tell it from the others.

use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::picks::genotype;
use strategy_darts::discretize::{
    SkipLimit, every_edge, limited_skips, strongest_edges, strongest_pairs, threshold_edge,
    threshold_sparse,
};
use strategy_darts::structure::Structure;

use crate::spaces::free;

/// Applies a rule to the weights of the five edges (`none`, `skip_connect`, `conv`, `pool`) and
/// five inputs, and compares the genotype's text.
#[track_caller]
fn check(
    space: &Space,
    edges: [[f64; 4]; 5],
    inputs: [f64; 5],
    rule: impl Fn(&Structure, &[f64]) -> Vec<Vec<usize>>,
    expected: &str,
) {
    let [a, b, c, d, e] = edges;
    let weights = [&a[..], &b, &inputs[..2], &c, &d, &e, &inputs[2..]].concat();
    let structure = Structure::new(space).unwrap();
    let picks = rule(&structure, &weights);
    let text = space.text(&genotype(space, &picks).unwrap()).replace("normal/", "");
    assert_eq!(text, expected);
}

const EDGES: [[f64; 4]; 5] = [
    [0.7, 0.1, 0.15, 0.05],
    [0.1, 0.6, 0.2, 0.1],
    [0.0, 0.2, 0.3, 0.5],
    [0.1, 0.45, 0.44, 0.01],
    [0.3, 0.25, 0.25, 0.2],
];

#[test]
fn darts_keeps_the_two_strongest_edges_and_never_none() {
    let expected = "edge_0_2=conv,edge_1_2=skip_connect,node_2=0+1,edge_0_3=pool,\
                    edge_1_3=skip_connect,node_3=0+1";
    check(&free(2, 2, 1), EDGES, [1.0; 5], strongest_edges, expected);
}

#[test]
fn weights_of_edges_count() {
    let expected = "edge_0_2=conv,edge_1_2=skip_connect,node_2=0+1,edge_0_3=pool,\
                    edge_2_3=skip_connect,node_3=0+2";
    check(&free(2, 2, 1), EDGES, [0.5, 0.5, 0.4, 0.1, 0.5], strongest_edges, expected);
}

#[test]
fn gdas_may_take_both_pairs_from_one_edge() {
    let expected = "edge_0_2=conv,edge_1_2=skip_connect+conv,node_2=0+1,edge_0_3=pool,\
                    edge_1_3=skip_connect,node_3=0+1";
    // Node 2 keeps two edges at least, so that its third pair comes from the other edge.
    check(&free(2, 2, 2), EDGES, [1.0; 5], strongest_pairs, expected);
    let expected = "edge_1_2=skip_connect+conv,node_2=1,edge_0_3=pool,edge_1_3=skip_connect,\
                    node_3=0+1";
    check(&free(1, 2, 2), EDGES, [1.0; 5], strongest_pairs, expected);
    let expected = "edge_0_2=conv,edge_1_2=skip_connect,node_2=0+1,edge_0_3=pool,\
                    edge_1_3=skip_connect,node_3=0+1";
    check(&free(2, 2, 1), EDGES, [1.0; 5], strongest_pairs, expected);
}

#[test]
fn snas_keeps_every_edge_that_is_not_none() {
    let expected = "edge_1_2=skip_connect,node_2=1,edge_0_3=pool,edge_1_3=skip_connect,node_3=0+1";
    check(&free(0, 3, 1), EDGES, [1.0; 5], every_edge, expected);
    let expected = "edge_0_2=conv,edge_1_2=skip_connect,node_2=0+1,edge_0_3=pool,\
                    edge_1_3=skip_connect,node_3=0+1";
    check(&free(2, 2, 1), EDGES, [1.0; 5], every_edge, expected);
}

const SIGMOIDS: [[f64; 4]; 5] = [
    [0.0, 0.9, 0.95, 0.1],
    [0.0, 0.2, 0.3, 0.1],
    [0.0, 0.2, 0.87, 0.86],
    [0.0, 0.9, 0.1, 0.1],
    [0.0, 0.85, 0.1, 0.1],
];

#[test]
fn fair_darts_keeps_what_passes_the_threshold() {
    let sparse =
        |structure: &Structure, weights: &[f64]| threshold_sparse(structure, weights, 0.85);
    let edge = |structure: &Structure, weights: &[f64]| threshold_edge(structure, weights, 0.85);
    let expected = "edge_0_2=conv,node_2=0,edge_0_3=conv,edge_1_3=skip_connect,node_3=0+1";
    check(&free(0, 2, 1), SIGMOIDS, [1.0; 5], sparse, expected);
    let expected = "edge_0_2=conv,edge_1_2=conv,node_2=0+1,edge_0_3=conv,edge_1_3=skip_connect,\
                    node_3=0+1";
    check(&free(2, 2, 1), SIGMOIDS, [1.0; 5], sparse, expected);
    let expected = "edge_0_2=skip_connect+conv,node_2=0,edge_0_3=conv+pool,edge_1_3=skip_connect,\
                    edge_2_3=skip_connect,node_3=0+1+2";
    check(&free(0, 3, 2), SIGMOIDS, [1.0; 5], edge, expected);
    let none = |structure: &Structure, weights: &[f64]| threshold_sparse(structure, weights, 0.99);
    check(&free(0, 2, 1), SIGMOIDS, [1.0; 5], none, "node_2=-,node_3=-");
}

#[test]
fn p_darts_limits_skip_connections() {
    let limit = |most| {
        move |structure: &Structure, weights: &[f64]| {
            let operations = vec!["skip_connect".to_owned()];
            let limit = SkipLimit { most, operations, prefix: "normal/".to_owned() };
            limited_skips(structure, weights, &limit)
        }
    };
    let space = free(2, 2, 1);
    let one = "edge_0_2=conv,edge_1_2=skip_connect,node_2=0+1,edge_0_3=pool,edge_1_3=conv,\
               node_3=0+1";
    check(&space, EDGES, [1.0; 5], limit(1), one);
    let none = "edge_0_2=conv,edge_1_2=conv,node_2=0+1,edge_0_3=pool,edge_1_3=conv,node_3=0+1";
    check(&space, EDGES, [1.0; 5], limit(0), none);
}

#[test]
fn of_equals_the_first_wins() {
    let expected = "edge_0_2=skip_connect,edge_1_2=skip_connect,node_2=0+1,edge_0_3=skip_connect,\
                    edge_1_3=skip_connect,node_3=0+1";
    check(&free(2, 2, 1), [[0.25; 4]; 5], [1.0; 5], strongest_edges, expected);
}
