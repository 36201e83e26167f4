//! Both evolutions against functions of the genotype.

#![cfg(test)]

mod evolution;
mod regularized_evolution;

use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Options, Space, TemplateBuilder};
use nas_plugin_api::trial::Fidelity;

/// Three to twelve layers of four widths: the encoding `[layers, widths…]`.
fn space() -> Space {
    let mut template = TemplateBuilder::new("layers");
    let input = template.input([8]);
    template.choice("layers", Options::Depth { repeats: (3..13).collect() });
    let mut x = input;
    let mut outputs = Vec::new();
    for layer in 1..13 {
        let id = format!("width_{layer}");
        x = template.chosen_width(&id, &[64, 128, 256, 512], Linear::new(512), x);
        outputs.extend((layer >= 3).then_some(x));
    }
    let repeats: Vec<usize> = (3..13).collect();
    let x = template.chosen_depth("layers", &repeats, &outputs);
    Space::new(template.finish(x).unwrap()).unwrap()
}

fn context(seed: u64, objective: Objective) -> StrategyContext {
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    StrategyContext {
        space: space(),
        seed,
        objectives: vec![objective],
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    }
}

/// Best with 9 layers that grow wider every three layers: share of choices that agree.
fn planted(genotype: &Genotype) -> f64 {
    let wanted = [6, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    let agree = genotype.0.iter().zip(&wanted).filter(|(found, wanted)| found == wanted).count();
    agree as f64 / wanted.len() as f64
}
