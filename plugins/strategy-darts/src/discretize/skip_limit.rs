//! The rule of P-DARTS: that of DARTS, with a limit on skip connections.

use super::strongest_edges::strongest_edges;
use crate::structure::{Kind, Structure};

/// How many skip connections there may be, and where.
#[derive(Clone, Debug)]
pub struct SkipLimit {
    /// Most skip connections.
    pub most: usize,
    /// Names of the operations that count.
    pub operations: Vec<String>,
    /// Ids of the choices that count begin with this (the normal cell's).
    pub prefix: String,
}

/// Picks by [`strongest_edges`]; while the edges kept have more skip connections than the limit,
/// the weakest of them gets weight 0 and all is picked anew.
///
/// # Source
/// Chen, Xie, Wu, Tian. Progressive differentiable architecture search. ICCV 2019, section 3.4;
/// `chenxin061/pdarts@b880e87`: train_search.py `delete_min_sk_prob`, `keep_1_on`,
/// `keep_2_branches`.
#[must_use]
pub fn limited_skips(structure: &Structure, weights: &[f64], limit: &SkipLimit) -> Vec<Vec<usize>> {
    let mut weights = weights.to_vec();
    loop {
        let picks = strongest_edges(structure, &weights);
        let mut skips: Vec<usize> = Vec::new();
        for choice in structure.choices() {
            let counts = structure.kind(choice) == Kind::Operation
                && structure.id(choice).starts_with(limit.prefix.as_str())
                && is_kept(structure, &picks, choice);
            if counts {
                let start = structure.layout.paths(choice).start;
                let names = structure.candidates(choice);
                let is_skip = |&&path: &&usize| limit.operations.contains(&names[path]);
                skips.extend(picks[choice].iter().filter(is_skip).map(|path| start + path));
            }
        }
        // One that has weight 0 and is picked all the same has nothing beside it.
        let weakest = skips
            .iter()
            .copied()
            .filter(|&path| weights[path] > 0.0)
            .min_by(|&a, &b| weights[a].total_cmp(&weights[b]));
        match weakest {
            Some(path) if skips.len() > limit.most => weights[path] = 0.0,
            _ => return picks,
        }
    }
}

/// Whether an operation's edge is kept by its node, or has no node that might drop it.
fn is_kept(structure: &Structure, picks: &[Vec<usize>], choice: usize) -> bool {
    let edge = structure.nodes.iter().find_map(|node| {
        let input = node.operations.iter().position(|&edge| edge == Some(choice))?;
        Some((node.inputs, input))
    });
    edge.is_none_or(|(inputs, input)| picks[inputs].contains(&input))
}
