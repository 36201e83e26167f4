//! `nas.fitness/1`

use abi_stable::std_types::{RBox, RSlice, RStr, RVec};
use abi_stable::{StableAbi, sabi_trait};

use crate::{AbiResult, Bytes};

/// A fitness function.
#[sabi_trait]
pub trait FitnessObject: Send {
    /// CBOR: what it needs and which objectives it computes.
    fn describe(&self) -> AbiResult<Bytes>;
    /// Scores of several trials.
    ///
    /// `measurements` has the needed measurements of one trial behind those of another, in the
    /// order of `describe`; `costs` four numbers a trial (parameters, multiply-adds, activation
    /// bytes, depth); `details` is CBOR with all measurements, or empty. The answer has one value
    /// per objective and trial.
    #[sabi(last_prefix_field)]
    fn score_many(
        &mut self,
        measurements: RSlice<'_, f64>,
        costs: RSlice<'_, f64>,
        details: RSlice<'_, u8>,
    ) -> AbiResult<RVec<f64>>;
}

/// Makes fitness functions.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = FitnessModule_Ref, prefix_fields = FitnessModule_Prefix)))]
pub struct FitnessModule {
    /// By name and CBOR configuration.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(
        name: RStr<'_>,
        config: RSlice<'_, u8>,
    ) -> AbiResult<FitnessObject_TO<'static, RBox<()>>>,
}
