//! A sum of sums is one sum: the mixture of each edge becomes part of its node's sum.

use nas_plugin_api::graph::NodeIndex;

use crate::program::{Op, Program, Term};

/// Takes the terms of a sum that only another sum reads into that sum; weights multiply.
pub fn flatten_sums(program: &mut Program) {
    let reads = program.count_reads();
    for index in 0..program.nodes.len() {
        let Op::Sum { terms } = &program.nodes[index].op else { continue };
        let mut flat: Vec<(Term, NodeIndex)> = Vec::with_capacity(terms.len());
        for (outer, &input) in terms.iter().zip(&program.nodes[index].inputs) {
            match &program.nodes[input].op {
                // Dropout of an outer term is not dropout of its parts.
                Op::Sum { terms } if reads[input] == 1 && !outer.is_identity => {
                    for (inner, &from) in terms.iter().zip(&program.nodes[input].inputs) {
                        let paths = outer.paths.iter().chain(&inner.paths).copied().collect();
                        flat.push((Term { paths, is_identity: inner.is_identity }, from));
                    }
                }
                _ => flat.push((outer.clone(), input)),
            }
        }
        let (terms, inputs) = flat.into_iter().unzip();
        program.nodes[index].op = Op::Sum { terms };
        program.nodes[index].inputs = inputs;
    }
}
