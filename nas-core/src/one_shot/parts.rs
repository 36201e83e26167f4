//! What a one-shot search is made of, created from a job alone: this runs in the worker.

use nas_plugin_api::component::{OneShotStrategy, StrategyContext};
use nas_plugin_api::template::{Role, Scale};

use crate::network::{NetworkError, NetworkSpace, OperationGraphs};
use crate::plugin::{Pinned, PluginLoadError};
use crate::protocol::one_shot::OneShotJob;

/// The components of a one-shot search.
pub struct OneShotParts {
    /// The strategy, created for [`Self::space`].
    pub strategy: Box<dyn OneShotStrategy>,
    /// The space at the job's scale, its operations those of a search.
    pub space: NetworkSpace,
    operations_source: Pinned,
    space_source: Pinned,
    scale: Scale,
}

/// Why there are no such components.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// A component can't be loaded or created.
    #[error("failed to {0}")]
    Plugin(#[from] PluginLoadError),
    /// Space and operations make no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A number of cells or channels that can't be.
    #[error("build a supernet of {cells:?} cells and {channels:?} channels: at least 1 is needed")]
    Scale {
        /// Cells, or cells a stage.
        cells: Option<u32>,
        /// Channels of the first stage.
        channels: Option<u32>,
    },
}

impl OneShotParts {
    /// Loads the libraries that the job names, checked by their digests, and creates its
    /// components. Those without a library are looked for in this program.
    ///
    /// # Errors
    /// A library that changed or can't be loaded, a component that refuses its configuration, a
    /// space and operations that do not go together.
    pub fn load(job: &OneShotJob) -> Result<Self, PartsError> {
        let cache = &job.plugin_cache;
        let operations_source = Pinned::open(cache, &job.operations)?;
        let space_source = Pinned::open(cache, &job.space)?;
        let space = network_space(&operations_source, &space_source, &job.scale)?;
        let context = StrategyContext {
            space: space.space().clone(),
            seed: job.seed,
            objectives: job.objectives.clone(),
            fidelity: job.fidelity,
            proxies: Vec::new(),
            untrained_share: 0.0,
        };
        let strategy = Pinned::open(cache, &job.strategy)?.one_shot_strategy(&context)?;
        let scale = job.scale.clone();
        Ok(Self { strategy, space, operations_source, space_source, scale })
    }

    /// The space at another scale, as [`nas_plugin_api::component::Edit::Rescale`] wants it; its
    /// choices are the same. Absent means as in the job, not as after the last edit: what the edit
    /// leaves open is for the caller to fill in.
    ///
    /// # Errors
    /// A space that can't be made so large or so small.
    pub fn at_scale(
        &self,
        cells: Option<u32>,
        channels: Option<u32>,
    ) -> Result<NetworkSpace, PartsError> {
        if cells == Some(0) || channels == Some(0) {
            return Err(PartsError::Scale { cells, channels });
        }
        let scale = Scale {
            cells: cells.map(|cells| cells as usize).or(self.scale.cells),
            channels: channels.map(|channels| channels as usize).or(self.scale.channels),
            ..self.scale.clone()
        };
        network_space(&self.operations_source, &self.space_source, &scale)
    }
}

fn network_space(
    operations: &Pinned,
    space: &Pinned,
    scale: &Scale,
) -> Result<NetworkSpace, PartsError> {
    let (operations, space) = (OperationGraphs::new(operations.operations()?), space.space()?);
    Ok(NetworkSpace::new(space.as_ref(), operations, scale, Role::Search)?)
}
