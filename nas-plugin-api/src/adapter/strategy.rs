//! `nas.strategy/1`

use nas_plugin_abi::{
    ASK_DONE, ASK_PROPOSALS, ASK_WAIT, AbiResult, AskReply, Bytes, Extension, RBox, RSlice, RStr,
    StrategyModule, StrategyObject, StrategyObject_TO, TD_Opaque, TellBatch, WithMetadata,
};
use serde::{Deserialize, Serialize};

use super::cbor::{decode, encode, receive, send};
use super::columns::{Costs, Table};
use super::guard::{Guarded, catch};
use super::library::registered;
use crate::component::{Ask, Constructor, SearchStrategy, StrategyContext};
use crate::error::{ErrorCode, PluginError};
use crate::genotype::Genotype;
use crate::measurement::{Cost, Measurements};
use crate::objective::Objective;
use crate::template::{Space, Template};
use crate::trial::{Fidelity, Outcome, Proposal, ProposalDetails, Trial};

pub(super) const ID: &str = "nas.strategy/1";
pub(super) type Object = StrategyObject_TO<'static, RBox<()>>;

/// [`StrategyContext`] as it crosses.
#[derive(Serialize, Deserialize)]
pub(super) struct ContextData {
    template: Template,
    seed: u64,
    objectives: Vec<Objective>,
    fidelity: Fidelity,
    #[serde(default)]
    proxies: Vec<String>,
    #[serde(default)]
    untrained_share: f64,
}

impl ContextData {
    pub(super) fn of(context: &StrategyContext) -> Self {
        Self {
            template: context.space.template().clone(),
            seed: context.seed,
            objectives: context.objectives.clone(),
            fidelity: context.fidelity,
            proxies: context.proxies.clone(),
            untrained_share: context.untrained_share,
        }
    }

    pub(super) fn context(self) -> Result<StrategyContext, PluginError> {
        Ok(StrategyContext {
            space: Space::new(self.template)?,
            seed: self.seed,
            objectives: self.objectives,
            fidelity: self.fidelity,
            proxies: self.proxies,
            untrained_share: self.untrained_share,
        })
    }
}

/// What is told of trials besides numbers.
#[derive(Default, Serialize, Deserialize)]
struct TrialDetails {
    /// Empty where all are at their default.
    #[serde(default)]
    proposals: Vec<ProposalDetails>,
    measurements: Table,
    costs: Costs,
    /// Empty where there are none.
    #[serde(default)]
    reasons: Vec<Option<String>>,
}

impl TrialDetails {
    fn of(trials: &[Trial]) -> Self {
        let proposals = trials.iter().map(|trial| &trial.proposal.details);
        let is_plain = proposals.clone().all(|details| *details == ProposalDetails::default());
        let measured = trials
            .iter()
            .map(|trial| trial.measurements.0.iter().map(|(name, &value)| (name.as_str(), value)));
        let reasons = trials.iter().map(|trial| &trial.reason);
        let has_reasons = reasons.clone().any(Option::is_some);
        Self {
            proposals: if is_plain { Vec::new() } else { proposals.cloned().collect() },
            measurements: Table::of(measured),
            costs: trials.iter().map(|trial| &trial.cost).collect(),
            reasons: if has_reasons { reasons.cloned().collect() } else { Vec::new() },
        }
    }

    /// Whether it says nothing but defaults, so that it need not cross at all.
    fn is_plain(trials: &[Trial]) -> bool {
        trials.iter().all(|trial| {
            trial.measurements.0.is_empty()
                && trial.reason.is_none()
                && trial.cost == Cost::default()
                && trial.proposal.details == ProposalDetails::default()
        })
    }

    /// Whether it is about so many trials.
    fn has(&self, n: usize) -> bool {
        let fits = |length: usize| length == 0 || length == n;
        fits(self.proposals.len())
            && fits(self.reasons.len())
            && self.measurements.has(n)
            && self.costs.has(n)
    }
}

pub(super) fn extension() -> Extension {
    const MODULE: &WithMetadata<StrategyModule> = &WithMetadata::new(StrategyModule { create });
    Extension::new(MODULE)
}

extern "C" fn create(
    name: RStr<'_>,
    config: RSlice<'_, u8>,
    context: RSlice<'_, u8>,
) -> AbiResult<Object> {
    send(catch(|| match registered(name.as_str(), |c| matches!(c, Constructor::Strategy(_)))? {
        Constructor::Strategy(make) => {
            let context = decode::<ContextData>(context.as_slice())?.context()?;
            let n_choices = context.space.n_choices();
            let n_objectives = context.objectives.len();
            let component = Guarded::new(make(decode(config.as_slice())?, context)?);
            let exported = Exported { component, n_choices, n_objectives };
            Ok(Object::from_value(exported, TD_Opaque))
        }
        _ => Err(PluginError::internal("find a constructor")),
    }))
}

struct Exported {
    component: Guarded<Box<dyn SearchStrategy>>,
    n_choices: usize,
    n_objectives: usize,
}

impl StrategyObject for Exported {
    fn ask_many(&mut self, slots: u32) -> AbiResult<AskReply> {
        send(self.component.call(|strategy| {
            Ok(match strategy.ask(slots as usize)? {
                Ask::Proposals(proposals) => pack_proposals(proposals)?,
                Ask::Wait => reply(ASK_WAIT, Bytes::new()),
                Ask::Done { reason } => reply(ASK_DONE, reason.into_bytes().into()),
            })
        }))
    }

    fn tell_many(&mut self, trials: TellBatch<'_>) -> AbiResult<()> {
        let (n_choices, n_objectives) = (self.n_choices, self.n_objectives);
        send(
            self.component
                .call(|strategy| strategy.tell(&unpack_trials(&trials, n_choices, n_objectives)?)),
        )
    }

    fn save(&self) -> AbiResult<Bytes> {
        send(self.component.call(|strategy| {
            // One byte in front tells an empty state from none.
            Ok(match strategy.save()? {
                Some(state) => [vec![1], state].concat().into(),
                None => Bytes::new(),
            })
        }))
    }

    fn restore(&mut self, state: RSlice<'_, u8>) -> AbiResult<()> {
        send(self.component.call(|strategy| strategy.restore(state.as_slice())))
    }
}

fn reply(state: u8, details: Bytes) -> AskReply {
    AskReply { state, count: 0, genotypes: Vec::new().into(), details }
}

fn pack_proposals(proposals: Vec<Proposal>) -> Result<AskReply, PluginError> {
    let count = proposals.len() as u32;
    let length = proposals.first().map_or(0, |proposal| proposal.genotype.0.len());
    let mut genotypes: Vec<u16> = Vec::with_capacity(proposals.len() * length);
    let mut plain = true;
    let mut details: Vec<ProposalDetails> = Vec::with_capacity(proposals.len());
    for proposal in proposals {
        if proposal.genotype.0.len() != length {
            // Unequal lengths can't be valid; the host sees a genotype that is none of the space.
            genotypes.extend(std::iter::repeat_n(u16::MAX, length));
        } else {
            genotypes.extend(&proposal.genotype.0);
        }
        plain &= proposal.details == ProposalDetails::default();
        details.push(proposal.details);
    }
    let details = if plain { Bytes::new() } else { encode(&details)? };
    Ok(AskReply { state: ASK_PROPOSALS, count, genotypes: genotypes.into(), details })
}

fn unpack_proposals(reply: &AskReply) -> Result<Vec<Proposal>, PluginError> {
    let count = reply.count as usize;
    let wrong = || PluginError::new(ErrorCode::Message, "propose: lengths do not agree");
    let mut details: Vec<ProposalDetails> = match reply.details.is_empty() {
        true => vec![ProposalDetails::default(); count],
        false => decode(&reply.details)?,
    };
    if count == 0 || details.len() != count || reply.genotypes.len() % count != 0 {
        return Err(wrong());
    }
    let length = reply.genotypes.len() / count;
    Ok(details
        .drain(..)
        .enumerate()
        .map(|(index, details)| Proposal {
            genotype: Genotype(reply.genotypes[index * length..][..length].to_vec()),
            details,
        })
        .collect())
}

fn unpack_trials(
    batch: &TellBatch<'_>,
    n_choices: usize,
    n_objectives: usize,
) -> Result<Vec<Trial>, PluginError> {
    let n = batch.ids.len();
    let details: TrialDetails = match batch.details.is_empty() {
        true => TrialDetails::default(),
        false => decode(batch.details.as_slice())?,
    };
    let agree = batch.genotypes.len() == n * n_choices
        && batch.outcomes.len() == n
        && batch.objectives.len() == n * n_objectives
        && (batch.details.is_empty() || details.has(n));
    if !agree {
        return Err(PluginError::new(ErrorCode::Message, "take trials: lengths do not agree"));
    }
    let TrialDetails { proposals, measurements, costs, reasons } = details;
    let (mut proposals, mut reasons) = (proposals.into_iter(), reasons.into_iter());
    let trial = |index| {
        let outcome = Outcome::from_code(batch.outcomes[index]);
        let objectives = &batch.objectives[index * n_objectives..][..n_objectives];
        let genotype = Genotype(batch.genotypes[index * n_choices..][..n_choices].to_vec());
        let measured = measurements.row(index).map(|(name, value)| (name.to_string(), value));
        Trial {
            id: batch.ids[index],
            proposal: Proposal { genotype, details: proposals.next().unwrap_or_default() },
            outcome,
            objectives: if outcome.has_result() { objectives.to_vec() } else { Vec::new() },
            measurements: Measurements(measured.collect()),
            cost: costs.get(index),
            reason: reasons.next().flatten(),
        }
    };
    Ok((0..n).map(trial).collect())
}

/// A strategy in a loaded library.
pub(super) struct Imported {
    object: Object,
    n_choices: usize,
    n_objectives: usize,
}

impl Imported {
    pub(super) fn new(object: Object, context: &StrategyContext) -> Self {
        let (n_choices, n_objectives) = (context.space.n_choices(), context.objectives.len());
        Self { object, n_choices, n_objectives }
    }
}

impl SearchStrategy for Imported {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let reply = receive(self.object.ask_many(u32::try_from(slots).unwrap_or(u32::MAX)))?;
        match reply.state {
            ASK_PROPOSALS => unpack_proposals(&reply).map(Ask::Proposals),
            ASK_WAIT => Ok(Ask::Wait),
            ASK_DONE => {
                Ok(Ask::Done { reason: String::from_utf8_lossy(&reply.details).into_owned() })
            }
            other => Err(PluginError::new(
                ErrorCode::Message,
                format!("propose: {other} is no kind of answer"),
            )),
        }
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        let mut genotypes = Vec::with_capacity(trials.len() * self.n_choices);
        let mut objectives = Vec::with_capacity(trials.len() * self.n_objectives);
        for trial in trials {
            // An invalid genotype may have any length; the strategy knows which one it was.
            let values = &trial.proposal.genotype.0;
            match values.len() == self.n_choices {
                true => genotypes.extend(values),
                false => genotypes.extend(std::iter::repeat_n(u16::MAX, self.n_choices)),
            }
            match trial.objectives.len() == self.n_objectives {
                true => objectives.extend(&trial.objectives),
                false => objectives.extend(std::iter::repeat_n(f64::NAN, self.n_objectives)),
            }
        }
        let ids: Vec<u64> = trials.iter().map(|trial| trial.id).collect();
        let outcomes: Vec<u8> = trials.iter().map(|trial| trial.outcome as u8).collect();
        let details = match TrialDetails::is_plain(trials) {
            true => Bytes::new(),
            false => encode(&TrialDetails::of(trials))?,
        };
        receive(self.object.tell_many(TellBatch {
            ids: RSlice::from_slice(&ids),
            genotypes: RSlice::from_slice(&genotypes),
            outcomes: RSlice::from_slice(&outcomes),
            objectives: RSlice::from_slice(&objectives),
            details: details.as_slice().into(),
        }))
    }

    fn save(&self) -> Result<Option<Vec<u8>>, PluginError> {
        let state = receive(self.object.save())?;
        Ok(state.split_first().map(|(_, state)| state.to_vec()))
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), PluginError> {
        receive(self.object.restore(RSlice::from_slice(state)))
    }
}
