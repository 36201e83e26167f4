//! Smaller graphs of the same mathematics.
//!
//! Every rule takes a sound graph and gives a sound graph with the same outputs, the same
//! gradients and the same parameters under the same names.

mod drop_dead;
mod drop_identity;
mod drop_zero;
mod share;

pub use drop_dead::drop_dead;
pub use drop_identity::drop_identity;
pub use drop_zero::drop_zero;
pub use share::share;

use nas_plugin_api::graph::Graph;

/// All rules, in the order in which each leaves the most to the next.
#[must_use]
pub fn simplify(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    drop_zero(&mut graph);
    drop_identity(&mut graph);
    share(&mut graph);
    drop_dead(&mut graph);
    graph
}
