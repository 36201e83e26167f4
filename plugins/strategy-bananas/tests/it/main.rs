//! BANANAS against a function of the paths.

#![cfg(test)]

use std::collections::HashSet;

use nas_plugin_api::component::{Component, StrategyContext};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Effect, Space, TemplateBuilder, TemplateLayer};
use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
use nas_plugin_api::trial::{Fidelity, Outcome};
use strategy_bananas::{Bananas, BananasConfig};

/// A cell with an edge between any two of so many nodes: `conv`, `pool`, `identity` or `none`.
fn cell(n: usize) -> Space {
    let mut builder = TemplateBuilder::new("cell");
    let mut nodes = vec![builder.input([4, 8, 8])];
    for to in 1..n {
        let edges: Vec<NodeIndex> = (0..to)
            .map(|from| {
                let id = format!("edge_{from}_{to}");
                builder.operation(&id, &["conv", "pool", "identity", "none"], nodes[from])
            })
            .collect();
        nodes.push(builder.add(&edges));
    }
    let mut template = builder.finish(nodes[n - 1]).unwrap();
    for node in &mut template.nodes {
        if let TemplateLayer::Operation { effects, .. } = &mut node.layer {
            *effects = vec![Effect::Learnt, Effect::Fixed, Effect::Identity, Effect::Zero];
        }
    }
    Space::new(template).unwrap()
}

/// Edges in the order 0→1, 0→2, 1→2, 0→3, …: good is a convolution after a convolution, and a plain
/// way around them.
fn planted(genotype: &Genotype) -> f64 {
    let is = |edge: usize, operation: u16| f64::from(u8::from(genotype.0[edge] == operation));
    is(0, 0) * is(2, 0) * is(5, 0) + 0.5 * is(3, 2) + 0.2 * is(1, 3) + 0.2 * is(4, 3)
}

fn run(
    nodes: usize,
    starts: usize,
    seed: u64,
    rehearsal: Rehearsal,
    evaluate: impl FnMut(&Genotype) -> Result<Vec<f64>, Outcome>,
) -> Rehearsed {
    let context = StrategyContext {
        space: cell(nodes),
        seed,
        objectives: vec![Objective::maximize("accuracy")],
        fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
        proxies: Vec::new(),
        untrained_share: 0.0,
    };
    let config = BananasConfig { starts, layers: 3, epochs: 60, ..BananasConfig::default() };
    rehearsal.run(&mut Bananas::create(config, context).unwrap(), evaluate).unwrap()
}

/// The mean over seeds of the best of 80 among 4096 cells.
fn mean_of_best(starts: usize) -> f64 {
    let best = |seed| {
        let found = run(4, starts, seed, Rehearsal::of(80), |genotype| Ok(vec![planted(genotype)]));
        found.trials.iter().map(|trial| trial.objectives[0]).fold(0.0, f64::max)
    };
    (0..8).map(best).sum::<f64>() / 8.0
}

#[test]
fn it_finds_what_random_draws_do_not() {
    let (learnt, random) = (mean_of_best(10), mean_of_best(10_000));
    assert!(learnt > random + 0.3 && learnt > 1.5, "{learnt} {random}");
}

#[test]
fn nothing_is_proposed_twice_and_the_space_is_used_up() {
    let rehearsal = Rehearsal::of(1000).with_workers(3, 0);
    let found = run(3, 10, 0, rehearsal, |genotype| match genotype.0[0] {
        1 => Err(Outcome::Failed),
        _ => Ok(vec![f64::from(genotype.0[1])]),
    });
    let different: HashSet<_> = found.trials.iter().map(|t| &t.proposal.genotype).collect();
    assert_eq!(different.len(), found.trials.len());
    let done = found.done.unwrap();
    assert_eq!(done, format!("the space is used up after {} genotypes", found.trials.len()));
}
