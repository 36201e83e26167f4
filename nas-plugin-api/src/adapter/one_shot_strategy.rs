//! `nas.one_shot_strategy/1`

use std::collections::BTreeMap;

use nas_plugin_abi::{
    AbiResult, Bytes, COMMAND_ARCH_FIRST, COMMAND_ARCH_REWARD, COMMAND_ARCH_SECOND,
    COMMAND_END_EPOCH, COMMAND_OTHER, COMMAND_SINGLE_LEVEL, COMMAND_TRAIN_WEIGHTS, Extension,
    OneShotStrategyModule, OneShotStrategyObject, OneShotStrategyObject_TO, RBox, RSlice, RStr,
    RVec, StepCommand, StepMixture, StepReport, TD_Opaque, WithMetadata,
};
use serde::{Deserialize, Serialize};

use super::cbor::{decode, encode, receive, send};
use super::guard::{Guarded, catch};
use super::library::registered;
use super::strategy::ContextData;
use crate::component::{
    ArchOrder, Command, Constructor, Mixture, Need, OneShotPlan, OneShotStrategy, Report,
};
use crate::error::{ErrorCode, PluginError};

pub(super) const ID: &str = "nas.one_shot_strategy/1";
pub(super) type Object = OneShotStrategyObject_TO<'static, RBox<()>>;

/// What is seldom part of a report.
#[derive(Serialize, Deserialize)]
struct ReportDetails {
    fixed_cost: f64,
    signals: BTreeMap<String, f64>,
}

pub(super) fn extension() -> Extension {
    const MODULE: &WithMetadata<OneShotStrategyModule> =
        &WithMetadata::new(OneShotStrategyModule { create });
    Extension::new(MODULE)
}

extern "C" fn create(
    name: RStr<'_>,
    config: RSlice<'_, u8>,
    context: RSlice<'_, u8>,
) -> AbiResult<Object> {
    let is_one_shot = |c: &Constructor| matches!(c, Constructor::OneShotStrategy(_));
    send(catch(|| match registered(name.as_str(), is_one_shot)? {
        Constructor::OneShotStrategy(make) => {
            let context = decode::<ContextData>(context.as_slice())?.context()?;
            let component = Guarded::new(make(decode(config.as_slice())?, context)?);
            let exported = Exported { component, path_costs: Vec::new() };
            Ok(Object::from_value(exported, TD_Opaque))
        }
        _ => Err(PluginError::internal("find a constructor")),
    }))
}

struct Exported {
    component: Guarded<Box<dyn OneShotStrategy>>,
    path_costs: Vec<f64>,
}

impl OneShotStrategyObject for Exported {
    fn plan(&mut self) -> AbiResult<Bytes> {
        send(self.component.call(|strategy| encode(&strategy.plan()?)))
    }

    fn next(&mut self, report: StepReport<'_>) -> AbiResult<StepCommand> {
        if !report.path_costs.is_empty() {
            self.path_costs = report.path_costs.to_vec();
        }
        let path_costs = &self.path_costs;
        send(self.component.call(|strategy| {
            let report = unpack_report(&report, path_costs)?;
            pack_command(strategy.next(&report)?)
        }))
    }

    fn save(&self) -> AbiResult<Bytes> {
        send(self.component.call(|strategy| Ok(strategy.save()?.into())))
    }

    fn restore(&mut self, state: RSlice<'_, u8>) -> AbiResult<()> {
        send(self.component.call(|strategy| strategy.restore(state.as_slice())))
    }

    fn alpha(&self) -> AbiResult<RVec<f64>> {
        send(self.component.call(|strategy| Ok(strategy.alpha().into())))
    }

    fn relax_at(&self, alpha: RSlice<'_, f64>) -> AbiResult<StepMixture> {
        send(self.component.call(|strategy| Ok(pack_mixture(strategy.relax_at(alpha.as_slice())?))))
    }

    fn pull_back_at(
        &self,
        alpha: RSlice<'_, f64>,
        gradient: RSlice<'_, f64>,
    ) -> AbiResult<RVec<f64>> {
        send(self.component.call(|strategy| {
            Ok(strategy.pull_back_at(alpha.as_slice(), gradient.as_slice())?.into())
        }))
    }
}

fn unpack_report(report: &StepReport<'_>, path_costs: &[f64]) -> Result<Report, PluginError> {
    let details: Option<ReportDetails> = match report.details.is_empty() {
        true => None,
        false => Some(decode(report.details.as_slice())?),
    };
    let (fixed_cost, signals) =
        details.map_or_else(Default::default, |details| (details.fixed_cost, details.signals));
    Ok(Report {
        epoch: report.epoch,
        step: report.step,
        steps_per_epoch: report.steps_per_epoch,
        losses: report.losses.to_vec(),
        accuracies: report.accuracies.to_vec(),
        gradient: report.gradient.to_vec(),
        path_costs: path_costs.to_vec(),
        fixed_cost,
        signals,
    })
}

fn pack_mixture(mixture: Mixture) -> StepMixture {
    let needs: Vec<u8> = mixture.needs.iter().map(|&need| need as u8).collect();
    StepMixture { weights: mixture.weights.into(), needs: needs.into() }
}

fn unpack_mixture(mixture: StepMixture) -> Result<Mixture, PluginError> {
    let need = |&code: &u8| match code {
        0 => Ok(Need::Skip),
        1 => Ok(Need::Forward),
        2 => Ok(Need::ForwardGrad),
        other => Err(PluginError::new(ErrorCode::Message, format!("mix: {other} is no need"))),
    };
    let needs = mixture.needs.iter().map(need).collect::<Result<_, _>>()?;
    Ok(Mixture { weights: mixture.weights.into(), needs })
}

fn pack_command(command: Command) -> Result<StepCommand, PluginError> {
    let (kind, mixture) = match command {
        Command::TrainWeights { mixture } => (COMMAND_TRAIN_WEIGHTS, mixture),
        Command::ArchStep { mixture, order: ArchOrder::First } => (COMMAND_ARCH_FIRST, mixture),
        Command::ArchStep { mixture, order: ArchOrder::Second } => (COMMAND_ARCH_SECOND, mixture),
        Command::ArchStep { mixture, order: ArchOrder::Reward } => (COMMAND_ARCH_REWARD, mixture),
        Command::SingleLevel { mixture } => (COMMAND_SINGLE_LEVEL, mixture),
        Command::EndEpoch { genotype } => {
            let (kind, mixture) = (COMMAND_END_EPOCH, pack_mixture(Mixture::default()));
            return Ok(StepCommand { kind, mixture, details: encode(&genotype)? });
        }
        other => {
            let (kind, mixture) = (COMMAND_OTHER, pack_mixture(Mixture::default()));
            return Ok(StepCommand { kind, mixture, details: encode(&other)? });
        }
    };
    Ok(StepCommand { kind, mixture: pack_mixture(mixture), details: Bytes::new() })
}

fn unpack_command(command: StepCommand) -> Result<Command, PluginError> {
    let arch_step = |mixture, order| Ok(Command::ArchStep { mixture, order });
    let mixture = unpack_mixture(command.mixture)?;
    match command.kind {
        COMMAND_TRAIN_WEIGHTS => Ok(Command::TrainWeights { mixture }),
        COMMAND_ARCH_FIRST => arch_step(mixture, ArchOrder::First),
        COMMAND_ARCH_SECOND => arch_step(mixture, ArchOrder::Second),
        COMMAND_ARCH_REWARD => arch_step(mixture, ArchOrder::Reward),
        COMMAND_SINGLE_LEVEL => Ok(Command::SingleLevel { mixture }),
        COMMAND_END_EPOCH => match command.details.is_empty() {
            true => Ok(Command::EndEpoch { genotype: None }),
            false => Ok(Command::EndEpoch { genotype: decode(&command.details)? }),
        },
        COMMAND_OTHER => decode(&command.details),
        other => {
            let text = format!("go on: {other} is no command of this version");
            Err(PluginError::new(ErrorCode::Message, text))
        }
    }
}

/// A one-shot strategy in a loaded library.
pub(super) struct Imported {
    object: Object,
    path_costs: Vec<f64>,
}

impl Imported {
    pub(super) fn new(object: Object) -> Self {
        Self { object, path_costs: Vec::new() }
    }
}

impl OneShotStrategy for Imported {
    fn plan(&mut self) -> Result<OneShotPlan, PluginError> {
        decode(&receive(self.object.plan())?)
    }

    fn next(&mut self, report: &Report) -> Result<Command, PluginError> {
        let changed = self.path_costs != report.path_costs;
        if changed {
            self.path_costs.clone_from(&report.path_costs);
        }
        let plain = report.signals.is_empty() && report.fixed_cost == 0.0;
        let details = match plain {
            true => Bytes::new(),
            false => encode(&ReportDetails {
                fixed_cost: report.fixed_cost,
                signals: report.signals.clone(),
            })?,
        };
        unpack_command(receive(self.object.next(StepReport {
            epoch: report.epoch,
            step: report.step,
            steps_per_epoch: report.steps_per_epoch,
            losses: RSlice::from_slice(&report.losses),
            accuracies: RSlice::from_slice(&report.accuracies),
            gradient: RSlice::from_slice(&report.gradient),
            path_costs: RSlice::from_slice(if changed { &self.path_costs } else { &[] }),
            details: details.as_slice().into(),
        }))?)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        Ok(receive(self.object.save())?.into())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        receive(self.object.restore(RSlice::from_slice(state)))
    }

    fn alpha(&self) -> Vec<f64> {
        receive(self.object.alpha()).map(Into::into).unwrap_or_default()
    }

    fn relax_at(&self, alpha: &[f64]) -> Result<Mixture, PluginError> {
        unpack_mixture(receive(self.object.relax_at(RSlice::from_slice(alpha)))?)
    }

    fn pull_back_at(&self, alpha: &[f64], gradient: &[f64]) -> Result<Vec<f64>, PluginError> {
        let (alpha, gradient) = (RSlice::from_slice(alpha), RSlice::from_slice(gradient));
        Ok(receive(self.object.pull_back_at(alpha, gradient))?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{Edit, Split, TrainingSettings};
    use crate::genotype::Genotype;

    /// A mixture whose numbers are told apart.
    fn mixture() -> Mixture {
        let needs = vec![Need::Skip, Need::Forward, Need::ForwardGrad];
        Mixture { weights: vec![0.0, 0.25, 0.75], needs }
    }

    #[test]
    fn every_command_crosses_and_comes_back() {
        let mut commands = vec![
            Command::TrainWeights { mixture: mixture() },
            Command::SingleLevel { mixture: mixture() },
            Command::EndEpoch { genotype: None },
            Command::EndEpoch { genotype: Some(Genotype(vec![3, 0, 65_535])) },
            Command::Evaluate {
                mixtures: vec![mixture(), mixture()],
                split: Split::Validation,
                batches: 3,
                recalibrate: 0,
            },
            Command::Edit(vec![
                Edit::DropPaths { choice: 1, paths: vec![0, 4] },
                Edit::Rescale { cells: Some(5), channels: None },
                Edit::ChannelFraction { one_in: 4 },
                Edit::SkipDropout { probability: 0.4 },
                Edit::DropPath { probability: 0.3 },
                Edit::Training(TrainingSettings {
                    learning_rate: Some(0.025),
                    nesterov: Some(true),
                    ..TrainingSettings::default()
                }),
                Edit::Reinitialize,
            ]),
            Command::Derive { genotypes: vec![Genotype(vec![1])] },
        ];
        for order in [ArchOrder::First, ArchOrder::Second, ArchOrder::Reward] {
            commands.push(Command::ArchStep { mixture: mixture(), order });
        }
        for command in commands {
            let crossed = unpack_command(pack_command(command.clone()).unwrap()).unwrap();
            assert_eq!(crossed, command);
        }
    }
}
