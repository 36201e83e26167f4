//! What is known of networks before they are built, against the networks themselves.

use nas_core::network::{Outliner, graph_cost};
use nas_plugin_api::genotype::Genotype;
use serde_json::json;

use super::{parts, settings};

#[test]
fn one_outliner_for_all_genotypes_knows_what_each_costs() {
    let space = parts(&settings(json!({"name": "random"}), &[])).space;
    let mut outliner = Outliner::default();
    let mut canonical = std::collections::HashSet::new();
    for number in 0..5_u32.pow(6) {
        let digits = (0..6).map(|place| (number / 5_u32.pow(place) % 5) as u16);
        let genotype = Genotype(digits.collect());
        let outline = outliner.outline(&space, &genotype).unwrap();
        canonical.insert(outline.canonical);
        // Building each takes longer than all outlines.
        if number % 37 == 0 {
            assert_eq!(outline, space.outline(&genotype).unwrap());
            let built = graph_cost(&space.network(&genotype).unwrap()).unwrap();
            let known = outline.cost;
            assert_eq!(
                (known.parameters, known.multiply_adds, known.depth),
                (built.parameters, built.multiply_adds, built.depth),
                "{genotype:?}"
            );
        }
    }
    // As many as `space-nb201` says.
    assert_eq!(canonical.len(), 6_147);
}
