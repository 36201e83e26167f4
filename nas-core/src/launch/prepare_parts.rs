//! The part of preparing that makes components, each on a thread of its own, and asks what they need.

use std::sync::Arc;

use nas_plugin_api::component::{Fitness, SearchStrategy, StrategyContext};
use nas_plugin_api::measurement::names;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::Scale;
use nas_plugin_api::verdict::QuestionKind;
use serde_json::Value;

use super::Problem;
use super::preparation::Preparation;
use super::prepare_benchmark::PreparedBenchmark;
use crate::network::{NetworkSpace, OperationGraphs};
use crate::plugin::{CallError, PluginLoadError, Timed};
use crate::protocol::data::DataSummary;
use crate::search::{KeepWeights, Policy, begun_warm};
use crate::settings::{Settings, TrainingSettings};

/// Zero-cost proxies take as long as training steps on so many images: two passes there and three back
/// over 64.
const UNTRAINED_IMAGES: f64 = 3.0 * 64.0;

impl Preparation {
    pub(super) fn make_space(
        &mut self,
        settings: &Settings,
        operations: Value,
        space: Value,
        scale: Scale,
    ) -> Option<NetworkSpace> {
        let registry = Arc::clone(&self.registry);
        let (operations_name, space_name) =
            (settings.operations.name.clone(), settings.space.name.clone());
        // One call, on a thread of its own: neither is called while networks are trained.
        let made = Timed::create(&settings.space.name, self.limit, move || {
            let operations = registry
                .operations(&operations_name, &operations)
                .map_err(|error| Misfit::new("operations", error))?;
            let space =
                registry.space(&space_name, &space).map_err(|error| Misfit::new("space", error))?;
            NetworkSpace::new(space.as_ref(), OperationGraphs::new(operations), &scale, scale.role)
                .map_err(|error| Misfit::new("space", error))
        });
        let space =
            made.and_then(|space| Ok(space.call("describe itself", |space| Ok(space.clone()))?));
        space.map_err(|Misfit { key, message }| self.problems.push(Problem::new(key, message))).ok()
    }

    pub(super) fn make_fitness(
        &mut self,
        settings: &Settings,
        config: Value,
    ) -> Option<MadeFitness> {
        let (registry, name) = (Arc::clone(&self.registry), settings.fitness.name.clone());
        let fitness =
            self.make("fitness", &settings.fitness.name, move || registry.fitness(&name, &config))?;
        let described =
            fitness.call("describe itself", |fitness| Ok((fitness.objectives(), fitness.needs())));
        let (objectives, needs) = match described {
            Ok(described) => described,
            Err(error) => {
                self.problems.push(Problem::new("fitness", error.to_string()));
                return None;
            }
        };
        if objectives.is_empty() {
            self.problems.push(Problem::new("fitness", "it computes no objective"));
        }
        self.check_measurements("fitness", &needs);
        Some((fitness, objectives, needs))
    }

    pub(super) fn make_strategy(
        &mut self,
        settings: &Settings,
        config: Value,
        context: StrategyContext,
    ) -> Option<Timed<Box<dyn SearchStrategy>>> {
        let (registry, name) = (Arc::clone(&self.registry), settings.strategy.name.clone());
        let warm_start = settings.warm_start.clone();
        let key = if warm_start.is_some() { "warm_start" } else { "strategy" };
        self.make(key, &settings.strategy.name, move || {
            let strategy = registry.strategy(&name, &config, &context)?;
            begun_warm(warm_start.as_ref(), &context, strategy)
        })
    }

    /// What measuring an untrained network takes, as a share of a trial: of the images that pass
    /// through it, a validation counting a third of a training.
    pub(super) fn untrained_share(
        &self,
        settings: &Settings,
        data: Option<&DataSummary>,
        benchmark: Option<&PreparedBenchmark>,
    ) -> f64 {
        let Some(data) = data else {
            return benchmark.map_or(0.0, |benchmark| benchmark.untrained_share);
        };
        let TrainingSettings { epochs, data_fraction, .. } = &settings.training;
        let trained = f64::from(*epochs) * data_fraction * data.train.images as f64;
        UNTRAINED_IMAGES / (trained + data.validation.images as f64 / 3.0).max(UNTRAINED_IMAGES)
    }

    pub(super) fn make_policies(
        &mut self,
        settings: &Settings,
        configs: Vec<Value>,
    ) -> Option<Vec<Policy>> {
        let mut policies = Vec::new();
        let approver = self.organisation.as_ref().and_then(|one| one.rules.approval.key.clone());
        for (index, (policy, config)) in settings.policies.iter().zip(configs).enumerate() {
            let (registry, name) = (Arc::clone(&self.registry), policy.name.clone());
            let key = format!("policy.{index}");
            let made = self.make(&key, &policy.name, move || registry.policy(&name, &config))?;
            let kinds = [QuestionKind::Candidate, QuestionKind::Review, QuestionKind::Champion];
            for kind in kinds {
                let needs = made.call("list its needs", move |policy| Ok(policy.needs(kind)));
                match needs {
                    Ok(needs) if kind == QuestionKind::Candidate => {
                        self.check_untrained(&key, &needs);
                    }
                    Ok(mut needs) if kind == QuestionKind::Champion => {
                        // Whether the holdout can be read is looked at where policies are known.
                        needs.retain(|name| name != names::HOLDOUT_ACCURACY);
                        self.check_measurements(&key, &needs);
                    }
                    Ok(needs) => self.check_measurements(&key, &needs),
                    Err(error) => self.problems.push(Problem::new(&key, error.to_string())),
                }
            }
            match Policy::new(&policy.name, policy.mode, made) {
                Ok(policy) => policies.push(policy.approved_by(approver.clone())),
                Err(error) => self.problems.push(Problem::new(&key, error.to_string())),
            }
        }
        Some(policies)
    }

    /// Makes a component on a thread of its own, within the time limit of plugin calls.
    pub(super) fn make<T: 'static>(
        &mut self,
        key: &str,
        name: &str,
        create: impl FnOnce() -> Result<T, PluginLoadError> + Send + 'static,
    ) -> Option<Timed<T>> {
        Timed::create(name, self.limit, create)
            .map_err(|error| self.problems.push(Problem::new(key, error.to_string())))
            .ok()
    }

    /// Refuses measurements that a trained trial will not have.
    fn check_measurements(&mut self, key: &str, needs: &[String]) {
        let can: Vec<&str> = match &self.delivers {
            Some(delivers) => delivers.iter().map(String::as_str).collect(),
            None => names::ALL.into_iter().filter(|&n| n != names::HOLDOUT_ACCURACY).collect(),
        };
        for name in needs {
            if !can.contains(&name.as_str()) {
                let text = format!("it needs the measurement `{name}`, which no trial has");
                self.problems.push(Problem::new(key, text).expecting(can.join(", ")));
            }
        }
    }

    /// Refuses measurements that can't exist before training.
    fn check_untrained(&mut self, key: &str, needs: &[String]) {
        const KNOWN: [&str; 2] = [names::PARAMETERS, names::MULTIPLY_ADDS];
        for name in needs.iter().filter(|name| !KNOWN.contains(&name.as_str())) {
            let text = format!("it needs `{name}` of a candidate, which is not trained yet");
            self.problems.push(Problem::new(key, text).expecting(KNOWN.join(", ")));
        }
    }

    /// Policies that look at the holdout when they are asked about a champion. With a benchmark,
    /// `has_holdout` says whether it has a test accuracy.
    pub(super) fn audited_by(
        &mut self,
        settings: &Settings,
        policies: &[Policy],
        has_holdout: Option<bool>,
    ) -> Vec<String> {
        let is_kept =
            settings.inherit.is_none() && settings.execution.keep_weights != KeepWeights::None;
        let can_read = has_holdout.unwrap_or(is_kept);
        let mut looking = Vec::new();
        for (index, Policy { name, policy, .. }) in policies.iter().enumerate() {
            let needs = policy.call("list its needs", |p| Ok(p.needs(QuestionKind::Champion)));
            let looks =
                needs.is_ok_and(|needs| needs.iter().any(|need| need == names::HOLDOUT_ACCURACY));
            if looks && !can_read {
                let text = "it compares with the holdout, which can't be read in this run";
                let expected = "trained weights that are kept (`execution.keep_weights`, no \
                                `[inherit]`), or a benchmark with a test accuracy";
                let problem = Problem::new(&format!("policy.{index}"), text).expecting(expected);
                self.problems.push(problem);
            }
            if looks {
                looking.push(name.clone());
            }
        }
        looking
    }

    /// Measurements to take of each trial besides what is always taken.
    pub(super) fn review_needs(
        &self,
        policies: &[Policy],
        fitness_needs: &[String],
    ) -> Vec<String> {
        let mut needs = fitness_needs.to_vec();
        for Policy { policy, .. } in policies {
            let named = policy.call("list its needs", |p| Ok(p.needs(QuestionKind::Review)));
            needs.extend(named.unwrap_or_default());
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }
}

/// Why space and operations do not go together.
struct Misfit {
    key: &'static str,
    message: String,
}

impl Misfit {
    fn new(key: &'static str, error: impl std::fmt::Display) -> Self {
        Self { key, message: error.to_string() }
    }
}

impl From<CallError> for Misfit {
    fn from(error: CallError) -> Self {
        Self::new("space", error)
    }
}

/// A fitness function, its objectives, and the measurements that it needs.
pub(super) type MadeFitness = (Timed<Box<dyn Fitness>>, Vec<Objective>, Vec<String>);
