//! The part of preparing that only runs on inherited weights have.

use std::path::{Path, PathBuf};

use nas_plugin_api::component::ComponentKind;
use nas_plugin_api::measurement::names;
use nas_plugin_api::template::{Role, Scale};
use serde_json::{Map, Value};

use super::preparation::Preparation;
use super::{Problem, RunFolder};
use crate::digest::sha256_of;
use crate::journal::{Journal, RunHistory};
use crate::network::NetworkSpace;
use crate::one_shot::checkpoint_folder;
use crate::plugin::check_config;
use crate::protocol::InheritedWeights;
use crate::protocol::data::DataSummary;
use crate::settings::{ComponentSettings, InheritSettings, Settings, SpaceSettings};

/// What the networks of a run inherit.
pub(super) struct PreparedInherit {
    /// The networks at the scale of the supernet, in their form for a search.
    pub(super) space: NetworkSpace,
    /// The supernet's weights.
    pub(super) inherited: InheritedWeights,
}

/// What is measured of a network that inherits its weights.
pub(super) fn delivers() -> Vec<String> {
    let of_training = [names::TRAIN_LOSS, names::TRAIN_ACCURACY, names::TRAIN_SECONDS];
    let without = |name: &&str| !of_training.contains(name) && *name != names::HOLDOUT_ACCURACY;
    names::ALL.into_iter().filter(without).map(str::to_owned).collect()
}

/// The one-shot run that networks inherit from.
struct Source {
    folder: RunFolder,
    settings: Settings,
    history: RunHistory,
}

impl Preparation {
    /// Checks that weights of another run fit this one; notes in the settings which ones they are.
    pub(super) fn prepare_inherit(
        &mut self,
        settings: &mut Settings,
        (operations, space): (Value, Value),
        trained_space: &NetworkSpace,
        data: Option<&DataSummary>,
    ) -> Option<PreparedInherit> {
        let mut inherit = settings.inherit.clone()?;
        let found = self.source(settings, &inherit).and_then(|source| {
            self.compare(settings, &source, data)?;
            let weights = weights(&source, &mut inherit)?;
            Ok((source, weights))
        });
        let (source, weights) =
            found.map_err(|problem| self.problems.push(problem.within("inherit"))).ok()?;
        let supernet = source.settings.supernet.unwrap_or_default();
        let scale = Scale {
            channels: supernet.channels.or(source.settings.space.channels),
            cells: supernet.cells.or(source.settings.space.cells),
            auxiliary_head: false,
            role: Role::Search,
            ..self.scale(settings, data)
        };
        let space = self.make_space(settings, operations, space, scale)?;
        if space.space().template().choices != trained_space.space().template().choices {
            let text = "the space offers other choices at the scale of the supernet than at that \
                        of `[space]`";
            let expected = "`cells` and `channels` as in the run that trained the supernet";
            self.problems.push(Problem::new("inherit", text).expecting(expected));
            return None;
        }
        let inherited =
            InheritedWeights { weights, recalibration_batches: inherit.recalibration_batches };
        inherit.run = absolute(source.folder.path());
        settings.inherit = Some(inherit);
        Some(PreparedInherit { space, inherited })
    }

    fn source(&self, settings: &Settings, inherit: &InheritSettings) -> Result<Source, Problem> {
        let wrong = |text: String| Problem::new("run", text);
        let name = inherit.run.to_string_lossy();
        let folder = RunFolder::open(&name, &settings.execution.runs)
            .map_err(|error| wrong(error.to_string()))?;
        let history = Journal::read_only(folder.path())
            .and_then(|journal| journal.history())
            .map_err(|error| wrong(error.to_string()))?;
        let of_source: Settings = serde_json::from_value(history.settings.clone())
            .map_err(|error| wrong(format!("the settings of `{name}` can't be read: {error}")))?;
        let kind = self.registry.strategy_kind(&of_source.strategy.name, true);
        if kind != ComponentKind::OneShotStrategy {
            let strategy = &of_source.strategy.name;
            let text = format!("`{name}` trained no supernet: its strategy is `{strategy}`");
            return Err(wrong(text).expecting("a run of a one-shot strategy, such as `spos`"));
        }
        Ok(Source { folder, settings: of_source, history })
    }

    /// Refuses what would make inherited weights meaningless.
    fn compare(
        &self,
        settings: &Settings,
        source: &Source,
        data: Option<&DataSummary>,
    ) -> Result<(), Problem> {
        let theirs = &source.settings;
        let name = source.folder.name();
        let differs = |what: &str, ours: String, theirs: String| {
            let text = format!("`{name}` has other {what}: {theirs}; this run has {ours}");
            Err(Problem::new("run", text).expecting("the same operations, space and data"))
        };
        let [ours, other] = [settings, theirs].map(|settings| {
            let ComponentSettings { name, config, .. } = &settings.operations;
            self.written(ComponentKind::Operations, name, config)
        });
        if ours != other {
            return differs("operations", ours, other);
        }
        let [ours, other] = [settings, theirs].map(|settings| {
            let SpaceSettings { name, config, .. } = &settings.space;
            self.written(ComponentKind::Space, name, config)
        });
        if ours != other {
            return differs("choices in its space", ours, other);
        }
        let trained_on = source.history.start.as_ref().and_then(|start| start.data.as_ref());
        let digests = |data: Option<&DataSummary>| {
            data.map_or_else(String::new, |data| {
                format!("{} and {}", &data.train.sha256, &data.validation.sha256)
            })
        };
        let [ours, other] = [data, trained_on].map(digests);
        if ours != other {
            // A search that judges by images its weights were trained on would judge itself.
            return differs("training or validation images (sha256)", ours, other);
        }
        Ok(())
    }

    /// A component with all of its settings, in words.
    fn written(&self, kind: ComponentKind, name: &str, config: &Map<String, Value>) -> String {
        let known = self.registry.find(kind, name).ok();
        let whole = known.and_then(|known| check_config(&known.info, config).ok());
        let config = whole.unwrap_or_else(|| Value::Object(config.clone()));
        format!("`{name}` with {config}")
    }
}

/// The checkpoint, whose epoch and digest become part of the settings.
fn weights(source: &Source, inherit: &mut InheritSettings) -> Result<PathBuf, Problem> {
    let name = source.folder.name();
    let search = &source.history.search;
    let epoch = match inherit.epoch {
        Some(epoch) => search.epoch(epoch).ok_or_else(|| {
            let text = format!("`{name}` has no epoch {epoch}");
            let last = search.last().map_or(0, |last| last.checkpoint.epoch);
            Problem::new("epoch", text).expecting(format!("0 to {last}"))
        })?,
        None => search.last().ok_or_else(|| {
            Problem::new("run", format!("`{name}` ended no epoch of its search"))
                .expecting("a run whose search came further")
        })?,
    };
    let checkpoint = &epoch.checkpoint;
    let path = checkpoint_folder(source.folder.path()).join(&checkpoint.file);
    let found = sha256_of(&path).map_err(|error| {
        let text = format!("the weights of epoch {} of `{name}`: {error}", checkpoint.epoch);
        Problem::new("epoch", text)
            .expecting("one of its last epochs; older weights are removed (keep_checkpoints)")
    })?;
    let expected = inherit.sha256.as_ref().unwrap_or(&checkpoint.sha256);
    if found != *expected || found != checkpoint.sha256 {
        let text =
            format!("`{}` has sha256 {found}, not {expected}: it was changed", path.display());
        return Err(Problem::new("run", text).expecting("the file as its run wrote it"));
    }
    inherit.epoch = Some(checkpoint.epoch);
    inherit.sha256 = Some(found);
    Ok(absolute(&path))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
