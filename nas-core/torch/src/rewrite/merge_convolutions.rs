//! Convolution is linear: convolutions of one input that are summed are one convolution.
//!
//! A 3×3 and a 5×5 convolution and an identity become one 5×5 convolution whose weight is the
//! weighted sum of the three, padded with zeros. The gradients of the three weights and of their
//! places in the mixture follow from that of the one.

use std::collections::BTreeMap;

use nas_plugin_api::graph::{Conv2d, Groups, Layer, NodeIndex};

use crate::program::{MergedTerm, Node, Op, Program, Term};

/// Merges the terms of each sum that are convolutions of the same input, with its identity.
pub fn merge_convolutions(program: &mut Program) {
    let reads = program.count_reads();
    let old = std::mem::take(&mut program.nodes);
    let mut nodes: Vec<Node> = Vec::with_capacity(old.len());
    let mut place: Vec<NodeIndex> = Vec::with_capacity(old.len());
    for index in 0..old.len() {
        let mut node = old[index].clone();
        if let Op::Sum { terms } = &node.op {
            let mut parts: BTreeMap<NodeIndex, Vec<usize>> = BTreeMap::new();
            for (position, &input) in node.inputs.iter().enumerate() {
                if reads[input] == 1 && mergeable(&old[input]).is_some() {
                    parts.entry(old[input].inputs[0]).or_default().push(position);
                }
            }
            parts.retain(|source, positions| {
                let same_shape = old[*source].shape == node.shape;
                let identities = node.inputs.iter().filter(|&input| input == source).count();
                // One convolution with its identity costs as much as without.
                positions.len() > 1 || (same_shape && identities > 0 && !positions.is_empty())
            });
            let (mut new_terms, mut new_inputs) = (Vec::new(), Vec::new());
            let mut merged = vec![false; terms.len()];
            for (source, positions) in parts {
                let identity = |&position: &usize| node.inputs[position] == source;
                let is_same = old[source].shape == node.shape;
                let identities: Vec<usize> = match is_same {
                    true => (0..terms.len()).filter(identity).collect(),
                    false => Vec::new(),
                };
                let members: Vec<MergedTerm> = positions
                    .iter()
                    .map(|&position| {
                        let convolution = &old[node.inputs[position]];
                        MergedTerm {
                            name: convolution.name.clone(),
                            convolution: mergeable(convolution).cloned(),
                            term: terms[position].clone(),
                        }
                    })
                    .chain(identities.iter().map(|&position| MergedTerm {
                        name: format!("{}/identity", node.name),
                        convolution: None,
                        term: terms[position].clone(),
                    }))
                    .collect();
                for position in positions.into_iter().chain(identities) {
                    merged[position] = true;
                }
                nodes.push(Node {
                    name: format!("{}/merged_{source}", node.name),
                    op: Op::MergedConvolution { terms: members },
                    inputs: vec![place[source]],
                    shape: node.shape.clone(),
                });
                new_terms.push(Term::default());
                new_inputs.push(nodes.len() - 1);
            }
            for (position, term) in terms.iter().enumerate().filter(|&(at, _)| !merged[at]) {
                new_terms.push(term.clone());
                new_inputs.push(place[node.inputs[position]]);
            }
            node.op = Op::Sum { terms: new_terms };
            node.inputs = new_inputs;
        } else {
            node.inputs = node.inputs.iter().map(|&input| place[input]).collect();
        }
        place.push(nodes.len());
        nodes.push(node);
    }
    program.nodes = nodes;
    for output in &mut program.outputs {
        *output = place[*output];
    }
}

/// A convolution that keeps its input's extents and has one group.
fn mergeable(node: &Node) -> Option<&Conv2d> {
    let Op::Layer(Layer::Conv2d(convolution)) = &node.op else { return None };
    let centred = (0..2).all(|axis| {
        let kernel = convolution.kernel[axis];
        kernel % 2 == 1
            && convolution.padding[axis] == kernel / 2
            && convolution.stride[axis] == 1
            && convolution.dilation[axis] == 1
    });
    (centred && convolution.groups == Groups::Count(1) && node.inputs.len() == 1)
        .then_some(convolution)
}
