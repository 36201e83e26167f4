//! `nas.space/1`

use abi_stable::std_types::{RBox, RSlice, RStr};
use abi_stable::{StableAbi, sabi_trait};

use crate::{AbiResult, Bytes};

/// A search space.
#[sabi_trait]
pub trait SpaceObject: Send {
    /// CBOR in: operations and scale. CBOR out: a template.
    #[sabi(last_prefix_field)]
    fn template(&self, request: RSlice<'_, u8>) -> AbiResult<Bytes>;
}

/// Makes search spaces.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = SpaceModule_Ref, prefix_fields = SpaceModule_Prefix)))]
pub struct SpaceModule {
    /// By name and CBOR configuration.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(
        name: RStr<'_>,
        config: RSlice<'_, u8>,
    ) -> AbiResult<SpaceObject_TO<'static, RBox<()>>>,
}
