//! What crosses a line.

use serde::{Deserialize, Serialize};

use super::{benchmark, fitness, one_shot_strategy, operations, policy, space, strategy};
pub(super) use crate::adapter::columns::Packed;
use crate::error::PluginError;

/// A call of a component in another process.
#[derive(Serialize, Deserialize)]
pub struct Call(pub(super) Method);

/// What came of a call.
#[derive(Serialize, Deserialize)]
pub struct Reply(pub(super) Result<Answer, PluginError>);

impl Reply {
    /// An answer from a process that can't call the component at all.
    #[must_use]
    pub fn failed(error: PluginError) -> Self {
        Self(Err(error))
    }
}

/// What is called, with what is handed over.
#[derive(Serialize, Deserialize)]
pub(super) enum Method {
    /// Comes first, once.
    Create(Creation),
    /// Of a component of this kind, as are the others.
    Operations(operations::Method),
    Space(space::Method),
    Strategy(strategy::Method),
    OneShotStrategy(one_shot_strategy::Method),
    Fitness(fitness::Method),
    Policy(policy::Method),
    Benchmark(benchmark::Method),
}

/// Which component is made.
#[derive(Serialize, Deserialize)]
pub(in crate::adapter) struct Creation {
    /// The id of its capability.
    pub(in crate::adapter) capability: String,
    pub(in crate::adapter) name: String,
    /// CBOR.
    pub(in crate::adapter) config: Packed<u8>,
    /// CBOR; empty where a component of this kind has none.
    pub(in crate::adapter) context: Packed<u8>,
}

/// What is returned.
#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Done,
    Bytes(Packed<u8>),
    Numbers(Packed<f64>),
    Asked(strategy::Asked),
}

impl Answer {
    pub(super) fn bytes(bytes: nas_plugin_abi::Bytes) -> Self {
        Self::Bytes(Packed(bytes.into()))
    }

    pub(super) fn numbers(numbers: nas_plugin_abi::RVec<f64>) -> Self {
        Self::Numbers(Packed(numbers.into()))
    }
}
