//! `enas`: a recurrent controller, trained by REINFORCE, samples the networks that share weights.

mod config;
mod controller;
mod decision;
mod lstm;
mod reinforce;
mod strategy;

#[cfg(test)]
mod reference;

pub use config::EnasConfig;
pub use strategy::Enas;
