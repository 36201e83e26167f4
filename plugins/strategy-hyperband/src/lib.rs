//! Searches that begin cheap: many genotypes get a few epochs of training, and the best of them more,
//! each going on from its kept checkpoint.
//!
//! `hyperband` runs brackets that differ in how soon they weed out; `bohb` lets a model of what was
//! good draw their genotypes; `asha` promotes whenever a worker is free and never waits.

mod asha;
mod bohb;
mod bracket;
mod brackets;
mod hyperband;
mod ladder;
mod levels;
mod rung;
mod sampler;

pub use asha::{Asha, AshaConfig};
pub use bohb::{Bohb, BohbConfig};
pub use hyperband::{Hyperband, HyperbandConfig};

nas_plugin_api::export_plugin! { strategies: [Hyperband, Asha, Bohb] }
