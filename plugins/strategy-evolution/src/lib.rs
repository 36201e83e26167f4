//! Evolution in two forms: `evolution` breeds generation after generation from the best half;
//! `regularized-evolution` replaces the oldest network by a mutant of a good one.

mod evolution;
mod member;
mod regularized_evolution;

pub use evolution::{Evolution, EvolutionConfig};
pub use regularized_evolution::{
    Duplicates, MutationKind, RegularizedEvolution, RegularizedEvolutionConfig,
};

nas_plugin_api::export_plugin! { strategies: [Evolution, RegularizedEvolution] }
