//! The strategy of the second half of a one-shot run: it proposes a fixed list.

use nas_plugin_api::toolkit::genotype_list::GenotypeList;

use crate::journal::SearchEnd;

/// Proposes what a one-shot search ended with, the derived genotypes first, best first, and then the
/// random ones, so that all of them pass the same gate and are trained alike. `derive` says how many
/// of the derived ones are trained.
#[must_use]
pub fn listed(end: &SearchEnd, derive: usize) -> GenotypeList {
    let derived = n_derived(end, derive);
    let random = end.baseline.iter().map(|random| random.genotype.clone());
    let genotypes = end.genotypes.iter().take(derived).cloned().chain(random);
    let reason =
        format!("{derived} derived and {} random genotypes were trained", end.baseline.len());
    GenotypeList::new(genotypes, reason)
}

/// How many of the first trials of such a run are derived genotypes; the rest are random ones.
#[must_use]
pub fn n_derived(end: &SearchEnd, derive: usize) -> usize {
    end.genotypes.len().min(derive)
}
