//! `nas.fitness/1`

use nas_plugin_abi::{
    AbiResult, Bytes, Extension, FitnessModule, FitnessObject, FitnessObject_TO, RBox, RSlice,
    RStr, RVec, TD_Opaque, WithMetadata,
};
use serde::{Deserialize, Serialize};

use super::cbor::{decode, encode, receive, send};
use super::guard::{Guarded, catch};
use super::library::registered;
use crate::component::{Constructor, Fitness};
use crate::error::{ErrorCode, PluginError};
use crate::measurement::{Cost, Measurements};
use crate::objective::Objective;

pub(super) const ID: &str = "nas.fitness/1";
pub(super) type Object = FitnessObject_TO<'static, RBox<()>>;

/// Numbers that a cost is made of.
const COST_NUMBERS: usize = 4;

#[derive(Clone, Serialize, Deserialize)]
struct Description {
    needs: Vec<String>,
    objectives: Vec<Objective>,
}

pub(super) fn extension() -> Extension {
    const MODULE: &WithMetadata<FitnessModule> = &WithMetadata::new(FitnessModule { create });
    Extension::new(MODULE)
}

extern "C" fn create(name: RStr<'_>, config: RSlice<'_, u8>) -> AbiResult<Object> {
    send(catch(|| match registered(name.as_str(), |c| matches!(c, Constructor::Fitness(_)))? {
        Constructor::Fitness(make) => {
            let fitness = make(decode(config.as_slice())?)?;
            let description =
                Description { needs: fitness.needs(), objectives: fitness.objectives() };
            let exported = Exported { component: Guarded::new(fitness), description };
            Ok(Object::from_value(exported, TD_Opaque))
        }
        _ => Err(PluginError::internal("find a constructor")),
    }))
}

struct Exported {
    component: Guarded<Box<dyn Fitness>>,
    description: Description,
}

impl FitnessObject for Exported {
    fn describe(&self) -> AbiResult<Bytes> {
        send(encode(&self.description))
    }

    fn score_many(
        &mut self,
        measurements: RSlice<'_, f64>,
        costs: RSlice<'_, f64>,
        details: RSlice<'_, u8>,
    ) -> AbiResult<RVec<f64>> {
        let Description { needs, objectives } = &self.description;
        send(self.component.call(|fitness| {
            let n = costs.len() / COST_NUMBERS;
            let all: Vec<Measurements> = match details.is_empty() {
                true => Vec::new(),
                false => decode(details.as_slice())?,
            };
            if measurements.len() != n * needs.len() || (!all.is_empty() && all.len() != n) {
                return Err(PluginError::new(ErrorCode::Message, "score: lengths do not agree"));
            }
            let mut scores = Vec::with_capacity(n * objectives.len());
            for (index, cost) in costs.chunks_exact(COST_NUMBERS).enumerate() {
                let mut observed = all.get(index).cloned().unwrap_or_default();
                for (place, name) in needs.iter().enumerate() {
                    observed.set(name, measurements[index * needs.len() + place]);
                }
                let values = fitness.score(&observed, &unpack_cost(cost))?;
                if values.len() != objectives.len() {
                    return Err(wrong_count(values.len(), objectives.len()));
                }
                scores.extend(values);
            }
            Ok(scores.into())
        }))
    }
}

fn wrong_count(found: usize, expected: usize) -> PluginError {
    PluginError::internal(format!("score: {found} values for {expected} objectives"))
}

fn pack_cost(cost: &Cost) -> [f64; COST_NUMBERS] {
    [
        cost.parameters as f64,
        cost.multiply_adds as f64,
        cost.activation_bytes as f64,
        f64::from(cost.depth),
    ]
}

fn unpack_cost(numbers: &[f64]) -> Cost {
    Cost {
        parameters: numbers[0] as u64,
        multiply_adds: numbers[1] as u64,
        activation_bytes: numbers[2] as u64,
        depth: numbers[3] as u32,
    }
}

/// A fitness function in a loaded library.
pub(super) struct Imported {
    object: Object,
    description: Description,
}

impl Imported {
    pub(super) fn new(object: Object) -> Result<Self, PluginError> {
        let description = decode(&receive(object.describe())?)?;
        Ok(Self { object, description })
    }
}

impl Fitness for Imported {
    fn needs(&self) -> Vec<String> {
        self.description.needs.clone()
    }

    fn objectives(&self) -> Vec<Objective> {
        self.description.objectives.clone()
    }

    fn score(&mut self, measurements: &Measurements, cost: &Cost) -> Result<Vec<f64>, PluginError> {
        let mut scores = self.score_many(&[(measurements.clone(), *cost)])?;
        scores.pop().ok_or_else(|| wrong_count(0, self.description.objectives.len()))
    }

    fn score_many(
        &mut self,
        trials: &[(Measurements, Cost)],
    ) -> Result<Vec<Vec<f64>>, PluginError> {
        let Description { needs, objectives } = &self.description;
        let value = |(measurements, name): (&Measurements, &String)| {
            measurements.get(name).unwrap_or(f64::NAN)
        };
        let all = || trials.iter().map(|(measurements, _)| measurements);
        let needed: Vec<f64> =
            all().flat_map(|each| needs.iter().map(move |name| value((each, name)))).collect();
        let costs: Vec<f64> = trials.iter().flat_map(|(_, cost)| pack_cost(cost)).collect();
        let only_needed = all().flat_map(|each| each.0.keys()).all(|name| needs.contains(name));
        let details = if only_needed { Bytes::new() } else { encode(&all().collect::<Vec<_>>())? };
        let scores = receive(self.object.score_many(
            RSlice::from_slice(&needed),
            RSlice::from_slice(&costs),
            details.as_slice().into(),
        ))?;
        let n_objectives = objectives.len().max(1);
        match scores.len() == trials.len() * n_objectives {
            true => Ok(scores.chunks_exact(n_objectives).map(<[f64]>::to_vec).collect()),
            false => Err(wrong_count(scores.len(), trials.len() * n_objectives)),
        }
    }
}
