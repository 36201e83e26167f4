//! Searches in stages, each on fewer paths than the one before.

use nas_plugin_api::component::Edit;

use crate::alpha::Alpha;
use crate::structure::{Kind, Structure};

/// The stage that an epoch is in, and the epoch within it.
pub(crate) fn stage_of(lengths: &[u32], epoch: u32) -> (usize, u32) {
    let mut left = epoch;
    for (stage, &length) in lengths.iter().enumerate() {
        let is_last = stage + 1 == lengths.len();
        if left < length || is_last {
            return (stage, left);
        }
        left -= length;
    }
    (0, epoch)
}

/// Epochs of all stages together.
pub(crate) fn total(lengths: &[u32]) -> u32 {
    lengths.iter().copied().fold(0, u32::saturating_add)
}

/// The weakest paths of every operation choice beyond what `n_kept` says for the number present,
/// as positions in a mixture; one that a genotype may pick always stays.
///
/// # Shapes
/// `weights` has one number per path of a mixture.
pub(crate) fn weakest(
    structure: &Structure,
    alpha: &Alpha,
    weights: &[f64],
    n_kept: impl Fn(usize) -> usize,
) -> Vec<usize> {
    let mut dropped = Vec::new();
    for choice in structure.choices().filter(|&c| structure.kind(c) == Kind::Operation) {
        let start = structure.layout.paths(choice).start;
        let mut present = alpha.learnt(structure, choice);
        // The weakest first; of equals the first.
        present.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]));
        let (least, _) = nas_plugin_api::toolkit::picks::limits(&structure.space, choice);
        let may_be_picked = |path: usize| !structure.is_search_only(choice, path - start);
        let mut n_pickable = present.iter().filter(|&&path| may_be_picked(path)).count();
        let mut n_to_drop = present.len().saturating_sub(n_kept(present.len()));
        for path in present {
            if n_to_drop == 0 {
                break;
            }
            if may_be_picked(path) {
                if n_pickable <= least.max(1) {
                    continue;
                }
                n_pickable -= 1;
            }
            dropped.push(path);
            n_to_drop -= 1;
        }
    }
    dropped
}

/// The edits that take these paths out of the supernet.
pub(crate) fn drop_edits(structure: &Structure, dropped: &[usize]) -> Vec<Edit> {
    let edit = |choice: usize| {
        let all = structure.layout.paths(choice);
        let mut paths: Vec<u32> = dropped
            .iter()
            .filter(|path| all.contains(path))
            .map(|path| (path - all.start) as u32)
            .collect();
        paths.sort_unstable();
        (!paths.is_empty()).then_some(Edit::DropPaths { choice: choice as u32, paths })
    };
    structure.choices().filter_map(edit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_each_other() {
        let of = |epoch| stage_of(&[25, 10], epoch);
        assert_eq!(
            [of(0), of(24), of(25), of(34), of(35)],
            [(0, 0), (0, 24), (1, 0), (1, 9), (1, 10)]
        );
    }
}
