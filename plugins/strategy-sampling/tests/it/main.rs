//! The strategies on a supernet whose accuracy is a formula.

#![cfg(test)]

mod enas;
mod proxyless;
mod resume;
mod spos;
mod toy;

use nas_plugin_api::component::StrategyContext;
use nas_plugin_api::graph::NodeIndex;
use nas_plugin_api::template::{Options, Space, TemplateBuilder};
use nas_plugin_api::trial::Fidelity;

/// Operations of the chain.
const OPERATIONS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// A sequence of layers, each one of eight operations.
fn chain(layers: usize) -> Space {
    let mut builder = TemplateBuilder::new("chain");
    let mut x = builder.input([4, 8, 8]);
    for layer in 0..layers {
        x = builder.operation(&format!("layer_{layer}"), &OPERATIONS, x);
    }
    Space::new(builder.finish(x).unwrap()).unwrap()
}

/// A cell of DARTS: three nodes that keep two of their edges, and `none` in the search alone.
fn cell() -> Space {
    let mut builder = TemplateBuilder::new("cell");
    let mut states = vec![builder.input([4, 8, 8])];
    states.push(builder.relu(states[0]));
    let candidates = ["none", "pool", "conv", "skip"].map(str::to_owned).to_vec();
    let options = Options::Operation { candidates, search_only: vec![0], min: 1, max: 1 };
    for to in 2..5 {
        let edges: Vec<NodeIndex> = (0..to)
            .map(|from| {
                let choice = builder.choice(&format!("normal/edge_{from}_{to}"), options.clone());
                builder.operation_of(choice, states[from], [4, 8, 8].into(), 1)
            })
            .collect();
        states.push(builder.chosen_inputs(&format!("normal/node_{to}"), &edges, 2, 2));
    }
    let output = builder.concat(&states[2..]);
    Space::new(builder.finish(output).unwrap()).unwrap()
}

/// Choices of every kind: operations (one; none to two), inputs, depth, width.
fn everything() -> Space {
    let mut builder = TemplateBuilder::new("everything");
    let x = builder.input([4, 8, 8]);
    let candidates = ["a", "b", "c"].map(str::to_owned).to_vec();
    let several = Options::Operation { candidates, search_only: Vec::new(), min: 0, max: 2 };
    let several = builder.choice("several", several);
    let y = builder.operation_of(several, x, [4, 8, 8].into(), 1);
    let z = builder.operation("one", &["a", "b"], y);
    let only = builder.operation("only", &["a"], z);
    let node = builder.chosen_inputs("node", &[x, y, only], 1, 2);
    let deep = builder.chosen_depth("depth", &[1, 2], &[node, z]);
    let features = builder.global_avg_pool(deep);
    let wide = nas_plugin_api::graph::Linear::new(8);
    let out = builder.chosen_width("width", &[4, 8], wide, features);
    Space::new(builder.finish(out).unwrap()).unwrap()
}

fn context(space: Space, seed: u64) -> StrategyContext {
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    StrategyContext {
        space,
        seed,
        objectives: Vec::new(),
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    }
}
