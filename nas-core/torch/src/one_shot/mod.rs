//! A one-shot search in the worker: the strategy commands, the supernet obeys.
//!
//! The epoch is the durable unit: at its end the whole state is written to a checkpoint, and the
//! supervisor decides how to go on. A search taken up from a checkpoint repeats what came after it
//! bit for bit, on the same machine and with as many threads.

mod barrier;
mod checkpoint;
mod data;
mod edits;
mod epoch;
mod error;
mod form;
mod latencies;
mod search;
mod signals;
mod widen;

pub use error::SearchError;
pub use search::{Searcher, Splits, Supervisor, search};
