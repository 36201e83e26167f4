//! What all rules rank by.

use nas_plugin_api::template::ChoiceIndex;
use nas_plugin_api::toolkit::incoming_edges::IncomingEdges;
use nas_plugin_api::toolkit::picks::{limits, selectable};

use crate::structure::{Kind, Structure};

/// What every choice picks for itself: its strongest path (or as many as it must), and of inputs as
/// many as it may.
#[must_use]
pub fn each_choice(structure: &Structure, weights: &[f64]) -> Vec<Vec<usize>> {
    let pick = |choice: ChoiceIndex| {
        let (min, max) = limits(&structure.space, choice);
        let n = match structure.kind(choice) {
            Kind::Operation | Kind::Number => 1_usize.clamp(min, max),
            Kind::Edges | Kind::OtherInputs => max,
        };
        let mut order = strongest_first(structure, weights, choice);
        order.truncate(n);
        order
    };
    structure.choices().map(pick).collect()
}

/// The paths of a choice that a genotype may pick, the strongest first.
pub(super) fn strongest_first(
    structure: &Structure,
    weights: &[f64],
    choice: ChoiceIndex,
) -> Vec<usize> {
    let start = structure.layout.paths(choice).start;
    let mut order = selectable(&structure.space, choice);
    order.sort_by(|&a, &b| weights[start + b].total_cmp(&weights[start + a]));
    order
}

/// The strongest operation of a choice that a genotype may pick, and its weight.
#[must_use]
pub fn best_operation(
    structure: &Structure,
    weights: &[f64],
    choice: ChoiceIndex,
) -> Option<(usize, f64)> {
    let start = structure.layout.paths(choice).start;
    let best = *strongest_first(structure, weights, choice).first()?;
    Some((best, weights[start + best]))
}

/// How strong an edge is: its best operation's weight times its own.
#[must_use]
pub fn edge_strength(
    structure: &Structure,
    weights: &[f64],
    node: &IncomingEdges,
    input: usize,
) -> f64 {
    let own = weights[structure.layout.paths(node.inputs).start + input];
    let best = node.operations[input].and_then(|edge| best_operation(structure, weights, edge));
    own * best.map_or(1.0, |(_, weight)| weight)
}

/// Positions of numbers, the largest number first.
pub(super) fn largest_first(numbers: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]));
    order
}
