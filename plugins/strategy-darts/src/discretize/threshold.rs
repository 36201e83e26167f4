//! The rules of FairDARTS: only what is above a threshold is kept.

use nas_plugin_api::toolkit::incoming_edges::IncomingEdges;
use nas_plugin_api::toolkit::picks::limits;

use super::ranking::{each_choice, edge_strength, largest_first, strongest_first};
use crate::structure::{Kind, Structure};

/// A node takes its strongest edges, as many as it may, and keeps those of them whose best
/// operation is at least `threshold`.
///
/// Where the space asks for more than that, the next strongest are kept: at least `min` edges of a
/// node. An edge that no node may drop keeps an operation below the threshold, unless it may hold
/// none.
///
/// # Source
/// Chu, Zhou, Zhang, Li. Fair DARTS. ECCV 2020; `xiaomi-automl/FairDARTS@270cfc9`: fairdarts/
/// genotype parsing `threshold_sparse`.
#[must_use]
pub fn threshold_sparse(structure: &Structure, weights: &[f64], threshold: f64) -> Vec<Vec<usize>> {
    let mut picks = above(structure, weights, threshold, 1);
    for node in nodes(structure) {
        let strengths = strengths(structure, weights, node);
        let mut order = largest_first(&strengths);
        order.truncate(node.max);
        picks[node.inputs] = keep(node, &strengths, order, threshold);
    }
    picks
}

/// Every edge keeps its operations of at least `threshold`, as many as it may hold (two, as
/// published, where the space says so); a node keeps the edges that have one.
///
/// # Source
/// As [`threshold_sparse`]: `threshold_edge`.
#[must_use]
pub fn threshold_edge(structure: &Structure, weights: &[f64], threshold: f64) -> Vec<Vec<usize>> {
    let mut picks = above(structure, weights, threshold, usize::MAX);
    for node in nodes(structure) {
        let strengths = strengths(structure, weights, node);
        let order = largest_first(&strengths);
        picks[node.inputs] = keep(node, &strengths, order, threshold);
        picks[node.inputs].truncate(node.max);
    }
    picks
}

/// In every operation choice the strongest paths of at least `threshold`, `most` of them, within
/// what the choice allows; an edge that a node may drop instead is never left empty.
fn above(structure: &Structure, weights: &[f64], threshold: f64, most: usize) -> Vec<Vec<usize>> {
    let mut picks = each_choice(structure, weights);
    for choice in structure.choices().filter(|&c| structure.kind(c) == Kind::Operation) {
        let (min, max) = limits(&structure.space, choice);
        let start = structure.layout.paths(choice).start;
        let order = strongest_first(structure, weights, choice);
        let n_above = order.iter().filter(|&&path| weights[start + path] >= threshold).count();
        let may_be_dropped = nodes(structure).any(|node| node.operations.contains(&Some(choice)));
        let least = if may_be_dropped { min.max(1).min(max) } else { min };
        let n = n_above.min(most).clamp(least, max);
        picks[choice] = order.into_iter().take(n).collect();
    }
    picks
}

fn nodes(structure: &Structure) -> impl Iterator<Item = &IncomingEdges> {
    structure.nodes.iter().filter(|node| structure.kind(node.inputs) == Kind::Edges)
}

fn strengths(structure: &Structure, weights: &[f64], node: &IncomingEdges) -> Vec<f64> {
    (0..node.operations.len()).map(|input| edge_strength(structure, weights, node, input)).collect()
}

/// Of edges in falling order those of at least `threshold`, and at least as many as the node needs.
fn keep(
    node: &IncomingEdges,
    strengths: &[f64],
    mut order: Vec<usize>,
    threshold: f64,
) -> Vec<usize> {
    let n_above = order.iter().filter(|&&input| strengths[input] >= threshold).count();
    order.truncate(n_above.max(node.min));
    order
}
