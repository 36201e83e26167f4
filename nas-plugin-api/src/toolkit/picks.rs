//! Genotypes from what was picked in each choice.

use crate::error::PluginError;
use crate::genotype::Genotype;
use crate::template::{ChoiceIndex, Options, Space};

/// How many members a genotype picks of a choice, fewest and most: operations or inputs; one
/// number of a depth or width.
///
/// # Panics
/// If there is no such choice.
#[must_use]
pub fn limits(space: &Space, choice: ChoiceIndex) -> (usize, usize) {
    match &space.template().choices[choice].options {
        Options::Operation { min, max, .. } => (*min, (*max).min(selectable(space, choice).len())),
        Options::Inputs { n, min, max } => (*min, (*max).min(*n)),
        Options::Depth { .. } | Options::Width { .. } => (1, 1),
    }
}

/// The paths of a choice that a genotype may pick: all but the candidates of the search alone.
///
/// # Panics
/// If there is no such choice.
#[must_use]
pub fn selectable(space: &Space, choice: ChoiceIndex) -> Vec<usize> {
    let options = &space.template().choices[choice].options;
    let n = super::mixture_layout::n_paths(options);
    match options {
        Options::Operation { search_only, .. } => {
            (0..n).filter(|path| !search_only.contains(path)).collect()
        }
        _ => (0..n).collect(),
    }
}

/// The genotype that picks these members in every choice: positions of candidates or inputs, in
/// any order, or the one position of a number.
///
/// Constraints of the space are not looked at; [`super::repair`] meets them.
///
/// # Errors
/// Picks that are none of a choice's options, with the choice's name.
pub fn genotype(space: &Space, picks: &[Vec<usize>]) -> Result<Genotype, PluginError> {
    if picks.len() != space.n_choices() {
        return Err(PluginError::internal(format!(
            "write a genotype: space `{}` has {} choices, {} were made",
            space.name(),
            space.n_choices(),
            picks.len()
        )));
    }
    let option = |(choice, picked): (ChoiceIndex, &Vec<usize>)| {
        let mut picked = picked.clone();
        picked.sort_unstable();
        let options = 0..space.n_options(choice) as u32;
        options
            .map(|option| option as u16)
            .find(|&option| space.selection(choice, option) == picked)
            .ok_or_else(|| not_an_option(space, choice, &picked))
    };
    picks.iter().enumerate().map(option).collect::<Result<Vec<u16>, _>>().map(Genotype)
}

fn not_an_option(space: &Space, choice: ChoiceIndex, picked: &[usize]) -> PluginError {
    let (min, max) = limits(space, choice);
    PluginError::internal(format!(
        "write a genotype: choice `{}` takes {min} to {max} of {:?}, not {picked:?}",
        space.template().choices[choice].id,
        selectable(space, choice)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::sample_space::darts_cell;
    use super::*;

    #[test]
    fn picks_become_options_in_any_order() {
        let space = darts_cell(2);
        let picks = [[1].as_slice(), &[2], &[1, 0], &[1], &[1], &[2], &[2, 0]];
        let picks: Vec<Vec<usize>> = picks.iter().map(|picked| picked.to_vec()).collect();
        let genotype = genotype(&space, &picks).unwrap();
        // What stands on an edge that is not kept does not matter.
        let expected =
            "edge_0_2=pool,edge_1_2=conv,node_2=0+1,edge_0_3=pool,edge_2_3=conv,node_3=0+2";
        assert_eq!((space.text(&genotype).as_str(), genotype.0[4]), (expected, 0));
    }

    #[test]
    fn a_candidate_of_the_search_alone_is_no_option() {
        let space = darts_cell(1);
        let error = genotype(&space, &[vec![0], vec![1], vec![0, 1]]).unwrap_err();
        let expected = "write a genotype: choice `edge_0_2` takes 1 to 1 of [1, 2], not [0]";
        assert_eq!(error.message, expected);
        assert_eq!(limits(&space, 2), (2, 2));
    }
}
