//! The local executor with real processes: `tests/fixtures/fake-worker` computes nothing, and
//! misbehaves as its rules say.

mod fake;

mod cancel;
mod crashes;
mod data_cache;
mod instant;
mod limits;
mod outlive;
mod reuse;
mod round_trip;
mod set_up;
