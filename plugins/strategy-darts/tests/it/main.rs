//! The DARTS family against functions of the mixture and against references.

#![cfg(test)]

mod analysis;
mod bad_input;
mod commands;
mod discretize;
mod methods;
mod planted;
mod reference;
mod resume;
mod spaces;
mod toy;
