//! The rule of DARTS: a node keeps its strongest edges, each with its best operation.

use super::ranking::{each_choice, edge_strength, largest_first};
use crate::structure::{Kind, Structure};

/// Every edge takes its strongest operation; a node keeps as many edges as it may, ranked by the
/// weight of that operation, times the edge's own weight where it has one (PC-DARTS).
///
/// # Source
/// Liu, Simonyan, Yang. DARTS, ICLR 2019, section 2.4; `quark0/darts@f276dd3`: cnn/model_search.py
/// `genotype`. With edge weights: `yuhuixu1993/PC-DARTS@b74702f`: model_search.py `genotype`.
#[must_use]
pub fn strongest_edges(structure: &Structure, weights: &[f64]) -> Vec<Vec<usize>> {
    let mut picks = each_choice(structure, weights);
    for node in structure.nodes.iter().filter(|node| structure.kind(node.inputs) == Kind::Edges) {
        let strengths: Vec<f64> = (0..node.operations.len())
            .map(|input| edge_strength(structure, weights, node, input))
            .collect();
        picks[node.inputs] = largest_first(&strengths);
        picks[node.inputs].truncate(node.max);
    }
    picks
}
