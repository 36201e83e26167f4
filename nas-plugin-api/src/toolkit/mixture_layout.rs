//! Where each choice's paths lie in a mixture.

use std::ops::Range;

use crate::component::{Mixture, Need};
use crate::genotype::Genotype;
use crate::template::{ChoiceIndex, Options, Space};

/// Counts the paths of a space's choices, which is how a [`Mixture`] is laid out: choice after
/// choice, path after path (see [`crate::component::OneShotStrategy`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixtureLayout {
    /// Where each choice begins, and where the last one ends.
    offsets: Vec<usize>,
}

impl MixtureLayout {
    /// The layout of this space's mixtures.
    #[must_use]
    pub fn new(space: &Space) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        for choice in &space.template().choices {
            end += n_paths(&choice.options);
            offsets.push(end);
        }
        Self { offsets }
    }

    /// Number of choices.
    #[must_use]
    pub fn n_choices(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of paths of all choices: the length of a mixture.
    #[must_use]
    pub fn n_paths(&self) -> usize {
        self.offsets[self.n_choices()]
    }

    /// The positions of one choice's paths.
    ///
    /// # Panics
    /// If there is no such choice.
    #[must_use]
    pub fn paths(&self, choice: ChoiceIndex) -> Range<usize> {
        self.offsets[choice]..self.offsets[choice + 1]
    }

    /// The choice that a path belongs to.
    ///
    /// # Panics
    /// If there is no such path.
    #[must_use]
    pub fn choice_of(&self, path: usize) -> ChoiceIndex {
        assert!(path < self.n_paths(), "a path of this layout");
        self.offsets.partition_point(|&offset| offset <= path) - 1
    }

    /// Every path with weight 1, computed, without gradient: where a strategy starts from.
    #[must_use]
    pub fn plain(&self) -> Mixture {
        Mixture { weights: vec![1.0; self.n_paths()], needs: vec![Need::Forward; self.n_paths()] }
    }

    /// The paths that a genotype chooses, those of choices that do not matter in it included.
    ///
    /// # Panics
    /// If the genotype is none of the space, or the space is not the layout's.
    pub fn chosen<'a>(
        &'a self,
        space: &'a Space,
        genotype: &'a Genotype,
    ) -> impl Iterator<Item = usize> + 'a {
        genotype.0.iter().enumerate().flat_map(move |(choice, &option)| {
            let start = self.paths(choice).start;
            space.selection(choice, option).iter().map(move |&member| start + member)
        })
    }

    /// One network: the paths that a genotype chooses with weight 1, and no others computed.
    ///
    /// # Panics
    /// As [`Self::chosen`].
    #[must_use]
    pub fn single_path(&self, space: &Space, genotype: &Genotype) -> Mixture {
        let n = self.n_paths();
        let mut mixture = Mixture { weights: vec![0.0; n], needs: vec![Need::Skip; n] };
        for path in self.chosen(space, genotype) {
            mixture.weights[path] = 1.0;
            mixture.needs[path] = Need::Forward;
        }
        mixture
    }
}

/// Number of paths of one choice in a supernet.
///
/// [`Options::Operation`] has one per candidate, those that no genotype may hold included;
/// [`Options::Inputs`] one per input; [`Options::Depth`] and [`Options::Width`] one per number.
#[must_use]
pub fn n_paths(options: &Options) -> usize {
    match options {
        Options::Operation { candidates, .. } => candidates.len(),
        Options::Inputs { n, .. } => *n,
        Options::Depth { repeats: numbers } | Options::Width { values: numbers } => numbers.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample_space::{darts_cell, layers};
    use super::*;

    #[test]
    fn choices_follow_each_other() {
        // Two widths of three values each and a depth of two.
        let layout = MixtureLayout::new(&layers(2, 3));
        let paths: Vec<Range<usize>> = (0..layout.n_choices()).map(|c| layout.paths(c)).collect();
        assert_eq!(paths, [0..3, 3..6, 6..8]);
        assert_eq!((layout.n_paths(), layout.choice_of(2), layout.choice_of(3)), (8, 0, 1));
    }

    #[test]
    fn candidates_of_the_search_alone_have_paths() {
        // Two and three edges of three candidates, one of them search-only; two and three inputs.
        let layout = MixtureLayout::new(&darts_cell(2));
        assert_eq!(layout.n_paths(), 2 * 3 + 2 + 3 * 3 + 3);
        assert_eq!(layout.plain().weights.len(), layout.n_paths());
    }
}
