//! Signals of an epoch that need no tensor. The worker computes them beside those that do.

use nas_plugin_api::component::{Mixture, Need};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::{Effect, Space, TemplateLayer};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;

/// Share of identities among the operations that a genotype selects, zeros left out; `None` where
/// it selects none, or is no genotype of the space.
///
/// Counted once a choice, not once a node, so that it does not depend on the number of cells: two
/// skip connections on the eight edges of a DARTS cell are 0.25. Only choices that matter count.
#[must_use]
pub fn skip_share(space: &Space, genotype: &Genotype) -> Option<f64> {
    space.check(genotype).ok()?;
    let decision = space.decide(genotype);
    let template = space.template();
    let (mut n_skips, mut n_operations) = (0_u32, 0_u32);
    let active = decision.active.iter().enumerate().filter(|(_, is_active)| **is_active);
    for (choice, _) in active {
        let node = template.nodes.iter().find_map(|node| match &node.layer {
            TemplateLayer::Operation { choice: of, effects, .. } if *of == choice => Some(effects),
            _ => None,
        });
        let Some(effects) = node else { continue };
        for &candidate in space.selection(choice, *genotype.0.get(choice)?) {
            match effects.get(candidate) {
                Some(Effect::Zero) | None => {}
                Some(Effect::Identity) => {
                    n_skips += 1;
                    n_operations += 1;
                }
                Some(_) => n_operations += 1,
            }
        }
    }
    (n_operations > 0).then(|| f64::from(n_skips) / f64::from(n_operations))
}

/// Mean over all choices with more than one path of the entropy of their weights, each divided by
/// the logarithm of its number of paths: 1 is undecided, 0 decided. Paths that are skipped have
/// weight 0; `None` where no choice has positive weights.
///
/// Weights that do not sum to 1 (sigmoids) are divided by their sum. A choice whose weights are all
/// equal because it is a plain sum counts as undecided.
#[must_use]
pub fn entropy(layout: &MixtureLayout, mixture: &Mixture) -> Option<f64> {
    let (mut sum, mut n_choices) = (0.0, 0_u32);
    for choice in 0..layout.n_choices() {
        let paths = layout.paths(choice);
        if paths.len() < 2 {
            continue;
        }
        let weights: Vec<f64> = paths
            .clone()
            .filter(|&path| mixture.needs.get(path).is_some_and(|need| *need != Need::Skip))
            .filter_map(|path| mixture.weights.get(path).copied())
            .filter(|weight| *weight > 0.0 && weight.is_finite())
            .collect();
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            continue;
        }
        let entropy: f64 = weights.iter().map(|weight| weight / total).map(|p| -p * p.ln()).sum();
        sum += entropy / (paths.len() as f64).ln();
        n_choices += 1;
    }
    (n_choices > 0).then(|| sum / f64::from(n_choices))
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::graph::Linear;
    use nas_plugin_api::template::TemplateBuilder;

    use super::*;

    /// Two layers whose widths are chosen.
    fn layout_of_two() -> MixtureLayout {
        let mut template = TemplateBuilder::new("widths");
        let input = template.input([4]);
        let one = template.chosen_width("a", &[8, 16], Linear::new(1), input);
        let two = template.chosen_width("b", &[8, 16], Linear::new(1), one);
        MixtureLayout::new(&Space::new(template.finish(two).unwrap()).unwrap())
    }

    fn check(weights: [f64; 4], expected: f64) {
        let mixture = Mixture { weights: weights.to_vec(), needs: vec![Need::ForwardGrad; 4] };
        let found = entropy(&layout_of_two(), &mixture).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found}");
    }

    #[test]
    fn equal_weights_are_undecided_and_one_hot_ones_decided() {
        check([0.5, 0.5, 0.5, 0.5], 1.0);
        check([1.0, 0.0, 0.0, 1.0], 0.0);
        check([0.5, 0.5, 0.0, 1.0], 0.5);
    }
}
