//! `nsga2`: evolution towards a Pareto front, by crowding distance or by reference points.

mod member;
mod nsga2;
mod reference_points;
mod survival;

pub use nsga2::{Nsga2, Nsga2Config, Selection};

nas_plugin_api::export_plugin! { strategies: [Nsga2] }
