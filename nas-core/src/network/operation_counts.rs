//! How often each operation is part of a network.

use std::collections::BTreeMap;
use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::{Decided, Decision, Effect, Options, Space, TemplateLayer};

/// The operations of a space, so that they can be counted without looking at names.
pub(super) struct OperationCounter {
    /// In rising order.
    names: Vec<Arc<str>>,
    /// For each node that chooses an operation, its choice, and for each candidate its place among
    /// the names and whether it computes something.
    places: Vec<Place>,
}

struct Place {
    node: usize,
    choice: usize,
    candidates: Vec<(usize, bool)>,
}

impl OperationCounter {
    pub(super) fn new(space: &Space) -> Self {
        let template = space.template();
        let candidates = |choice: usize| match &template.choices[choice].options {
            Options::Operation { candidates, .. } => candidates.as_slice(),
            _ => &[],
        };
        let all = (0..template.choices.len()).flat_map(candidates);
        let mut names: Vec<Arc<str>> = all.map(|name| Arc::from(name.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        let mut places = Vec::new();
        for (node, at) in template.nodes.iter().enumerate() {
            let TemplateLayer::Operation { choice, effects, .. } = &at.layer else { continue };
            let candidate = |(name, effect): (&String, &Effect)| {
                let place = names.partition_point(|known| **known < **name);
                (place, !matches!(effect, Effect::Identity | Effect::Zero))
            };
            let candidates = candidates(*choice).iter().zip(effects).map(candidate).collect();
            places.push(Place { node, choice: *choice, candidates });
        }
        Self { names, places }
    }

    /// How often each operation is part of the network, by name; identities and zeros are counted
    /// where they were chosen and matter. `counts` is memory to work in.
    pub(super) fn count(
        &self,
        space: &Space,
        decision: &Decision,
        genotype: &Genotype,
        counts: &mut Vec<u32>,
    ) -> BTreeMap<Arc<str>, u32> {
        counts.clear();
        counts.resize(self.names.len(), 0);
        for Place { node, choice, candidates } in &self.places {
            if !decision.active[*choice] {
                continue;
            }
            let is_computed = matches!(decision.nodes[*node], Decided::Operations { .. });
            for &candidate in space.selection(*choice, genotype.0[*choice]) {
                let (place, computes) = candidates[candidate];
                counts[place] += u32::from(is_computed || !computes);
            }
        }
        let met = self.names.iter().zip(&*counts).filter(|(_, count)| **count > 0);
        met.map(|(name, &count)| (Arc::clone(name), count)).collect()
    }
}
