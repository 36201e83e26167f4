//! A run as its journal tells it, with the space that its genotypes are written in.

use std::path::PathBuf;
use std::sync::Arc;

use nas_core::journal::{Journal, JournalError, Recorded, RunHistory};
use nas_core::launch::RunFolder;
use nas_core::plugin::Registry;
use nas_core::settings::Settings;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::objective::{Objective, violation};
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::pareto::fronts;
use nas_plugin_api::trial::{Outcome, TrialId};

use crate::components;
use crate::network_space::network_space;

/// A run that was read.
pub(crate) struct RunView {
    /// Its folder.
    pub(crate) folder: RunFolder,
    /// What its events add up to.
    pub(crate) history: RunHistory,
    /// The settings in force; absent in a run of another version that this one can't read.
    pub(crate) settings: Option<Settings>,
    /// When its first event was written, in milliseconds since 1970.
    pub(crate) began_ms: Option<u64>,
    /// When its last event was written.
    pub(crate) last_ms: Option<u64>,
    space: Option<Space>,
    objectives: Vec<Objective>,
}

impl RunView {
    /// Reads a run's journal, also while the run is under way.
    ///
    /// The words of its genotypes come from the plugins that it used; without them, genotypes are
    /// shown as numbers.
    ///
    /// # Errors
    /// A journal that can't be read.
    pub(crate) fn read(folder: RunFolder) -> Result<Self, JournalError> {
        let mut view = Self::read_without_plugins(folder)?;
        if let (Some(settings), Ok(registry)) = (&view.settings, components::registry()) {
            (view.space, view.objectives) = describe(settings, &view.history, &registry);
        }
        Ok(view)
    }

    /// The same without the words that only plugins know.
    ///
    /// # Errors
    /// A journal that can't be read.
    pub(crate) fn read_without_plugins(folder: RunFolder) -> Result<Self, JournalError> {
        let mut history = RunHistory::default();
        let (mut began_ms, mut last_ms) = (None, None);
        for recorded in Journal::read_only(folder.path())?.events() {
            let Recorded { time_ms, event, .. } = recorded?;
            history.apply(&event);
            began_ms.get_or_insert(time_ms);
            last_ms = Some(time_ms);
        }
        let settings: Option<Settings> = serde_json::from_value(history.settings.clone()).ok();
        let (space, objectives) = (None, Vec::new());
        Ok(Self { folder, history, settings, began_ms, last_ms, space, objectives })
    }

    /// The genotype's text, or its numbers where the space is not known.
    pub(crate) fn text(&self, genotype: &Genotype) -> String {
        match self.space.as_ref().filter(|space| space.check(genotype).is_ok()) {
            Some(space) => space.text(genotype),
            None => format!("{:?}", genotype.0),
        }
    }

    /// The genotype's fingerprint, where the space is known.
    pub(crate) fn fingerprint(&self, genotype: &Genotype) -> Option<String> {
        let space = self.space.as_ref().filter(|space| space.check(genotype).is_ok())?;
        Some(space.fingerprint(genotype))
    }

    /// The objectives, as far as they are known; the first one is what trials are compared by.
    pub(crate) fn objective(&self, index: usize) -> Objective {
        self.objectives.get(index).cloned().unwrap_or_else(|| match index {
            0 => Objective::maximize("score"),
            index => Objective::maximize(&format!("objective {}", index + 1)),
        })
    }

    /// How many objectives there are, as far as they are known.
    pub(crate) fn n_objectives(&self) -> usize {
        self.objectives.len()
    }

    /// Trials with a result of their own that is within all limits and that no other one is better
    /// than in every objective; the best in the first objective first.
    pub(crate) fn front(&self) -> Vec<TrialId> {
        let ranked = self.ranked();
        let gains: Vec<Vec<f64>> = ranked.iter().map(|trial| self.gains(*trial)).collect();
        let first = fronts(&gains).into_iter().next().unwrap_or_default();
        first.into_iter().map(|place| ranked[place]).collect()
    }

    fn gains(&self, trial: TrialId) -> Vec<f64> {
        let values = self.history.results.get(&trial).map(|result| &result.objectives);
        let values = values.map(Vec::as_slice).unwrap_or_default();
        let gain = |(index, objective): (usize, &Objective)| {
            values.get(index).map_or(f64::NEG_INFINITY, |value| objective.gain(*value))
        };
        self.objectives.iter().enumerate().map(gain).collect()
    }

    /// Trials with a result of their own that is within the objectives' limits, best first.
    pub(crate) fn ranked(&self) -> Vec<TrialId> {
        let objective = self.objective(0);
        let mut ranked: Vec<(f64, TrialId)> = self
            .history
            .results
            .iter()
            .filter(|(_, result)| result.outcome == Outcome::Finished)
            .filter(|(_, result)| violation(&self.objectives, &result.objectives) == 0.0)
            .filter_map(|(trial, result)| {
                Some((objective.gain(*result.objectives.first()?), *trial))
            })
            .collect();
        ranked.sort_by(|(a, first), (b, second)| b.total_cmp(a).then(first.cmp(second)));
        ranked.into_iter().map(|(_, trial)| trial).collect()
    }

    /// The best trial: the journal's word where the run has ended, else the best so far.
    pub(crate) fn champion(&self) -> Option<TrialId> {
        match &self.history.stop {
            Some(stop) => stop.champion,
            None => self.ranked().first().copied(),
        }
    }

    /// Whether a person said that the run must not go on.
    pub(crate) fn is_denied(&self) -> bool {
        self.history.decision.as_ref().is_some_and(|decision| !decision.granted)
    }

    /// The log of a trial, if it has one.
    pub(crate) fn trial_log(&self, trial: TrialId) -> Option<PathBuf> {
        let path = nas_core::executor::trial_log(self.folder.path(), trial);
        path.is_file().then_some(path)
    }

    /// The kept weights of a trial, if there are any.
    pub(crate) fn weights(&self, trial: TrialId) -> Option<PathBuf> {
        let path = nas_core::search::Training::weights(self.folder.path(), trial);
        path.is_file().then_some(path)
    }
}

fn describe(
    settings: &Settings,
    history: &RunHistory,
    registry: &Arc<Registry>,
) -> (Option<Space>, Vec<Objective>) {
    let data = history.start.as_ref().and_then(|start| start.data.as_ref());
    let space = network_space(&settings.operations, &settings.space, data, registry)
        .ok()
        .map(|made| made.space().clone());
    let config = serde_json::Value::Object(settings.fitness.config.clone());
    let objectives = registry
        .fitness(&settings.fitness.name, &config)
        .map(|fitness| fitness.objectives())
        .unwrap_or_default();
    (space, objectives)
}
