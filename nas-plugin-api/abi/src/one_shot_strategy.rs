//! `nas.one_shot_strategy/1`

use abi_stable::std_types::{RBox, RSlice, RStr, RVec};
use abi_stable::{StableAbi, sabi_trait};

use crate::{AbiResult, Bytes};

/// A strategy that drives a supernet.
#[sabi_trait]
pub trait OneShotStrategyObject: Send {
    /// CBOR: what it intends to do.
    fn plan(&mut self) -> AbiResult<Bytes>;
    /// The next command, given what the last one showed.
    fn next(&mut self, report: StepReport<'_>) -> AbiResult<StepCommand>;
    /// The whole state.
    fn save(&self) -> AbiResult<Bytes>;
    /// Takes a state back.
    fn restore(&mut self, state: RSlice<'_, u8>) -> AbiResult<()>;
    /// The architecture weights.
    fn alpha(&self) -> AbiResult<RVec<f64>>;
    /// The mixture at these architecture weights.
    fn relax_at(&self, alpha: RSlice<'_, f64>) -> AbiResult<StepMixture>;
    /// The gradient in the architecture weights.
    #[sabi(last_prefix_field)]
    fn pull_back_at(
        &self,
        alpha: RSlice<'_, f64>,
        gradient: RSlice<'_, f64>,
    ) -> AbiResult<RVec<f64>>;
}

/// What the last command showed: numbers as slices, everything else as CBOR.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct StepReport<'a> {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Steps of this epoch so far.
    pub step: u32,
    /// Training batches of one epoch.
    pub steps_per_epoch: u32,
    /// One loss per mixture evaluated.
    pub losses: RSlice<'a, f64>,
    /// One accuracy per mixture evaluated.
    pub accuracies: RSlice<'a, f64>,
    /// Gradient in the mixture's weights.
    pub gradient: RSlice<'a, f64>,
    /// Cost of each path; empty unless it changed since the last report.
    pub path_costs: RSlice<'a, f64>,
    /// CBOR: everything else; empty where there is nothing else.
    pub details: RSlice<'a, u8>,
}

/// [`StepCommand::kind`]: see the field's documentation.
pub const COMMAND_OTHER: u8 = 0;
/// [`StepCommand::kind`]: one step of the network weights.
pub const COMMAND_TRAIN_WEIGHTS: u8 = 1;
/// [`StepCommand::kind`]: one look at a validation batch, gradient of first order.
pub const COMMAND_ARCH_FIRST: u8 = 2;
/// [`StepCommand::kind`]: one look at a validation batch, gradient of second order.
pub const COMMAND_ARCH_SECOND: u8 = 3;
/// [`StepCommand::kind`]: one look at a validation batch, no gradient.
pub const COMMAND_ARCH_REWARD: u8 = 4;
/// [`StepCommand::kind`]: both gradients from one training batch.
pub const COMMAND_SINGLE_LEVEL: u8 = 5;
/// [`StepCommand::kind`]: the epoch is over.
pub const COMMAND_END_EPOCH: u8 = 6;

/// What the worker shall do next.
#[repr(C)]
#[derive(StableAbi)]
pub struct StepCommand {
    /// One of the constants above; with `COMMAND_OTHER`, `details` is the whole command in CBOR.
    pub kind: u8,
    /// The mixture of the commands that have one.
    pub mixture: StepMixture,
    /// CBOR, see `kind`.
    pub details: Bytes,
}

/// A weight and a need for every path.
#[repr(C)]
#[derive(StableAbi)]
pub struct StepMixture {
    /// The weights.
    pub weights: RVec<f64>,
    /// What is needed of each path.
    pub needs: RVec<u8>,
}

/// Makes one-shot strategies.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(
    prefix_ref = OneShotStrategyModule_Ref,
    prefix_fields = OneShotStrategyModule_Prefix
)))]
pub struct OneShotStrategyModule {
    /// By name, CBOR configuration and CBOR context.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(
        name: RStr<'_>,
        config: RSlice<'_, u8>,
        context: RSlice<'_, u8>,
    ) -> AbiResult<OneShotStrategyObject_TO<'static, RBox<()>>>,
}
