//! Ready-made parts for the authors of strategies; a toolkit, not a framework.
//!
//! For strategies that propose genotypes, over a [`crate::template::Space`]: [`random_genotype`],
//! [`mutation`], [`crossover`], [`neighbours`], [`repair`], [`pareto`], [`parzen`] and
//! [`genotype_list`]. For one-shot strategies,
//! over slices of `f64`: [`softmax`], [`gumbel`], [`sigmoid`], [`dirichlet`] and [`gates`], each with
//! its `pull_back`, and [`adam`]; over a space, [`mixture_layout`], [`incoming_edges`] and [`picks`].
//! For both: [`rng`], and [`rehearsal`] for their tests. For policies: [`selection`].
//!
//! Everything random takes a [`rng::Generator`], so a strategy that makes one from its seed and
//! uses nothing else is reproducible.

pub mod adam;
pub mod crossover;
pub mod dirichlet;

pub mod gates;
pub mod genotype_list;
pub mod gumbel;
pub mod incoming_edges;
pub mod mixture_layout;
pub mod mutation;
pub mod neighbours;
pub mod pareto;
pub mod parzen;
pub mod picks;
pub mod polygamma;
pub mod random_genotype;
pub mod rehearsal;
pub mod repair;
pub mod rng;
pub mod selection;
pub mod sigmoid;
pub mod softmax;

#[cfg(test)]
mod finite_difference;
#[cfg(test)]
mod sample_space;
