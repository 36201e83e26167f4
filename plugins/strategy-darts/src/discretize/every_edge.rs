//! The rule of SNAS: every edge keeps its strongest operation, and none at all is one of them.

use nas_plugin_api::toolkit::softmax::strongest;

use super::ranking::{each_choice, edge_strength, largest_first};
use crate::structure::{Kind, Structure};

/// Every edge takes its strongest operation; a node drops the edges whose strongest path is one of
/// the search alone (`none`). Where the space asks for more or fewer edges than are left, the
/// weight of the best operation decides.
///
/// # Source
/// Xie, Zheng, Liu, Lin. SNAS. ICLR 2019; `SNAS-Series/SNAS-Series@9a43adb`: SNAS/model_search.py
/// `genotype`, "edge all".
#[must_use]
pub fn every_edge(structure: &Structure, weights: &[f64]) -> Vec<Vec<usize>> {
    let mut picks = each_choice(structure, weights);
    for node in structure.nodes.iter().filter(|node| structure.kind(node.inputs) == Kind::Edges) {
        let strengths: Vec<f64> = (0..node.operations.len())
            .map(|input| edge_strength(structure, weights, node, input))
            .collect();
        let is_none = |input: usize| {
            node.operations[input].is_some_and(|edge| {
                let best = strongest(&weights[structure.layout.paths(edge)]);
                structure.is_search_only(edge, best)
            })
        };
        let order = largest_first(&strengths);
        let (gone, mut kept): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|&input| is_none(input));
        let missing = node.min.saturating_sub(kept.len());
        kept.extend(gone.into_iter().take(missing));
        kept.truncate(node.max);
        picks[node.inputs] = kept;
    }
    picks
}
