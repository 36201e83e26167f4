//! What there is to decide between.

use nas_plugin_api::template::{ChoiceIndex, Options, Space};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_plugin_api::toolkit::picks::{limits, selectable};
use nas_plugin_api::toolkit::softmax;

/// A choice with more paths than a genotype picks.
pub(super) struct Searched {
    pub(super) choice: ChoiceIndex,
    /// Positions, in the mixture, of the paths that a genotype may pick.
    pub(super) paths: Vec<usize>,
    /// How many are picked: one, or as few as a genotype may hold.
    pub(super) picked: usize,
    /// Whether a path keeps the choice's architecture weights while it is open.
    pub(super) freezes: Vec<bool>,
}

/// The choices of a space.
pub(super) struct Choices {
    pub(super) searched: Vec<Searched>,
    /// Positions, in the mixture, of paths that every genotype picks.
    pub(super) always: Vec<usize>,
}

impl Choices {
    pub(super) fn new(space: &Space, layout: &MixtureLayout, frozen_operations: &[String]) -> Self {
        let mut choices = Self { searched: Vec::new(), always: Vec::new() };
        for choice in 0..space.n_choices() {
            let start = layout.paths(choice).start;
            let (min, max) = limits(space, choice);
            let members = selectable(space, choice);
            let picked = min.max(1).min(max);
            let paths: Vec<usize> = members.iter().map(|member| start + member).collect();
            if picked == members.len() {
                choices.always.extend(paths);
                continue;
            }
            let freezes = |&member: &usize| match &space.template().choices[choice].options {
                Options::Operation { candidates, .. } => {
                    frozen_operations.contains(&candidates[member])
                }
                _ => false,
            };
            let freezes = members.iter().map(freezes).collect();
            choices.searched.push(Searched { choice, paths, picked, freezes });
        }
        choices
    }
}

impl Searched {
    /// The numbers of this choice's paths, out of those of all paths.
    pub(super) fn own(&self, all: &[f64]) -> Vec<f64> {
        self.paths.iter().map(|&path| all[path]).collect()
    }

    /// The probability of each path.
    pub(super) fn probabilities(&self, alpha: &[f64]) -> Vec<f64> {
        let own = self.own(alpha);
        let mut probabilities = vec![0.0; own.len()];
        softmax::relax(&own, 1.0, &mut probabilities);
        probabilities
    }
}
