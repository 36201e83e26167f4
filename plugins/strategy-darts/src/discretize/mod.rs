//! From the weights of paths to what a genotype picks: one published rule a file.
//!
//! All of them pick what the space allows: `search_only` candidates never, and as many members as
//! its `min` and `max` say. Where a space has no nodes that keep some of their edges (NAS-Bench-201,
//! a chain), every choice picks for itself. Of equals, the first wins.

mod every_edge;
mod ranking;
mod skip_limit;
mod strongest_edges;
mod strongest_pairs;
mod threshold;

pub use every_edge::every_edge;
pub use ranking::{best_operation, each_choice, edge_strength};
pub use skip_limit::{SkipLimit, limited_skips};
pub use strongest_edges::strongest_edges;
pub use strongest_pairs::strongest_pairs;
pub use threshold::{threshold_edge, threshold_sparse};
