//! Checking settings and making everything that a search is made of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nas_plugin_api::component::{ComponentKind, SearchStrategy, StrategyContext};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::measurement::names;
use nas_plugin_api::template::{Role, Scale};
use nas_plugin_api::toolkit::genotype_list::GenotypeList;
use nas_plugin_api::trial::Fidelity;
use nas_plugin_api::verdict::Plan;
use serde_json::{Map, Value};

use super::Problem;
use super::preparation::Preparation;
use super::prepare_benchmark::PreparedBenchmark;
use super::prepare_inherit::{self, PreparedInherit};
use super::prepare_one_shot::{Configs, PreparedSearch};
use crate::budget::QuotaSettings;
use crate::executor::prepare_data;
use crate::journal::{ComponentRecord, FileRecord};
use crate::network::NetworkSpace;
use crate::organisation::{Organisation, PolicyPlaces};
use crate::plugin::{Registry, Timed, check_config, read_config_files};
use crate::protocol::Usage;
use crate::protocol::data::DataSummary;
use crate::search::Parts;
use crate::settings::{ComponentSettings, Settings};

/// A search that could begin: everything was checked, the data are split, nothing is trained.
pub struct Prepared {
    pub(super) settings: Settings,
    pub(super) folder: PathBuf,
    pub(super) parts: Parts,
    pub(super) data: Option<DataSummary>,
    pub(super) data_usage: Usage,
    pub(super) components: Vec<ComponentRecord>,
    pub(super) files: Vec<FileRecord>,
    pub(super) review_needs: Vec<String>,
    /// Policies that look at the holdout.
    pub(super) audited_by: Vec<String>,
    pub(super) one_shot: Option<PreparedSearch>,
    pub(super) inherited: Option<PreparedInherit>,
    /// The organisation's policy that holds, if there is one.
    pub(super) organisation: Option<Organisation>,
    pub(super) benchmark: Option<PreparedBenchmark>,
    /// Where private copies of libraries are.
    pub(super) plugin_cache: PathBuf,
}

impl Prepared {
    /// The space with its operations.
    #[must_use]
    pub fn space(&self) -> &NetworkSpace {
        &self.parts.space
    }

    /// The settings, as they will be journalled.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The one-shot search, in a run whose strategy is a one-shot strategy.
    #[must_use]
    pub fn one_shot(&self) -> Option<&PreparedSearch> {
        self.one_shot.as_ref()
    }

    /// The organisation's policy that the run keeps to, if there is one.
    #[must_use]
    pub fn organisation(&self) -> Option<&Organisation> {
        self.organisation.as_ref()
    }

    /// The data and their splits; absent with a benchmark.
    #[must_use]
    pub fn data(&self) -> Option<&DataSummary> {
        self.data.as_ref()
    }
}

/// Checks settings and makes every component.
///
/// `folder` is where the configuration file lies: relative paths in it begin there.
///
/// # Errors
/// Everything that is wrong, as far as it can be found at once.
pub fn prepare(
    settings: &Settings,
    registry: &Arc<Registry>,
    folder: &Path,
) -> Result<Prepared, Vec<Problem>> {
    let mut settings = settings.clone();
    settings.execution.workers = workers(settings.execution.workers);
    // Paths mean the same wherever the run is taken up, and to the organisation's rules.
    let absolute = |path: &Path| {
        let path = folder.join(path);
        std::path::absolute(&path).unwrap_or(path)
    };
    if let Some(quota) = &mut settings.quota {
        quota.file = absolute(&quota.file);
    }
    if let Some(path) = settings.data.as_mut().and_then(|data| data.path.as_mut()) {
        *path = absolute(path);
    }
    let places = PolicyPlaces::from_environment();
    let organisation = Organisation::in_force(&places, Some((&settings, folder)))
        .map_err(|error| vec![Problem::new("organisation_policy", error.to_string())])?;
    if let Some(organisation) = &organisation {
        organisation.check(&mut settings, registry)?;
        organisation.restrict(registry);
    }
    let mut preparation = Preparation::new(&settings, registry, folder);
    preparation.organisation = organisation;
    let prepared = preparation.prepare(settings);
    match (prepared, preparation.problems) {
        (Some(prepared), problems) if problems.is_empty() => Ok(prepared),
        (_, problems) => Err(problems),
    }
}

/// What a search's policies need to be asked: space, objectives and policies, without data and
/// without a strategy. Relative paths begin in the first folder, those of policies in the second.
pub(super) fn prepare_policies(
    settings: &Settings,
    registry: &Arc<Registry>,
    (folder, folder_of_policies): (&Path, &Path),
    data: Option<&DataSummary>,
) -> Result<Parts, Vec<Problem>> {
    let mut preparation = Preparation::new(settings, registry, folder);
    let parts = preparation.prepare_policies(settings, folder_of_policies, data);
    match (parts, preparation.problems) {
        (Some(parts), problems) if problems.is_empty() => Ok(parts),
        (_, problems) => Err(problems),
    }
}

/// A search as policies are asked about it.
pub(super) fn plan_of(settings: &Settings, parts: &Parts) -> Plan {
    Plan {
        strategy: settings.strategy.name.clone(),
        space: settings.space.name.clone(),
        space_size: parts.space.space().size(),
        epochs: settings.training.epochs,
        workers: u32::try_from(settings.execution.workers).unwrap_or(u32::MAX),
    }
}

/// 0 means one per processor.
fn workers(wanted: usize) -> usize {
    match wanted {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}

impl Preparation {
    fn prepare_policies(
        &mut self,
        settings: &Settings,
        folder_of_policies: &Path,
        data: Option<&DataSummary>,
    ) -> Option<Parts> {
        let mut configs = Vec::new();
        // The strategy is not asked again, and its files may be gone.
        for (kind, name, config) in settings.components(ComponentKind::Strategy) {
            let key = kind.name();
            match kind {
                ComponentKind::Strategy | ComponentKind::Policy => {}
                kind => configs.push(self.check_component(key, kind, name, config)),
            }
        }
        self.folder = folder_of_policies.to_owned();
        let policies: Vec<Value> = (0..)
            .zip(&settings.policies)
            .map(|(index, policy): (usize, _)| {
                let key = format!("policy.{index}");
                self.check_component(&key, ComponentKind::Policy, &policy.name, &policy.config)
            })
            .collect();
        if !self.problems.is_empty() {
            return None;
        }
        let mut configs = configs.into_iter();
        let mut next = move || configs.next().unwrap_or(Value::Null);
        let (operations, space, fitness) = (next(), next(), next());
        let scale = self.scale(settings, data);
        let space = self.make_space(settings, operations, space, scale)?;
        let (fitness, objectives, fitness_needs) = self.make_fitness(settings, fitness)?;
        let fidelity = Fidelity {
            epochs: settings.training.epochs,
            data_fraction: settings.training.data_fraction,
        };
        let strategy = self.make_listed(GenotypeList::default())?;
        let policies = self.make_policies(settings, policies)?;
        let proxies = Vec::new();
        Some(Parts {
            space,
            strategy,
            fitness,
            objectives,
            fitness_needs,
            policies,
            fidelity,
            proxies,
        })
    }

    /// Prepares a search that is judged by the organisation's policies too, beside its own.
    fn prepare(&mut self, mut settings: Settings) -> Option<Prepared> {
        let n_own = settings.policies.len();
        let required = self.organisation.iter().flat_map(|one| one.rules.policies.clone());
        let required: Vec<ComponentSettings> =
            required.filter(|policy| !settings.policies.contains(policy)).collect();
        settings.policies.extend(required);
        let prepared = self.prepare_all(settings, n_own);
        self.say_who_requires(n_own);
        prepared.map(|mut prepared| {
            prepared.settings.policies.truncate(n_own);
            prepared
        })
    }

    /// A problem with a policy that the organisation requires is none of the run's configuration.
    fn say_who_requires(&mut self, n_own: usize) {
        let Some(organisation) = &self.organisation else { return };
        for problem in &mut self.problems {
            let Some(key) = problem.key.strip_prefix("policy.") else { continue };
            let (index, setting) = key.split_once('.').unwrap_or((key, ""));
            if index.parse::<usize>().is_ok_and(|index| index >= n_own) {
                let title = organisation.title();
                let at =
                    if setting.is_empty() { String::new() } else { format!(" at `{setting}`") };
                let message = &problem.message;
                problem.message = format!("{title} has a policy that fails{at}: {message}");
                problem.key = "organisation_policy".to_owned();
            }
        }
    }

    fn prepare_all(&mut self, mut settings: Settings, n_own: usize) -> Option<Prepared> {
        self.check_settings(&settings);
        settings.stop.file = settings.stop.file.map(|path| {
            let path = self.folder.join(path);
            std::path::absolute(&path).unwrap_or(path)
        });
        let kind = self.check_kind(&mut settings);
        self.check_benchmark(&settings, kind);
        let is_one_shot = kind == ComponentKind::OneShotStrategy;
        let configs = self.check_components(&settings, kind, n_own);
        if !self.problems.is_empty() {
            return None;
        }
        let mut configs = configs.into_iter();
        let mut next = move || configs.next().unwrap_or(Value::Null);
        let (operations, space) = (next(), next());
        let (strategy, fitness) = (next(), next());
        let policies: Vec<Value> = settings.policies.iter().map(|_| next()).collect();
        let benchmark = next();

        let (data, data_usage) = self.prepare_data(&settings)?;
        let configs = Configs { operations, space, strategy };
        let scale = self.scale(&settings, data.as_ref());
        let fidelity = Fidelity {
            epochs: settings.training.epochs,
            data_fraction: settings.training.data_fraction,
        };
        let space =
            self.make_space(&settings, configs.operations.clone(), configs.space.clone(), scale);
        let benchmark = space.as_ref().and_then(|space| {
            self.prepare_benchmark(&settings, benchmark, space.space(), fidelity)
        });
        self.delivers = match &benchmark {
            Some(benchmark) => Some(benchmark.delivers.clone()),
            None => settings.inherit.as_ref().map(|_| prepare_inherit::delivers()),
        };
        let fitness = self.make_fitness(&settings, fitness);
        let policies = self.make_policies(&settings, policies);
        let (space, (fitness, objectives, fitness_needs)) = (space?, fitness?);
        if let Some(organisation) = &self.organisation
            && let Err(problem) = organisation.check_space(space.space())
        {
            self.problems.push(problem);
            return None;
        }
        let parts_of_space = (configs.operations.clone(), configs.space.clone());
        let inherited = self.prepare_inherit(&mut settings, parts_of_space, &space, data.as_ref());
        let proxies = match (&self.delivers, is_one_shot) {
            (_, true) => Vec::new(),
            (Some(delivers), false) => names::proxies_among(delivers),
            (None, false) => names::PROXIES.map(str::to_owned).to_vec(),
        };
        let context = StrategyContext {
            space: space.space().clone(),
            seed: settings.seed,
            objectives: objectives.clone(),
            fidelity,
            untrained_share: self.untrained_share(&settings, data.as_ref(), benchmark.as_ref()),
            proxies: proxies.clone(),
        };
        let policies = policies?;
        let signals = self.wanted_signals(&settings, &policies, is_one_shot);
        let (strategy, one_shot) = match is_one_shot {
            false => (self.make_strategy(&settings, configs.strategy, context)?, None),
            true => {
                let search = self.prepare_search(
                    &settings,
                    configs,
                    &space,
                    data.as_ref()?,
                    (context, signals),
                )?;
                (self.make_listed(GenotypeList::default())?, Some(search))
            }
        };
        let review_needs = self.review_needs(&policies, &fitness_needs);
        let has_holdout = benchmark.as_ref().map(|benchmark| benchmark.has_holdout);
        let audited_by = self.audited_by(&settings, &policies, has_holdout);
        let components = settings
            .components(kind)
            .into_iter()
            .filter_map(|(kind, name, _)| self.registry.record(kind, name).ok())
            .collect();
        let parts = Parts {
            space,
            strategy,
            fitness,
            objectives,
            fitness_needs,
            policies,
            fidelity,
            proxies,
        };
        let files = std::mem::take(&mut self.files);
        let folder = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        Some(Prepared {
            settings,
            folder,
            parts,
            data,
            data_usage,
            components,
            files,
            review_needs,
            audited_by,
            one_shot,
            inherited,
            organisation: self.organisation.clone(),
            benchmark,
            plugin_cache: self.registry.places().cache.clone(),
        })
    }

    fn make_listed(&mut self, listed: GenotypeList) -> Option<Timed<Box<dyn SearchStrategy>>> {
        self.make("strategy", "list", move || Ok(Box::new(listed) as Box<dyn SearchStrategy>))
    }

    /// Checks what does not depend on any component.
    fn check_settings(&mut self, settings: &Settings) {
        let name_is_plain = !settings.name.is_empty()
            && settings.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !settings.name.starts_with('.');
        if !name_is_plain {
            let problem = Problem::new(
                "name",
                format!("`{}` can't be part of a folder's name", settings.name),
            );
            self.problems.push(problem.expecting("letters, digits and `-_.`"));
        }
        match (&settings.data, &settings.benchmark) {
            (None, None) => {
                self.problems.push(
                    Problem::new("data", "there is nothing to train on")
                        .expecting("a table `[data]` with at least `format`, or `[benchmark]`"),
                );
            }
            (Some(_), Some(_)) => {
                self.problems.push(
                    Problem::new("benchmark", "a benchmark is asked instead of training")
                        .expecting("`[data]` or `[benchmark]`, not both"),
                );
            }
            _ => {}
        }
        self.check_budget(settings);
        let n_controls = u64::from(settings.controls.n_wanted());
        if let Some(trials) = settings.budget.trials
            && n_controls >= trials
        {
            let text = format!("{n_controls} controls leave nothing of {trials} trials");
            let expected = format!("more than {n_controls}");
            self.problems.push(Problem::new("budget.trials", text).expecting(expected));
        }
        if n_controls > 0 && (settings.benchmark.is_some() || settings.inherit.is_some()) {
            let text = "controls train networks, and this run trains none";
            self.problems.push(
                Problem::new("controls", text).expecting("neither `[benchmark]` nor `[inherit]`"),
            );
        }
        let recipe = &settings.training.recipe;
        if recipe.final_learning_rate > recipe.learning_rate {
            let text = format!("{} is above `learning_rate`", recipe.final_learning_rate);
            let expected = format!("at most {}", recipe.learning_rate);
            let key = "training.final_learning_rate";
            self.problems.push(Problem::new(key, text).expecting(expected));
        }
    }

    /// A limit of energy or money needs something that costs any.
    fn check_budget(&mut self, settings: &Settings) {
        let mut limits = vec![("budget", settings.budget.caps())];
        match settings.quota.as_ref().map(QuotaSettings::caps) {
            Some(Ok(caps)) => limits.push(("quota", caps)),
            Some(Err(error)) => self.problems.push(Problem::new("quota", error.to_string())),
            None => {}
        }
        let rates = &settings.budget.rates;
        let priced = [
            ("energy_kwh", rates.count_energy(), "watts_per_cpu` or `watts_per_gpu"),
            (
                "money",
                rates.count_money(),
                "price_per_hour`, `price_per_cpu_hour` or `price_per_gpu_hour",
            ),
        ];
        for (whose, caps) in limits {
            for (name, counts, rates) in priced {
                if caps.contains_key(name) && !counts {
                    let text = format!("`{name}` is limited, and nothing costs any");
                    let expected = format!("`{rates}` in `budget.rates`");
                    let problem = Problem::new(&format!("{whose}.{name}"), text);
                    self.problems.push(problem.expecting(expected));
                }
            }
        }
    }

    /// Checks every component's own settings against its schema, and reads the files they name.
    /// Policies after the run's own are the organisation's.
    fn check_components(
        &mut self,
        settings: &Settings,
        strategy: ComponentKind,
        n_own: usize,
    ) -> Vec<Value> {
        let mut configs = Vec::new();
        let mut policy_index = 0;
        let run_folder = self.folder.clone();
        for (kind, name, config) in settings.components(strategy) {
            self.folder.clone_from(&run_folder);
            let key = match kind {
                ComponentKind::Policy => {
                    policy_index += 1;
                    if policy_index > n_own
                        && let Some(Organisation { path, .. }) = &self.organisation
                    {
                        // Files that it names lie beside its own.
                        self.folder = path.parent().map(Path::to_owned).unwrap_or_default();
                    }
                    format!("policy.{}", policy_index - 1)
                }
                ComponentKind::OneShotStrategy => "strategy".to_owned(),
                kind => kind.name().to_owned(),
            };
            configs.push(self.check_component(&key, kind, name, config));
        }
        self.folder = run_folder;
        configs
    }

    fn check_component(
        &mut self,
        key: &str,
        kind: ComponentKind,
        name: &str,
        config: &Map<String, Value>,
    ) -> Value {
        let registry = Arc::clone(&self.registry);
        let known = match registry.find(kind, name) {
            Ok(known) => known,
            Err(error) => {
                self.problems.push(Problem::new(&format!("{key}.name"), error.to_string()));
                return Value::Null;
            }
        };
        let mut value = match check_config(&known.info, config) {
            Ok(value) => value,
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|problem| Problem {
                    key: format!("{key}{}", problem.pointer.replace('/', ".")),
                    message: problem.message,
                    expected: problem.expected,
                    nearest: problem.nearest,
                }));
                return Value::Null;
            }
        };
        match read_config_files(&known.info, &mut value, &self.folder) {
            Ok(files) => self.files.extend(files),
            Err(error) => self.problems.push(Problem::new(key, error.to_string())),
        }
        value
    }

    fn prepare_data(&mut self, settings: &Settings) -> Option<(Option<DataSummary>, Usage)> {
        let Some(config) = &settings.data else { return Some((None, Usage::default())) };
        match prepare_data(config) {
            Ok((summary, usage)) => {
                let batch = settings.training.recipe.batch_size;
                let images =
                    (summary.train.images as f64 * settings.training.data_fraction) as usize;
                if batch > images {
                    let text =
                        format!("a batch of {batch} is larger than the {images} training images");
                    let expected = format!("1 to {images}");
                    let problem = Problem::new("training.batch_size", text).expecting(expected);
                    self.problems.push(problem);
                }
                let found = summary.duplicates_across_splits;
                if let Some(most) = config.max_duplicates
                    && found > most
                {
                    let text = format!("{found} images are in more than one split");
                    let expected = format!("at most {most}; remove the copies from the source");
                    self.problems.push(Problem::new("data", text).expecting(expected));
                }
                Some((Some(summary), usage))
            }
            Err(error) => {
                self.problems.push(Problem::new("data", error.to_string()));
                None
            }
        }
    }

    /// How large the networks are that are trained in trials.
    pub(super) fn scale(&self, settings: &Settings, data: Option<&DataSummary>) -> Scale {
        Scale {
            input: Shape(data.map_or_else(|| vec![3, 32, 32], |data| data.shape.clone())),
            classes: data.map_or(10, |data| data.classes.len()),
            channels: settings.space.channels,
            cells: settings.space.cells,
            auxiliary_head: settings.space.auxiliary_head,
            role: Role::Final,
        }
    }
}
