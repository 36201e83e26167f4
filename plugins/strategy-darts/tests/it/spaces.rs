//! The spaces that every method has to work on.

use nas_plugin_api::component::{Component, OperationSet, SearchSpace, StrategyContext};
use nas_plugin_api::graph::{Linear, NodeIndex};
use nas_plugin_api::template::{Options, Role, Scale, Space, TemplateBuilder};
use nas_plugin_api::trial::Fidelity;
use ops_darts::DartsOperations;
use space_darts::{DartsConfig, DartsSpace};

/// The published space with these settings, at its smallest scale.
pub(crate) fn darts(config: DartsConfig) -> Space {
    let operations = DartsOperations.operations();
    let scale = Scale {
        input: [3, 16, 16].into(),
        classes: 10,
        channels: Some(4),
        cells: Some(3),
        auxiliary_head: false,
        role: Role::Search,
    };
    let space = DartsSpace::create(config, ()).unwrap();
    Space::new(space.template(&operations, &scale).unwrap()).unwrap()
}

/// A cell of NAS-Bench-201: six edges, five operations, `none` allowed, no choice among inputs.
pub(crate) fn nb201() -> Space {
    let mut template = TemplateBuilder::new("nb201");
    let candidates = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"];
    let mut nodes = vec![template.input([4, 8, 8])];
    for to in 1..4 {
        let edges: Vec<NodeIndex> = (0..to)
            .map(|from| template.operation(&format!("edge_{from}_{to}"), &candidates, nodes[from]))
            .collect();
        nodes.push(template.add(&edges));
    }
    Space::new(template.finish(nodes[3]).unwrap()).unwrap()
}

/// Four operations in a row, behind layers whose width and number are chosen.
pub(crate) fn chain() -> Space {
    let mut template = TemplateBuilder::new("chain");
    let mut x = template.input([8]);
    for place in 0..4 {
        let id = format!("operation_{place}");
        x = template.operation(&id, &["conv_3x3", "conv_5x5", "max_pool_3x3", "identity"], x);
    }
    let mut outputs = Vec::new();
    for layer in 0..3 {
        let id = format!("width_{layer}");
        x = template.chosen_width(&id, &[4, 8, 16], Linear::new(16), x);
        outputs.push(x);
    }
    let x = template.chosen_depth("depth", &[1, 2, 3], &outputs);
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// A sum of one of two inputs that are no operations.
pub(crate) fn plain_inputs() -> Space {
    let mut template = TemplateBuilder::new("plain_inputs");
    let x = template.input([4]);
    let y = template.linear(4, x);
    let edge = template.operation("operation", &["conv", "pool"], y);
    let node = template.chosen_inputs("node", &[x, edge], 1, 1);
    Space::new(template.finish(node).unwrap()).unwrap()
}

/// A cell of two nodes, each with every edge and up to two operations on each, or none.
pub(crate) fn free(min_inputs: usize, max_inputs: usize, max_operations: usize) -> Space {
    let mut template = TemplateBuilder::new("free");
    let mut states = vec![template.input([4, 8, 8])];
    states.push(template.relu(states[0]));
    let candidates = ["none", "skip_connect", "conv", "pool"].map(str::to_owned).to_vec();
    let options =
        Options::Operation { candidates, search_only: vec![0], min: 1, max: max_operations };
    for to in 2..4 {
        let edges: Vec<NodeIndex> = (0..to)
            .map(|from| {
                let choice = template.choice(&format!("normal/edge_{from}_{to}"), options.clone());
                let shape = template.shape(states[from]).clone();
                template.operation_of(choice, states[from], shape, 1)
            })
            .collect();
        let id = format!("normal/node_{to}");
        states.push(template.chosen_inputs(&id, &edges, min_inputs, max_inputs));
    }
    let output = template.concat(&states[2..]);
    Space::new(template.finish(output).unwrap()).unwrap()
}

/// What a strategy is created with.
pub(crate) fn context(space: &Space, seed: u64) -> StrategyContext {
    let fidelity = Fidelity { epochs: 1, data_fraction: 1.0 };
    StrategyContext {
        space: space.clone(),
        seed,
        objectives: Vec::new(),
        fidelity,
        proxies: Vec::new(),
        untrained_share: 0.0,
    }
}
