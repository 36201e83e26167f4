//! `nas.operations/1`

use abi_stable::std_types::{RBox, RSlice, RStr};
use abi_stable::{StableAbi, sabi_trait};

use crate::{AbiResult, Bytes};

/// A set of operations.
#[sabi_trait]
pub trait OperationsObject: Send {
    /// CBOR: the operations.
    fn operations(&self) -> AbiResult<Bytes>;
    /// CBOR in: operation and context. CBOR out: a layer graph whose inputs are the operation's.
    #[sabi(last_prefix_field)]
    fn build(&self, request: RSlice<'_, u8>) -> AbiResult<Bytes>;
}

/// Makes sets of operations.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = OperationsModule_Ref, prefix_fields = OperationsModule_Prefix)))]
pub struct OperationsModule {
    /// By name and CBOR configuration.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(
        name: RStr<'_>,
        config: RSlice<'_, u8>,
    ) -> AbiResult<OperationsObject_TO<'static, RBox<()>>>,
}
