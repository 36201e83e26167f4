//! `nas.policy/1`

use abi_stable::std_types::{RBox, RSlice, RStr};
use abi_stable::{StableAbi, sabi_trait};

use crate::{AbiResult, Bytes};

/// A safety policy.
#[sabi_trait]
pub trait PolicyObject: Send {
    /// CBOR: the kinds of question that it answers, with the measurements that it reads there.
    fn describe(&self) -> AbiResult<Bytes>;
    /// CBOR in: questions of one moment and their context. CBOR out: how many were judged, and
    /// every verdict but `allow` with its question's place.
    #[sabi(last_prefix_field)]
    fn judge_many(&mut self, questions: RSlice<'_, u8>) -> AbiResult<Bytes>;
}

/// Makes safety policies.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PolicyModule_Ref, prefix_fields = PolicyModule_Prefix)))]
pub struct PolicyModule {
    /// By name and CBOR configuration.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(
        name: RStr<'_>,
        config: RSlice<'_, u8>,
    ) -> AbiResult<PolicyObject_TO<'static, RBox<()>>>,
}
