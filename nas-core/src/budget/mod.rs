//! The budget: what the whole search may spend, and the ledger that enforces it.

mod limits;

pub use limits::{Budget, Reservation};
