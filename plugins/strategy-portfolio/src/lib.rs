//! `portfolio`: Bayesian optimisation with a Gaussian process that looks at a genotype in three ways.
//!
//! How alike two networks are is judged by their values, by how often each operation occurs, and by
//! the operations that lie on paths from input to output; how much each view counts is decided by
//! what was observed, so that one set of settings serves cells, chains and others.

mod belief;
mod config;
mod final_look;
mod gaussian_process;
mod kernel;
mod model;
mod observed;
mod portfolio;
mod proxies;
mod views;

pub use config::PortfolioConfig;
pub use portfolio::Portfolio;

nas_plugin_api::export_plugin! { strategies: [Portfolio] }
