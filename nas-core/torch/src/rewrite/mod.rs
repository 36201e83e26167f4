//! Smaller and faster programs of the same mathematics.
//!
//! Every rule takes a sound program and gives a sound program with the same outputs, the same
//! gradients and the same parameters under the same names. A rule looks at the program alone, so
//! it serves every space, every strategy, and concrete networks.

mod drop_dead;
mod drop_identity;
mod drop_zero;
mod flatten_sums;
mod fuse_norms;
mod merge_convolutions;
mod share;
mod subsample;

pub use drop_dead::drop_dead;
pub use drop_identity::drop_identity;
pub use drop_zero::drop_zero;
pub use flatten_sums::flatten_sums;
pub use fuse_norms::fuse_norms;
pub use merge_convolutions::merge_convolutions;
pub use share::share;
pub use subsample::subsample;

use crate::program::Program;

/// A rule, and the name by which benchmarks leave it out.
pub type Rule = (&'static str, fn(&mut Program));

/// All rules, in the order in which each leaves the most to the next.
pub const RULES: [Rule; 12] = [
    ("drop_zero", drop_zero),
    ("drop_identity", drop_identity),
    ("subsample", subsample),
    ("share", share),
    ("drop_dead", drop_dead),
    ("flatten_sums", flatten_sums),
    // What is dead still counts as a reader, and a norm that two read is not fused.
    ("drop_dead", drop_dead),
    ("merge_convolutions", merge_convolutions),
    ("drop_identity", drop_identity),
    ("drop_dead", drop_dead),
    ("fuse_norms", fuse_norms),
    ("drop_dead", drop_dead),
];

/// The rules that leave out what no output depends on, and every other layer as the graph has it.
pub const LIVING: [Rule; 2] = [("drop_zero", drop_zero), ("drop_dead", drop_dead)];

/// Applies all rules.
pub fn simplify(program: &mut Program) {
    for (_, rule) in RULES {
        rule(program);
    }
}
