//! Checking what only a one-shot run has: the supernet, the strategy's plan, the signals.

use nas_plugin_api::component::{ComponentKind, OneShotPlan, StrategyContext};
use nas_plugin_api::template::{Role, Scale};
use nas_plugin_api::verdict::QuestionKind;
use serde_json::Value;

use super::Problem;
use super::preparation::Preparation;
use crate::network::NetworkSpace;
use crate::one_shot::{PathCost, SupernetSettings};
use crate::protocol::data::DataSummary;
use crate::protocol::one_shot::{ComponentSource, signals};
use crate::search::Policy;
use crate::settings::Settings;

/// What a run's one-shot search is made of, and what its strategy plans.
#[derive(Clone, Debug)]
pub struct PreparedSearch {
    pub(super) operations: ComponentSource,
    pub(super) space: ComponentSource,
    pub(super) strategy: ComponentSource,
    pub(super) scale: Scale,
    pub(super) signals: Vec<String>,
    /// What the strategy plans.
    pub plan: OneShotPlan,
    /// Images of one step.
    pub batch_size: u32,
    /// Training steps of one epoch.
    pub steps_per_epoch: u32,
    /// Length of a mixture.
    pub n_paths: usize,
}

/// The checked configurations of the three components, with the bytes of their files.
pub(super) struct Configs {
    pub(super) operations: Value,
    pub(super) space: Value,
    pub(super) strategy: Value,
}

impl Preparation {
    /// Decides what kind the strategy is, fills in the defaults of a supernet, and refuses what
    /// does not go together.
    pub(super) fn check_kind(&mut self, settings: &mut Settings) -> ComponentKind {
        let wants_supernet = settings.supernet.is_some();
        let kind = self.registry.strategy_kind(&settings.strategy.name, wants_supernet);
        let is_one_shot = kind == ComponentKind::OneShotStrategy;
        if !is_one_shot && wants_supernet {
            let known: Vec<String> = self
                .registry
                .components()
                .iter()
                .filter(|known| known.info.kind == ComponentKind::OneShotStrategy)
                .map(|known| known.info.name.clone())
                .collect();
            let name = &settings.strategy.name;
            let text = format!("strategy `{name}` trains no supernet");
            let mut expected = "no table `[supernet]`".to_owned();
            if !known.is_empty() {
                expected.push_str(&format!(", or a one-shot strategy ({})", known.join(", ")));
            }
            self.problems.push(Problem::new("supernet", text).expecting(expected));
        }
        if is_one_shot && settings.inherit.is_some() {
            let text = format!("strategy `{}` trains a supernet itself", settings.strategy.name);
            let expected = "no table `[inherit]`, or a strategy that evaluates single networks";
            self.problems.push(Problem::new("inherit", text).expecting(expected));
        }
        if is_one_shot {
            let execution = &settings.execution;
            let all_threads = execution.workers.max(1) * execution.threads.max(1);
            let supernet = settings.supernet.get_or_insert_with(SupernetSettings::default);
            if supernet.threads == 0 {
                supernet.threads = all_threads;
            }
            let n_trials = (supernet.derive + supernet.baseline) as u64;
            if let Some(trials) = settings.budget.trials
                && trials < n_trials
            {
                let text = format!(
                    "{trials} trials are too few: up to {} derived and {} random genotypes are \
                     trained",
                    supernet.derive, supernet.baseline
                );
                let expected =
                    format!("at least {n_trials}, or smaller `supernet.derive` and `.baseline`");
                self.problems.push(Problem::new("budget.trials", text).expecting(expected));
            }
            if supernet.path_cost == PathCost::Latency && settings.execution.deterministic {
                let text = "latencies differ from run to run, and so would the searches";
                let problem = Problem::new("supernet.path_cost", text);
                let expected = "`multiply-adds`, or `execution.deterministic = false`";
                self.problems.push(problem.expecting(expected));
            }
            let recipe = &supernet.training;
            if recipe.final_learning_rate > recipe.learning_rate {
                let text = format!("{} is above `learning_rate`", recipe.final_learning_rate);
                let expected = format!("at most {}", recipe.learning_rate);
                let key = "supernet.training.final_learning_rate";
                self.problems.push(Problem::new(key, text).expecting(expected));
            }
        }
        kind
    }

    /// The signals that policies and the user want each epoch.
    pub(super) fn wanted_signals(
        &mut self,
        settings: &Settings,
        policies: &[Policy],
        is_one_shot: bool,
    ) -> Vec<String> {
        let mut wanted = Vec::new();
        for (index, Policy { policy, .. }) in policies.iter().enumerate() {
            let key = format!("policy.{index}");
            match policy.call("list its needs", |policy| Ok(policy.needs(QuestionKind::Progress))) {
                Ok(needs) if is_one_shot => {
                    needs.iter().for_each(|name| self.check_signal(&key, name));
                    wanted.extend(needs);
                }
                Ok(needs) if !needs.is_empty() => {
                    let text = format!(
                        "it needs {} of each epoch of a one-shot search, and strategy `{}` does \
                         none",
                        needs.join(", "),
                        settings.strategy.name
                    );
                    let problem = Problem::new(&key, text);
                    self.problems.push(problem.expecting("a one-shot strategy, or another policy"));
                }
                Ok(_) => {}
                Err(error) => self.problems.push(Problem::new(&key, error.to_string())),
            }
        }
        for name in settings.supernet.iter().flat_map(|supernet| &supernet.signals) {
            self.check_signal("supernet.signals", name);
            wanted.push(name.clone());
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    fn check_signal(&mut self, key: &str, name: &str) {
        if !signals::ALL.contains(&name) {
            let text = format!("it needs the signal `{name}`, which no epoch has");
            self.problems.push(Problem::new(key, text).expecting(signals::ALL.join(", ")));
        }
    }

    /// Makes the space as a supernet and the strategy, asks it for its plan, and checks the plan.
    pub(super) fn prepare_search(
        &mut self,
        settings: &Settings,
        configs: Configs,
        final_space: &NetworkSpace,
        data: &DataSummary,
        (mut context, wanted): (StrategyContext, Vec<String>),
    ) -> Option<PreparedSearch> {
        let supernet = settings.supernet.as_ref()?;
        let Configs { operations, space, strategy } = configs;
        let scale = Scale {
            channels: supernet.channels.or(settings.space.channels),
            cells: supernet.cells.or(settings.space.cells),
            auxiliary_head: false,
            role: Role::Search,
            ..self.scale(settings, Some(data))
        };
        let search_space =
            self.make_space(settings, operations.clone(), space.clone(), scale.clone())?;
        if search_space.space().template().choices != final_space.space().template().choices {
            let text = "the space offers other choices at the scale of the supernet than at that \
                        of `[space]`, so what is found could not be trained";
            let expected = "`cells` and `channels` as in `[space]`";
            self.problems.push(Problem::new("supernet", text).expecting(expected));
            return None;
        }
        if let Err(error) = search_space.supernet(1) {
            let text = format!("it can't be searched as a supernet: {error}");
            let expected = "operations and choices that give the same shape at every place";
            self.problems.push(Problem::new("space", text).expecting(expected));
            return None;
        }
        context.space = search_space.space().clone();
        let plan = self.ask_plan(settings, strategy.clone(), context)?;
        let n_paths =
            nas_plugin_api::toolkit::mixture_layout::MixtureLayout::new(search_space.space())
                .n_paths();
        let (batch_size, steps_per_epoch) = self.check_plan(supernet, &plan, data)?;
        let mut source = |kind, name: &str, config| {
            self.registry
                .component_source(kind, name, config)
                .map_err(|error| {
                    self.problems.push(Problem::new(kind_key(kind), error.to_string()));
                })
                .ok()
        };
        Some(PreparedSearch {
            operations: source(ComponentKind::Operations, &settings.operations.name, operations)?,
            space: source(ComponentKind::Space, &settings.space.name, space)?,
            strategy: source(ComponentKind::OneShotStrategy, &settings.strategy.name, strategy)?,
            scale,
            signals: wanted,
            plan,
            batch_size,
            steps_per_epoch,
            n_paths,
        })
    }

    fn ask_plan(
        &mut self,
        settings: &Settings,
        config: Value,
        context: StrategyContext,
    ) -> Option<OneShotPlan> {
        let (registry, name) =
            (std::sync::Arc::clone(&self.registry), settings.strategy.name.clone());
        let made = self.make("strategy", &settings.strategy.name, move || {
            registry.one_shot_strategy(&name, &config, &context)
        })?;
        made.call("plan", |strategy| strategy.plan())
            .map_err(|error| {
                let text = format!("failed to {error}");
                self.problems.push(Problem::new("strategy", text));
            })
            .ok()
    }

    /// Batch size and steps of an epoch, if the plan can be carried out.
    fn check_plan(
        &mut self,
        supernet: &SupernetSettings,
        plan: &OneShotPlan,
        data: &DataSummary,
    ) -> Option<(u32, u32)> {
        let before = self.problems.len();
        if plan.epochs == 0 {
            let problem = Problem::new("strategy", "it plans a search of 0 epochs");
            self.problems.push(problem.expecting("at least 1"));
        }
        if plan.steps_per_epoch == Some(0) {
            let problem = Problem::new("strategy", "it plans epochs of 0 steps");
            self.problems.push(problem.expecting("at least 1"));
        }
        let train = (data.train.images as f64 * supernet.data_fraction) as usize;
        let smaller = train.min(data.validation.images);
        let (key, batch) = match plan.batch_size {
            Some(batch) => ("strategy.batch_size", batch as usize),
            None => ("supernet.training.batch_size", supernet.training.batch_size),
        };
        if batch == 0 || batch > smaller {
            let text = format!(
                "a batch of {batch} images does not fit: the search has {train} training and {} \
                 validation images",
                data.validation.images
            );
            self.problems.push(Problem::new(key, text).expecting(format!("1 to {smaller}")));
        }
        for name in &plan.signals {
            self.check_signal("strategy", name);
        }
        if self.problems.len() > before {
            return None;
        }
        let batches = u32::try_from(train / batch).unwrap_or(u32::MAX);
        let steps = plan.steps_per_epoch.map_or(batches, |most| most.min(batches));
        Some((u32::try_from(batch).unwrap_or(u32::MAX), steps))
    }
}

fn kind_key(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::OneShotStrategy => "strategy",
        kind => kind.name(),
    }
}
