//! `nas.benchmark/1`

use nas_plugin_abi::{
    AbiResult, BenchmarkModule, BenchmarkObject, BenchmarkObject_TO, Bytes, Extension, RBox,
    RSlice, RStr, RVec, TD_Opaque, WithMetadata,
};

use super::cbor::{decode, encode, receive, send};
use super::guard::{Guarded, catch};
use super::library::registered;
use crate::component::{Benchmark, Constructor};
use crate::error::{ErrorCode, PluginError};
use crate::genotype::Genotype;
use crate::measurement::Measurements;
use crate::template::Space;
use crate::trial::Fidelity;

pub(super) const ID: &str = "nas.benchmark/1";
pub(super) type Object = BenchmarkObject_TO<'static, RBox<()>>;

pub(super) fn extension() -> Extension {
    const MODULE: &WithMetadata<BenchmarkModule> = &WithMetadata::new(BenchmarkModule { create });
    Extension::new(MODULE)
}

extern "C" fn create(name: RStr<'_>, config: RSlice<'_, u8>) -> AbiResult<Object> {
    send(catch(|| match registered(name.as_str(), |c| matches!(c, Constructor::Benchmark(_)))? {
        Constructor::Benchmark(make) => {
            let component = Guarded::new(make(decode(config.as_slice())?)?);
            let exported = Exported { component, n_choices: 0, delivers: Vec::new() };
            Ok(Object::from_value(exported, TD_Opaque))
        }
        _ => Err(PluginError::internal("find a constructor")),
    }))
}

struct Exported {
    component: Guarded<Box<dyn Benchmark>>,
    n_choices: usize,
    delivers: Vec<String>,
}

impl BenchmarkObject for Exported {
    fn begin(&mut self, template: RSlice<'_, u8>) -> AbiResult<Bytes> {
        let begun = self.component.call(|benchmark| {
            let space = Space::new(decode(template.as_slice())?)?;
            benchmark.begin(&space)?;
            Ok((space.n_choices(), benchmark.delivers()))
        });
        send(begun.and_then(|(n_choices, delivers)| {
            let answer = encode(&delivers);
            (self.n_choices, self.delivers) = (n_choices, delivers);
            answer
        }))
    }

    fn evaluate_many(
        &mut self,
        genotypes: RSlice<'_, u16>,
        fidelity: RSlice<'_, u8>,
        seeds: RSlice<'_, u64>,
    ) -> AbiResult<RVec<f64>> {
        let (n_choices, delivers) = (self.n_choices, &self.delivers);
        send(self.component.call(|benchmark| {
            if genotypes.len() != seeds.len() * n_choices {
                return Err(PluginError::new(ErrorCode::Message, "evaluate: lengths do not agree"));
            }
            let genotypes: Vec<Genotype> = (0..seeds.len())
                .map(|index| Genotype(genotypes[index * n_choices..][..n_choices].to_vec()))
                .collect();
            let fidelity: Fidelity = decode(fidelity.as_slice())?;
            let results = benchmark.evaluate(&genotypes, &fidelity, seeds.as_slice())?;
            if results.len() != genotypes.len() {
                return Err(PluginError::internal("evaluate: one answer per genotype expected"));
            }
            let value = |result: &Measurements, name: &String| result.get(name).unwrap_or(f64::NAN);
            let values: Vec<f64> = results
                .iter()
                .flat_map(|result| delivers.iter().map(move |name| value(result, name)))
                .collect();
            Ok(values.into())
        }))
    }
}

/// A benchmark in a loaded library.
pub(super) struct Imported {
    object: Object,
    delivers: Vec<String>,
}

impl Imported {
    pub(super) fn new(object: Object) -> Self {
        Self { object, delivers: Vec::new() }
    }
}

impl Benchmark for Imported {
    fn begin(&mut self, space: &Space) -> Result<(), PluginError> {
        let template = encode(space.template())?;
        self.delivers = decode(&receive(self.object.begin(template.as_slice().into()))?)?;
        Ok(())
    }

    fn delivers(&self) -> Vec<String> {
        self.delivers.clone()
    }

    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        seeds: &[u64],
    ) -> Result<Vec<Measurements>, PluginError> {
        let values: Vec<u16> = genotypes.iter().flat_map(|genotype| genotype.0.clone()).collect();
        let fidelity = encode(fidelity)?;
        let results = receive(self.object.evaluate_many(
            RSlice::from_slice(&values),
            fidelity.as_slice().into(),
            RSlice::from_slice(seeds),
        ))?;
        let n_names = self.delivers.len();
        if results.len() != genotypes.len() * n_names {
            return Err(PluginError::new(ErrorCode::Message, "evaluate: lengths do not agree"));
        }
        let measurements = |index: usize| {
            let mut measurements = Measurements::default();
            for (name, &value) in self.delivers.iter().zip(&results[index * n_names..][..n_names]) {
                if !value.is_nan() {
                    measurements.set(name, value);
                }
            }
            measurements
        };
        Ok((0..genotypes.len()).map(measurements).collect())
    }
}
