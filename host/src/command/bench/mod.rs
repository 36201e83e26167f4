//! `nas bench`: scores strategies on a benchmark, over many seeds.

mod all;
mod arguments;
mod one;
mod scorer;

pub(crate) use arguments::{Arguments, run};
