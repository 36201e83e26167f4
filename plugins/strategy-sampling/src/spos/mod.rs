//! `spos`: trains uniformly drawn paths, then searches by evolution among networks that inherit
//! their weights.

mod config;
mod population;
mod strategy;

pub use config::SposConfig;
pub use strategy::Spos;
