//! `nas.strategy/1`

use abi_stable::std_types::{RBox, RSlice, RStr, RVec};
use abi_stable::{StableAbi, sabi_trait};

use crate::{AbiResult, Bytes};

/// A strategy that proposes whole genotypes.
#[sabi_trait]
pub trait StrategyObject: Send {
    /// Up to so many proposals.
    fn ask_many(&mut self, slots: u32) -> AbiResult<AskReply>;
    /// How trials ended.
    fn tell_many(&mut self, trials: TellBatch<'_>) -> AbiResult<()>;
    /// The state; empty where there is none.
    fn save(&self) -> AbiResult<Bytes>;
    /// Takes a state back.
    #[sabi(last_prefix_field)]
    fn restore(&mut self, state: RSlice<'_, u8>) -> AbiResult<()>;
}

/// [`AskReply::state`]: proposals are there.
pub const ASK_PROPOSALS: u8 = 0;
/// [`AskReply::state`]: nothing until a running trial is told.
pub const ASK_WAIT: u8 = 1;
/// [`AskReply::state`]: the search is over; `details` is the reason in UTF-8.
pub const ASK_DONE: u8 = 2;

/// A strategy's answer.
#[repr(C)]
#[derive(StableAbi)]
pub struct AskReply {
    /// One of the constants above.
    pub state: u8,
    /// Number of proposals.
    pub count: u32,
    /// The genotypes behind each other, all of one length.
    pub genotypes: RVec<u16>,
    /// CBOR: a list of everything else, one per proposal; empty where all of it is at its default.
    pub details: Bytes,
}

/// Trials that have ended.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct TellBatch<'a> {
    /// Their numbers.
    pub ids: RSlice<'a, u64>,
    /// Their genotypes behind each other, all of one length.
    pub genotypes: RSlice<'a, u16>,
    /// Their outcomes' codes.
    pub outcomes: RSlice<'a, u8>,
    /// Their objectives behind each other, the same number for each; NaN where there is no result.
    pub objectives: RSlice<'a, f64>,
    /// CBOR: everything else, in columns.
    pub details: RSlice<'a, u8>,
}

/// Makes strategies.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = StrategyModule_Ref, prefix_fields = StrategyModule_Prefix)))]
pub struct StrategyModule {
    /// By name, CBOR configuration and CBOR context.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(
        name: RStr<'_>,
        config: RSlice<'_, u8>,
        context: RSlice<'_, u8>,
    ) -> AbiResult<StrategyObject_TO<'static, RBox<()>>>,
}
