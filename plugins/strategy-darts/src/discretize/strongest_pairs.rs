//! The rule of GDAS: a node keeps its strongest pairs of edge and operation.

use super::ranking::{each_choice, strongest_first};
use crate::structure::{Kind, Structure};

/// A node takes as many pairs of edge and operation as it may keep edges, the strongest ones of all
/// its edges together. Two of them may lie on one edge, where the space lets an edge hold two
/// operations; a node that would then keep too few edges takes the next best edge as well.
///
/// # Source
/// Dong, Yang. Searching for a robust neural architecture in four GPU hours. CVPR 2019;
/// `D-X-Y/AutoDL-Projects@f46486e`: xautodl/models/cell_searchs/search_model_gdas_nasnet.py
/// `genotype`.
#[must_use]
pub fn strongest_pairs(structure: &Structure, weights: &[f64]) -> Vec<Vec<usize>> {
    use nas_plugin_api::toolkit::picks::limits;
    let mut picks = each_choice(structure, weights);
    for node in structure.nodes.iter().filter(|node| structure.kind(node.inputs) == Kind::Edges) {
        let mut pairs: Vec<(usize, usize, f64)> = Vec::new();
        for (input, edge) in node.operations.iter().enumerate() {
            let Some(edge) = *edge else { continue };
            let paths = structure.layout.paths(edge).start;
            let own = weights[structure.layout.paths(node.inputs).start + input];
            let operations = strongest_first(structure, weights, edge).into_iter();
            pairs.extend(operations.map(|path| (input, path, own * weights[paths + path])));
        }
        pairs.sort_by(|a, b| b.2.total_cmp(&a.2));
        let mut kept: Vec<usize> = Vec::new();
        let mut taken: Vec<Vec<usize>> = vec![Vec::new(); node.operations.len()];
        let mut n_taken = 0;
        for (input, path, _) in pairs {
            let most = node.operations[input].map_or(1, |edge| limits(&structure.space, edge).1);
            let is_new = !kept.contains(&input);
            let wanted = n_taken < node.max || (kept.len() < node.min && is_new);
            let fits = taken[input].len() < most && (!is_new || kept.len() < node.max);
            if wanted && fits {
                taken[input].push(path);
                n_taken += 1;
                if is_new {
                    kept.push(input);
                }
            }
        }
        for (input, taken) in taken.into_iter().enumerate() {
            if let Some(edge) = node.operations[input]
                && taken.len() >= picks[edge].len()
            {
                picks[edge] = taken;
            }
        }
        picks[node.inputs] = kept;
    }
    picks
}
