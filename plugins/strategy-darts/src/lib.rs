//! The DARTS family: search by gradient on the weights of a supernet's paths.
//!
//! All methods share one loop ([`one_shot`]); a method is its constants and a few rules
//! ([`method`]): how architecture weights become a mixture ([`relaxation`]), what changes from
//! epoch to epoch, and how a genotype is read off ([`discretize`]). They work on every space whose
//! choices can be relaxed: operations on edges with or without `none`, nodes that keep some of
//! their inputs, depths and widths.
//!
//! Everything that a test compares with a reference is public; other crates need
//! [`export_plugin!`](nas_plugin_api::export_plugin)'s components only.

pub mod alpha;
pub mod discretize;
pub mod method;
pub mod mixing;
pub mod one_shot;
pub mod relaxation;
pub mod schedule;
pub mod search;
pub mod structure;
pub mod weight_training;

mod stages;

mod darts;
mod darts_pt;
mod drnas;
mod fair_darts;
mod gdas;
mod p_darts;
mod pc_darts;
mod snas;

pub use darts::{Darts, DartsConfig};
pub use darts_pt::{Criterion, DartsPt, DartsPtConfig};
pub use drnas::{DrNas, DrNasConfig, Regularizer, add_regularizer_gradient};
pub use fair_darts::{
    FairDarts, FairDartsConfig, GenotypeRule, ZeroOneLoss, add_zero_one_gradient,
};
pub use gdas::{Gdas, GdasConfig};
pub use p_darts::{PDarts, PDartsConfig, skip_dropout};
pub use pc_darts::{PcDarts, PcDartsConfig};
pub use snas::{Snas, SnasConfig, temperature};

nas_plugin_api::export_plugin! {
    one_shot_strategies: [
        one_shot::OneShot<Darts>,
        one_shot::OneShot<Gdas>,
        one_shot::OneShot<Snas>,
        one_shot::OneShot<PcDarts>,
        one_shot::OneShot<DrNas>,
        one_shot::OneShot<PDarts>,
        one_shot::OneShot<FairDarts>,
        one_shot::OneShot<DartsPt>,
    ],
}
