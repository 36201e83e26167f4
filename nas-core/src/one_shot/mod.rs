//! One-shot searches: a supernet is trained in a worker, epoch by epoch, and what it shows decides
//! what is derived. The messages are those of [`crate::protocol::one_shot`].

mod parts;

pub use parts::{OneShotParts, PartsError};
