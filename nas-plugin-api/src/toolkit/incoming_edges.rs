//! Which operations feed the inputs that a choice selects among.

use crate::graph::NodeIndex;
use crate::template::{ChoiceIndex, Options, Space, TemplateLayer};

/// One [`Options::Inputs`] choice (a node that keeps some of its incoming edges) and the operation
/// choices on those edges.
///
/// Read off the template's nodes, so that rules like that of DARTS, which ranks a node's edges by
/// their strongest operation, serve every space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingEdges {
    /// The choice among the inputs.
    pub inputs: ChoiceIndex,
    /// For every input the operation choice that it comes from; `None` where it comes from
    /// anything else, or from different ones in different copies of the node.
    pub operations: Vec<Option<ChoiceIndex>>,
    /// Fewest inputs that a genotype keeps.
    pub min: usize,
    /// Most inputs that a genotype keeps.
    pub max: usize,
}

impl IncomingEdges {
    /// Those of every input choice of a space, in the order of the choices.
    ///
    /// Layers with one input (a norm, a dropout) may stand between an operation and the sum.
    #[must_use]
    pub fn of(space: &Space) -> Vec<Self> {
        let choices = &space.template().choices;
        let mut found: Vec<Self> = Vec::new();
        for (inputs, choice) in choices.iter().enumerate() {
            if let Options::Inputs { min, max, n } = choice.options {
                let operations = operations(space, inputs).unwrap_or_else(|| vec![None; n]);
                found.push(Self { inputs, operations, min, max: max.min(n) });
            }
        }
        found
    }

    /// Whether an operation stands on every edge, so that operations alone say which edge is
    /// strong.
    #[must_use]
    pub fn has_operations(&self) -> bool {
        self.operations.iter().all(Option::is_some)
    }
}

/// The operation choices behind the inputs of all nodes of an input choice.
fn operations(space: &Space, inputs: ChoiceIndex) -> Option<Vec<Option<ChoiceIndex>>> {
    let is_copy = |layer: &TemplateLayer| matches!(layer, TemplateLayer::Inputs { choice } if *choice == inputs);
    let copies = space.template().nodes.iter().filter(|node| is_copy(&node.layer));
    copies
        .map(|node| node.inputs.iter().map(|&input| operation_behind(space, input)).collect())
        .reduce(|first: Vec<Option<ChoiceIndex>>, next| {
            first.into_iter().zip(next).map(|(a, b)| if a == b { a } else { None }).collect()
        })
}

/// The operation choice whose output this node is, layers with one input aside.
fn operation_behind(space: &Space, mut node: NodeIndex) -> Option<ChoiceIndex> {
    loop {
        let described = &space.template().nodes[node];
        match (&described.layer, described.inputs.as_slice()) {
            (TemplateLayer::Operation { choice, .. }, _) => return Some(*choice),
            (TemplateLayer::Layer(_), &[input]) => node = input,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample_space::{cell, darts_cell, layers};
    use super::*;
    use crate::graph::Shape;
    use crate::template::TemplateBuilder;

    #[test]
    fn a_node_of_darts_names_its_edges() {
        let space = darts_cell(2);
        let named: Vec<(&str, Vec<&str>)> = IncomingEdges::of(&space)
            .iter()
            .map(|node| {
                let id = |choice: ChoiceIndex| space.template().choices[choice].id.as_str();
                (id(node.inputs), node.operations.iter().map(|edge| id(edge.unwrap())).collect())
            })
            .collect();
        let expected = [
            ("node_2", vec!["edge_0_2", "edge_1_2"]),
            ("node_3", vec!["edge_0_3", "edge_1_3", "edge_2_3"]),
        ];
        assert_eq!(named, expected);
    }

    #[test]
    fn spaces_without_input_choices_have_none() {
        assert_eq!(IncomingEdges::of(&cell(4, &[])), []);
        assert_eq!(IncomingEdges::of(&layers(2, 3)), []);
    }

    #[test]
    fn a_layer_behind_the_operation_does_not_hide_it_but_a_plain_input_has_none() {
        let mut template = TemplateBuilder::new("mixed");
        let x = template.input(Shape::from([4, 8, 8]));
        let edge = template.operation("edge", &["conv", "pool"], x);
        let edge = template.relu(edge);
        let node = template.chosen_inputs("node", &[edge, x], 1, 5);
        let space = Space::new(template.finish(node).unwrap()).unwrap();
        let nodes = IncomingEdges::of(&space);
        assert_eq!(nodes[0].operations, [Some(0), None]);
        assert_eq!((nodes[0].max, nodes[0].has_operations()), (2, false));
    }
}
