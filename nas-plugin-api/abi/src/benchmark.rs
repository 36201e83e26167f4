//! `nas.benchmark/1`

use abi_stable::std_types::{RBox, RSlice, RStr, RVec};
use abi_stable::{StableAbi, sabi_trait};

use crate::{AbiResult, Bytes};

/// A benchmark.
#[sabi_trait]
pub trait BenchmarkObject: Send {
    /// CBOR in: the template to be searched. CBOR out: names of the measurements delivered.
    fn begin(&mut self, template: RSlice<'_, u8>) -> AbiResult<Bytes>;
    /// Measurements of several genotypes: one value per name delivered and genotype, NaN where
    /// there is none. `fidelity` is CBOR.
    #[sabi(last_prefix_field)]
    fn evaluate_many(
        &mut self,
        genotypes: RSlice<'_, u16>,
        fidelity: RSlice<'_, u8>,
        seeds: RSlice<'_, u64>,
    ) -> AbiResult<RVec<f64>>;
}

/// Makes benchmarks.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = BenchmarkModule_Ref, prefix_fields = BenchmarkModule_Prefix)))]
pub struct BenchmarkModule {
    /// By name and CBOR configuration.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(
        name: RStr<'_>,
        config: RSlice<'_, u8>,
    ) -> AbiResult<BenchmarkObject_TO<'static, RBox<()>>>,
}
