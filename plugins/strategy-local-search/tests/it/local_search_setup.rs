//! A space of 256 networks with one hill.

use nas_plugin_api::component::{Component, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Fidelity, Outcome};
use strategy_local_search::{LocalSearch, LocalSearchConfig, Step};

/// Four layers of four widths.
pub(crate) fn space() -> Space {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([8]);
    for layer in 0..4 {
        x = template.chosen_width(&format!("width_{layer}"), &[4, 8, 16, 32], Linear::new(8), x);
    }
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// 1 where every layer takes option 2, and less by the distance.
pub(crate) fn planted(genotype: &Genotype) -> f64 {
    1.0 - genotype.0.iter().map(|&value| f64::from(value.abs_diff(2))).sum::<f64>() / 10.0
}

pub(crate) fn run(
    step: Step,
    seed: u64,
    rehearsal: Rehearsal,
    evaluate: impl FnMut(&Genotype) -> Result<Vec<f64>, Outcome>,
) -> Rehearsed {
    let context = StrategyContext {
        space: space(),
        seed,
        objectives: vec![Objective::maximize("accuracy")],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let config = LocalSearchConfig { step, ..LocalSearchConfig::default() };
    let mut strategy = LocalSearch::create(config, context).unwrap();
    rehearsal.run(&mut strategy, evaluate).unwrap()
}
