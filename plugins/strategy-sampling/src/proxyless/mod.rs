//! `proxyless`: binary gates open one path of each choice at a time, and learn from what the others
//! would have given and cost.

mod choices;
mod config;
mod cost;
mod gates;
mod strategy;

#[cfg(test)]
mod reference;

pub use config::{CostLoss, Gates, ProxylessConfig};
pub use strategy::Proxyless;
