//! From architecture weights to a mixture of all choices, and back.

use nas_plugin_api::component::{Mixture, Need};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::template::ChoiceIndex;
use nas_plugin_api::toolkit::rng::Generator;

use crate::alpha::Alpha;
use crate::relaxation::{Drawn, Relaxation};
use crate::structure::{Kind, Structure};

/// What a mixture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A step of the network weights: nobody asks for gradients in the mixture.
    Weights,
    /// A step of the architecture weights.
    Architecture,
}

/// A mixture, and what its pull-back needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde")]
pub struct Mixed {
    /// The soft weights, path by path.
    pub soft: Vec<f64>,
    /// What goes to the supernet.
    pub mixture: Mixture,
}

/// Draws a mixture: every choice that has architecture weights by `relaxation` (its inputs by
/// softmax, its numbers never by sigmoid), every other path with weight 1.
pub fn draw(
    structure: &Structure,
    alpha: &Alpha,
    relaxation: Relaxation,
    purpose: Purpose,
    rng: &mut Generator,
) -> Mixed {
    mix(structure, alpha, &alpha.numbers(), purpose, |kind, numbers| {
        rule(kind, relaxation).draw(numbers, rng)
    })
}

/// The mixture without randomness at these architecture weights.
#[must_use]
pub fn mean(
    structure: &Structure,
    alpha: &Alpha,
    relaxation: Relaxation,
    numbers: &[f64],
) -> Mixture {
    let mixed = mix(structure, alpha, numbers, Purpose::Architecture, |kind, numbers| Drawn {
        soft: rule(kind, relaxation).mean(numbers),
        open: None,
    });
    mixed.mixture
}

/// The gradient in the architecture weights that belongs to one in the drawn mixture.
///
/// # Shapes
/// One number per path of a mixture; NaN where there is no architecture weight.
/// # Errors
/// A gradient of another length, or one that is missing where it was asked for.
pub fn pull_back(
    structure: &Structure,
    alpha: &Alpha,
    relaxation: Relaxation,
    mixed: &Mixed,
    gradient: &[f64],
) -> Result<Vec<f64>, PluginError> {
    check(structure, Some(&mixed.mixture.needs), gradient)?;
    let numbers = alpha.numbers();
    Ok(each_choice(structure, alpha, |kind, paths| {
        let of = |all: &[f64]| paths.iter().map(|&path| all[path]).collect::<Vec<f64>>();
        rule(kind, relaxation).pull_back(&of(&numbers), &of(&mixed.soft), &of(gradient))
    }))
}

/// The gradient in the architecture weights that belongs to one in [`mean`].
///
/// # Errors
/// A gradient of another length.
pub fn pull_back_mean(
    structure: &Structure,
    alpha: &Alpha,
    relaxation: Relaxation,
    numbers: &[f64],
    gradient: &[f64],
) -> Result<Vec<f64>, PluginError> {
    check(structure, None, gradient)?;
    Ok(each_choice(structure, alpha, |kind, paths| {
        let of = |all: &[f64]| paths.iter().map(|&path| all[path]).collect::<Vec<f64>>();
        rule(kind, relaxation).pull_back_mean(&of(numbers), &of(gradient))
    }))
}

/// The rule for one kind of choice.
fn rule(kind: Kind, relaxation: Relaxation) -> Relaxation {
    match (kind, relaxation) {
        // Edges of a node share what the node gets (PC-DARTS' β).
        (Kind::Edges | Kind::OtherInputs, _) => Relaxation::Softmax,
        // A network has one depth and one width, whatever each of them is worth.
        (Kind::Number, Relaxation::Sigmoid) => Relaxation::Softmax,
        _ => relaxation,
    }
}

fn mix(
    structure: &Structure,
    alpha: &Alpha,
    numbers: &[f64],
    purpose: Purpose,
    mut draw: impl FnMut(Kind, &[f64]) -> Drawn,
) -> Mixed {
    let mut mixture = structure.layout.plain();
    let mut soft = mixture.weights.clone();
    for (path, &dropped) in alpha.dropped().iter().enumerate() {
        if dropped {
            (soft[path], mixture.weights[path], mixture.needs[path]) = (0.0, 0.0, Need::Skip);
        }
    }
    for choice in structure.choices() {
        let paths = alpha.learnt(structure, choice);
        if paths.is_empty() {
            continue;
        }
        let of_choice: Vec<f64> = paths.iter().map(|&path| numbers[path]).collect();
        let drawn = draw(structure.kind(choice), &of_choice);
        for (place, &path) in paths.iter().enumerate() {
            soft[path] = drawn.soft[place];
            let is_open = drawn.open.is_none_or(|open| open == place);
            mixture.weights[path] = match (drawn.open, is_open) {
                (None, _) => drawn.soft[place],
                (_, true) => 1.0,
                (_, false) => 0.0,
            };
            mixture.needs[path] = match (is_open, purpose) {
                (false, _) => Need::Skip,
                (true, Purpose::Weights) => Need::Forward,
                (true, Purpose::Architecture) => Need::ForwardGrad,
            };
        }
    }
    Mixed { soft, mixture }
}

/// Applies a rule to every choice that has architecture weights; NaN everywhere else.
fn each_choice(
    structure: &Structure,
    alpha: &Alpha,
    rule: impl Fn(Kind, &[usize]) -> Vec<f64>,
) -> Vec<f64> {
    let mut result = vec![f64::NAN; structure.layout.n_paths()];
    let choices: std::ops::Range<ChoiceIndex> = structure.choices();
    for choice in choices {
        let paths = alpha.learnt(structure, choice);
        if paths.is_empty() {
            continue;
        }
        let of_choice = rule(structure.kind(choice), &paths);
        paths.iter().zip(of_choice).for_each(|(&path, number)| result[path] = number);
    }
    result
}

/// Whether a gradient has a number for every path, and one that counts wherever it was asked for.
fn check(
    structure: &Structure,
    needs: Option<&[Need]>,
    gradient: &[f64],
) -> Result<(), PluginError> {
    let expected = structure.layout.n_paths();
    if gradient.len() != expected {
        return Err(PluginError::internal(format!(
            "learn from a gradient of {} numbers: the mixture has {expected}",
            gradient.len()
        )));
    }
    let needs = needs.unwrap_or_default();
    let missing = |&path: &usize| needs[path] == Need::ForwardGrad && !gradient[path].is_finite();
    match (0..needs.len()).find(missing) {
        None => Ok(()),
        Some(path) => {
            let choice = structure.layout.choice_of(path);
            let place = path - structure.layout.paths(choice).start;
            Err(PluginError::internal(format!(
                "learn from the gradient of choice `{}`: path {place} has none, or it is no number",
                structure.id(choice)
            ))
            .with_help("look at the loss of this step; a lower learning rate may keep it finite"))
        }
    }
}
