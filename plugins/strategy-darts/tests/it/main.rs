//! The DARTS family against functions of the mixture and against references.

#![cfg(test)]

mod methods;
mod planted;
mod spaces;
mod toy;
