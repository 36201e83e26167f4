//! Small spaces for the tests of the toolkit.

use crate::graph::{Linear, NodeIndex};
use crate::template::{Constraint, Effect, Options, Space, TemplateBuilder, TemplateLayer};

/// Up to `n` layers with as many widths each; a width matters only if its layer is used.
pub(super) fn layers(n: usize, n_widths: usize) -> Space {
    let mut template = TemplateBuilder::new("layers");
    let mut x = template.input([16]);
    let widths: Vec<usize> = (1..=n_widths).collect();
    let mut outputs: Vec<NodeIndex> = Vec::new();
    for layer in 0..n {
        x = template.chosen_width(&format!("width_{layer}"), &widths, Linear::new(1), x);
        outputs.push(x);
    }
    let repeats: Vec<usize> = (1..=n).collect();
    let x = template.chosen_depth("depth", &repeats, &outputs);
    let x = template.linear(10, x);
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// A cell of `n` nodes with an edge between any two, whose operations are `conv`, `pool`,
/// `identity` and `none`; an edge matters only if what it leads to is read.
pub(super) fn cell(n: usize, constraints: &[Constraint]) -> Space {
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
    for constraint in constraints {
        builder.constrain(constraint.clone());
    }
    let mut template = builder.finish(nodes[n - 1]).unwrap();
    for node in &mut template.nodes {
        if let TemplateLayer::Operation { effects, .. } = &mut node.layer {
            *effects = vec![Effect::Learnt, Effect::Fixed, Effect::Identity, Effect::Zero];
        }
    }
    Space::new(template).unwrap()
}

/// A cell of DARTS with so many nodes, each of which keeps two incoming edges; the operations are
/// `none` (in the search alone), `pool` and `conv`.
pub(super) fn darts_cell(n: usize) -> Space {
    let mut builder = TemplateBuilder::new("darts_cell");
    let mut states = vec![builder.input([4, 8, 8])];
    states.push(builder.relu(states[0]));
    let candidates = ["none", "pool", "conv"].map(str::to_owned).to_vec();
    let options = Options::Operation { candidates, search_only: vec![0], min: 1, max: 1 };
    for to in 2..2 + n {
        let edges: Vec<NodeIndex> = (0..to)
            .map(|from| {
                let choice = builder.choice(&format!("edge_{from}_{to}"), options.clone());
                let shape = builder.shape(states[from]).clone();
                builder.operation_of(choice, states[from], shape, 1)
            })
            .collect();
        states.push(builder.chosen_inputs(&format!("node_{to}"), &edges, 2, 2));
    }
    let output = builder.concat(&states[2..]);
    Space::new(builder.finish(output).unwrap()).unwrap()
}

/// Between `min` and `max` edges of a cell with this operation.
pub(super) fn count(operation: &str, min: usize, max: Option<usize>) -> Constraint {
    Constraint::Count { operation: operation.to_owned(), prefix: "edge".to_owned(), min, max }
}

/// A sequence of choices that all matter, with these numbers of options.
pub(super) fn chain(n_options: &[usize]) -> Space {
    let mut builder = TemplateBuilder::new("chain");
    let mut x = builder.input([4]);
    for (place, &n) in n_options.iter().enumerate() {
        let repeats: Vec<usize> = (1..=n).collect();
        let choice = builder.choice(&format!("choice_{place}"), Options::Depth { repeats });
        x = builder.push("depth", TemplateLayer::Depth { choice }, &vec![x; n]);
    }
    Space::new(builder.finish(x).unwrap()).unwrap()
}
