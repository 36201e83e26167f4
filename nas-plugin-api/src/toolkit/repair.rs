//! Making a genotype valid again.

use super::random_genotype::{other_option, random_option, unchecked};
use super::rng::{Generator, IndexedRandom, RngExt};
use crate::error::{ErrorCode, PluginError};
use crate::genotype::Genotype;
use crate::template::{Active, ChoiceIndex, Constraint, Options, Space};

/// Starts from a fresh random genotype before giving up.
const STARTS: usize = 8;

/// A valid genotype close to the given one.
///
/// Missing values and values out of range are drawn anew and surplus ones are cut off. Then, while
/// a constraint is not met, a choice that counts towards it is changed the way it asks for. A
/// genotype that is valid already comes back as it is.
///
/// # Errors
/// [`ErrorCode::Exhausted`] if the constraints can't be met, or not within some thousand changes.
/// # Source
/// Selman, Kautz, Cohen. Noise strategies for improving local search (WalkSAT), AAAI 1994: one
/// random violated constraint at a time, with a little noise against going in circles.
pub fn repair(
    space: &Space,
    mut genotype: Genotype,
    rng: &mut Generator,
) -> Result<Genotype, PluginError> {
    genotype.0.truncate(space.n_choices());
    for choice in 0..space.n_choices() {
        match genotype.0.get(choice) {
            Some(&value) if usize::from(value) < space.n_options(choice) => {}
            Some(_) => genotype.0[choice] = random_option(space, choice, rng),
            None => genotype.0.push(random_option(space, choice, rng)),
        }
    }
    let mut active = Active::default();
    for _ in 0..STARTS {
        for _ in 0..200 + 20 * space.n_choices() {
            space.read_active(&genotype, &mut active);
            let constraints = &space.template().constraints;
            let violated: Vec<(&Constraint, bool)> = constraints
                .iter()
                .filter_map(|constraint| {
                    Some((constraint, lacks(space, constraint, &genotype, &active)?))
                })
                .collect();
            let Some(&(constraint, lacking)) = violated.choose(rng) else {
                return Ok(genotype);
            };
            let noise = rng.random_bool(0.1);
            let changed = !noise && change(space, constraint, lacking, &mut genotype, &active, rng);
            if !changed {
                change_any(space, &mut genotype, &active, rng);
            }
        }
        genotype = unchecked(space, rng);
    }
    let message = format!("find a genotype that meets the constraints of space `{}`", space.name());
    Err(PluginError::new(ErrorCode::Exhausted, message)
        .with_help("loosen the constraints, or offer the operations that they ask for"))
}

/// `None` where the constraint is met, else whether it counts too few.
fn lacks(
    space: &Space,
    constraint: &Constraint,
    genotype: &Genotype,
    active: &Active,
) -> Option<bool> {
    let Constraint::Count { min, max, .. } = constraint;
    let count = |&choice: &ChoiceIndex| {
        selects(space, constraint, choice, genotype.0[choice]) == Some(true)
    };
    let found = active.choices().filter(count).count();
    match (found < *min, max.is_some_and(|max| found > max)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Makes one active choice select the constraint's operation, or no longer; false where none can.
fn change(
    space: &Space,
    constraint: &Constraint,
    lacking: bool,
    genotype: &mut Genotype,
    active: &Active,
    rng: &mut Generator,
) -> bool {
    let options = |choice: ChoiceIndex| {
        (0..space.n_options(choice) as u32)
            .map(|option| option as u16)
            .filter(move |&option| selects(space, constraint, choice, option) == Some(lacking))
    };
    let places: Vec<ChoiceIndex> = active
        .choices()
        .filter(|&choice| {
            selects(space, constraint, choice, genotype.0[choice]) == Some(!lacking)
                && options(choice).next().is_some()
        })
        .collect();
    let Some(&place) = places.choose(rng) else {
        return false;
    };
    let options: Vec<u16> = options(place).collect();
    genotype.0[place] = *options.choose(rng).unwrap_or(&genotype.0[place]);
    true
}

/// Changes any active choice.
fn change_any(space: &Space, genotype: &mut Genotype, active: &Active, rng: &mut Generator) {
    let places: Vec<ChoiceIndex> = active.choices().collect();
    if let Some(&place) = places.choose(rng) {
        let value = other_option(space, place, genotype.0[place], rng);
        genotype.0[place] = value.unwrap_or(genotype.0[place]);
    }
}

/// Whether an option selects the constraint's operation; `None` where the choice does not count.
fn selects(
    space: &Space,
    constraint: &Constraint,
    choice: ChoiceIndex,
    option: u16,
) -> Option<bool> {
    let Constraint::Count { operation, prefix, .. } = constraint;
    let described = &space.template().choices[choice];
    match &described.options {
        Options::Operation { candidates, .. } if described.id.starts_with(prefix.as_str()) => {
            let selection = space.selection(choice, option);
            Some(selection.iter().any(|&candidate| &candidates[candidate] == operation))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rng::generator;
    use super::super::sample_space::{cell, count};
    use super::*;

    #[test]
    fn a_valid_genotype_comes_back_as_it_is() {
        let space = cell(4, &[count("conv", 1, Some(3))]);
        let genotype = Genotype(vec![0, 1, 2, 3, 0, 1]);
        assert_eq!(space.check(&genotype), Ok(()));
        assert_eq!(repair(&space, genotype.clone(), &mut generator(0)), Ok(genotype));
    }

    proptest! {
        #[test]
        fn anything_becomes_valid(
            values in prop::collection::vec(0_u16..9, 0..12),
            min in 0_usize..4,
            seed: u64,
        ) {
            let space = cell(4, &[count("conv", min, Some(min)), count("pool", 0, Some(1))]);
            let repaired = repair(&space, Genotype(values), &mut generator(seed)).unwrap();
            prop_assert_eq!(space.check(&repaired), Ok(()));
        }
    }
}
