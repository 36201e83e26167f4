//! `darts-pt`: DARTS, then selection by perturbation.
//!
//! Architecture weights say little about what an operation contributes. So after the search each
//! edge is decided by removing one operation at a time from the supernet: the one whose removal
//! hurts most stays, alone and with weight 1. Edges come in random order, one of every kind of cell
//! at a time, and the supernet is tuned in between. Then the inputs of the nodes are decided alike.
//!
//! # Source
//! Wang, Cheng, Chen, Tang, Hsieh. Rethinking architecture selection in differentiable NAS. ICLR
//! 2021; `ruocwang/darts-pt@c31e376`: sota/cnn/projection.py, sota/cnn/train_search.py (an interval
//! of 10 epochs, a tenth of the learning rate).
//! Differs: the loss decides where accuracies are equal; the network's momentum is not cleared
//! before tuning; no epoch follows the last decision. `search_only` candidates take part in the
//! mixture until their edge is decided, but are never what stays.

use nas_plugin_api::component::{Command, Edit, Mixture, Need, Report, Split};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::serde::{Deserialize, Serialize};
use nas_plugin_api::template::ChoiceIndex;
use nas_plugin_api::toolkit::picks::{limits, selectable};
use nas_plugin_api::toolkit::rng::IndexedRandom;

use crate::alpha::AlphaSettings;
use crate::darts::{Darts, DartsConfig};
use crate::discretize::strongest_edges;
use crate::method::{Method, Schedule};
use crate::relaxation::Relaxation;
use crate::search::Search;
use crate::stages::drop_edits;
use crate::structure::{Kind, Structure};
use crate::weight_training::WeightTraining;

nas_plugin_api::configuration! {
    /// What an operation's removal is judged by.
    pub enum Criterion {
        /// The fall of the validation accuracy.
        Accuracy,
        /// The rise of the validation loss.
        Loss,
    }
}

nas_plugin_api::configuration! {
    /// Settings of DARTS with selection by perturbation; the defaults are the published search.
    pub struct DartsPtConfig {
        /// Epochs of tuning between two decisions; 0 decides everything at once.
        pub interval: u32 = 10_u32,
        /// What a removal is judged by.
        pub criterion: Criterion = Criterion::Accuracy,
        /// Validation batches of one evaluation; 0 means all.
        pub evaluation_batches: u32 = 0_u32,
        /// The learning rate of tuning begins at this share of the search's.
        #[schemars(range(min = 0.0))]
        pub tuning_rate: f64 = 0.1,
        /// 1: the gradient of the validation loss. 2: the same after one virtual step of the
        /// network weights (unrolled).
        #[schemars(range(min = 1, max = 2))]
        pub order: u8 = 1_u8,
        /// Epochs of the search; those of tuning follow.
        #[schemars(range(min = 1))]
        pub epochs: u32 = 50_u32,
        /// Most steps of one epoch; 0 means all batches.
        pub steps_per_epoch: u32 = 0_u32,
        /// Examples of one step; 0 means what the training recipe says.
        pub batch_size: u32 = 64_u32,
        /// The network weights' learning rate in the first epoch; it falls by a cosine.
        #[schemars(range(min = 0.0))]
        pub learning_rate: f64 = 0.025,
        /// What that learning rate falls to.
        #[schemars(range(min = 0.0))]
        pub min_learning_rate: f64 = 0.001,
        /// The network weights' momentum.
        #[schemars(range(min = 0.0, max = 1.0))]
        pub momentum: f64 = 0.9,
        /// The network weights' decay.
        #[schemars(range(min = 0.0))]
        pub weight_decay: f64 = 3e-4,
        /// Largest norm of the network weights' gradient; 0 means no limit.
        #[schemars(range(min = 0.0))]
        pub gradient_clip: f64 = 5.0,
        /// Adam's learning rate for the architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_learning_rate: f64 = 3e-4,
        /// Adam's betas for the architecture weights.
        pub alpha_betas: [f64; 2] = [0.5, 0.999],
        /// The architecture weights' decay, added to their gradient.
        #[schemars(range(min = 0.0))]
        pub alpha_weight_decay: f64 = 1e-3,
        /// Standard deviation of the first architecture weights.
        #[schemars(range(min = 0.0))]
        pub alpha_deviation: f64 = 1e-3,
    }
}

/// DARTS with selection by perturbation.
pub struct DartsPt {
    config: DartsPtConfig,
    /// The search before the decisions.
    darts: Darts,
    tuning_epochs: u32,
}

/// How far the decisions are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(crate = "nas_plugin_api::serde", default)]
pub struct Decisions {
    /// Choices that are decided.
    decided: Vec<ChoiceIndex>,
    /// Choices of this round that are not.
    round: Vec<ChoiceIndex>,
    /// Rounds begun.
    rounds: u32,
    /// The choice whose evaluation is awaited, and the paths that were taken out, one each.
    awaited: Option<(ChoiceIndex, Vec<usize>)>,
}

impl Method for DartsPt {
    const NAME: &'static str = "darts-pt";
    const SUMMARY: &'static str =
        "DARTS, then on every edge the operation whose removal hurts most (perturbation)";
    type Config = DartsPtConfig;
    type Progress = Decisions;

    fn new(config: DartsPtConfig, structure: &Structure) -> Result<Self, PluginError> {
        let darts = DartsConfig {
            order: config.order,
            epochs: config.epochs,
            steps_per_epoch: config.steps_per_epoch,
            batch_size: config.batch_size,
            learning_rate: config.learning_rate,
            min_learning_rate: config.min_learning_rate,
            momentum: config.momentum,
            weight_decay: config.weight_decay,
            gradient_clip: config.gradient_clip,
            alpha_learning_rate: config.alpha_learning_rate,
            alpha_betas: config.alpha_betas,
            alpha_weight_decay: config.alpha_weight_decay,
            alpha_deviation: config.alpha_deviation,
            ..DartsConfig::default()
        };
        let darts = Darts::new(darts, structure)?;
        let n_intervals = n_rounds(structure).saturating_sub(1);
        let tuning_epochs = config.interval.saturating_mul(n_intervals);
        Ok(Self { config, darts, tuning_epochs })
    }

    fn schedule(&self) -> Schedule {
        let schedule = self.darts.schedule();
        Schedule { epochs: schedule.epochs.saturating_add(self.tuning_epochs), ..schedule }
    }

    fn alpha_settings(&self) -> AlphaSettings {
        self.darts.alpha_settings()
    }

    fn relaxation(&self, _: u32) -> Relaxation {
        Relaxation::Softmax
    }

    fn between_epochs(
        &self,
        structure: &Structure,
        search: &mut Search<Decisions>,
        report: &Report,
    ) -> Result<Option<Command>, PluginError> {
        if let Some((choice, paths)) = search.progress.awaited.take() {
            let order = self.most_missed_first(&paths, report)?;
            return Ok(decide(structure, search, choice, &order));
        }
        if search.progress.round.is_empty() {
            let waited = self.config.interval.saturating_mul(search.progress.rounds);
            let due = self.config.epochs.saturating_add(waited);
            if search.epoch < due {
                return Ok(None);
            }
            let undecided = undecided(structure, &search.progress.decided);
            for group in groups(structure, &undecided) {
                search.progress.round.extend(group.choose(&mut search.rng).copied());
            }
            search.progress.rounds += u32::from(!search.progress.round.is_empty());
        }
        let Some(choice) = search.progress.round.pop() else {
            return Ok(None);
        };
        let paths = present(structure, search, choice);
        if paths.len() <= n_kept(structure, choice) {
            return match decide(structure, search, choice, &paths) {
                Some(command) => Ok(Some(command)),
                None => self.between_epochs(structure, search, report),
            };
        }
        let mixtures = paths.iter().map(|&path| without(structure, search, path)).collect();
        search.progress.awaited = Some((choice, paths));
        let batches = self.config.evaluation_batches;
        Ok(Some(Command::Evaluate { mixtures, split: Split::Validation, batches, recalibrate: 0 }))
    }

    fn begin_epoch(&self, _: &Structure, search: &mut Search<Decisions>) -> Vec<Edit> {
        let training = self.darts.training();
        let settings = match search.epoch.checked_sub(self.config.epochs) {
            None => training.settings(search.epoch, self.config.epochs),
            Some(epoch) => {
                let learning_rate = self.config.tuning_rate * training.learning_rate;
                let tuning = WeightTraining { learning_rate, ..training };
                tuning.settings(epoch, self.tuning_epochs)
            }
        };
        vec![Edit::Training(settings)]
    }

    fn picks(&self, structure: &Structure, search: &Search<Decisions>) -> Vec<Vec<usize>> {
        strongest_edges(structure, &search.strengths(structure, Relaxation::Softmax))
    }
}

impl DartsPt {
    /// The paths in falling order of what their removal costs; of equals the first.
    fn most_missed_first(
        &self,
        paths: &[usize],
        report: &Report,
    ) -> Result<Vec<usize>, PluginError> {
        let n = paths.len();
        if report.accuracies.len() != n || report.losses.len() != n {
            return Err(PluginError::internal(format!(
                "compare {n} operations: the evaluation has {} accuracies and {} losses",
                report.accuracies.len(),
                report.losses.len()
            )));
        }
        let harm = |place: usize| {
            let (fall, rise) = (-report.accuracies[place], report.losses[place]);
            match self.config.criterion {
                Criterion::Accuracy => (fall, rise),
                Criterion::Loss => (rise, fall),
            }
        };
        let mut places: Vec<usize> = (0..n).collect();
        places.sort_by(|&a, &b| {
            let (a, b) = (harm(a), harm(b));
            b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
        });
        Ok(places.into_iter().map(|place| paths[place]).collect())
    }
}

/// Keeps the first of these paths, as many as a genotype picks, and drops every other of the
/// choice.
fn decide(
    structure: &Structure,
    search: &mut Search<Decisions>,
    choice: ChoiceIndex,
    order: &[usize],
) -> Option<Command> {
    let kept: Vec<usize> = order.iter().copied().take(n_kept(structure, choice)).collect();
    let is_lost = |path: &usize| !kept.contains(path) && !search.alpha.dropped()[*path];
    let lost: Vec<usize> = structure.layout.paths(choice).filter(is_lost).collect();
    search.alpha.drop_paths(&lost);
    search.alpha.settle(&kept);
    search.progress.decided.push(choice);
    let edits = drop_edits(structure, &lost);
    (!edits.is_empty()).then_some(Command::Edit(edits))
}

/// The supernet's mixture with one path taken out; the others keep their weights.
fn without(structure: &Structure, search: &Search<Decisions>, path: usize) -> Mixture {
    let numbers = search.alpha.numbers();
    let mut mixture = crate::mixing::mean(structure, &search.alpha, Relaxation::Softmax, &numbers);
    for need in &mut mixture.needs {
        if *need == Need::ForwardGrad {
            *need = Need::Forward;
        }
    }
    (mixture.weights[path], mixture.needs[path]) = (0.0, Need::Skip);
    mixture
}

/// The paths of a choice that are still there and that a genotype may pick.
fn present(structure: &Structure, search: &Search<Decisions>, choice: ChoiceIndex) -> Vec<usize> {
    let start = structure.layout.paths(choice).start;
    let paths = selectable(&structure.space, choice).into_iter().map(|path| start + path);
    paths.filter(|&path| !search.alpha.dropped()[path]).collect()
}

/// How many paths of a choice stay: one operation or number, as many inputs as a node may keep.
fn n_kept(structure: &Structure, choice: ChoiceIndex) -> usize {
    let (min, max) = limits(&structure.space, choice);
    match structure.kind(choice) {
        Kind::Operation | Kind::Number => 1_usize.clamp(min, max),
        Kind::Edges | Kind::OtherInputs => max,
    }
}

/// The choices to decide next: operations and numbers as long as there are any, then nodes.
fn undecided(structure: &Structure, decided: &[ChoiceIndex]) -> Vec<ChoiceIndex> {
    let open = structure.choices().filter(|choice| !decided.contains(choice));
    let (operations, nodes): (Vec<_>, Vec<_>) =
        open.partition(|&choice| structure.node(choice).is_none());
    if !operations.is_empty() {
        return operations;
    }
    let is_open =
        |&choice: &ChoiceIndex| structure.layout.paths(choice).len() > n_kept(structure, choice);
    nodes.into_iter().filter(is_open).collect()
}

/// Choices by what their ids begin with (the kind of cell).
fn groups(structure: &Structure, choices: &[ChoiceIndex]) -> Vec<Vec<ChoiceIndex>> {
    let name = |choice: ChoiceIndex| structure.id(choice).split_once('/').map_or("", |id| id.0);
    let mut found: Vec<Vec<ChoiceIndex>> = Vec::new();
    for &choice in choices {
        match found.iter_mut().find(|group| name(group[0]) == name(choice)) {
            Some(group) => group.push(choice),
            None => found.push(vec![choice]),
        }
    }
    found
}

/// How many rounds it takes to decide everything.
fn n_rounds(structure: &Structure) -> u32 {
    let longest = |choices: &[ChoiceIndex]| {
        groups(structure, choices).iter().map(Vec::len).max().unwrap_or(0) as u32
    };
    let operations = undecided(structure, &[]);
    let all_operations: Vec<ChoiceIndex> =
        structure.choices().filter(|&choice| structure.node(choice).is_none()).collect();
    let nodes = undecided(structure, &all_operations);
    match all_operations.is_empty() {
        true => longest(&nodes),
        false => longest(&operations) + longest(&nodes),
    }
}
