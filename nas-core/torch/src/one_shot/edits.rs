//! What the edits of a strategy make of the supernet.

use nas_core::network::{self, NetworkSpace};
use nas_core::one_shot::PathCost;
use nas_core::protocol::one_shot::OneShotJob;
use nas_plugin_api::component::Edit;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use tch::{Device, Kind};

use super::form::Form;
use super::latencies::Latencies;
use super::search::Searcher;
use super::widen::widen;
use super::{SearchError, Supervisor};
use crate::network::Options;
use crate::random::Random;
use crate::supernet::{Settings, Supernet};

/// Stream of the seeds of new weights.
pub(super) const WEIGHTS: u64 = 1 << 40;

impl<S: Supervisor> Searcher<'_, S> {
    pub(super) fn edit(&mut self, edits: &[Edit]) -> Result<(), SearchError> {
        for edit in edits {
            match edit {
                Edit::DropPaths { choice, paths } => self.drop_paths(*choice, paths)?,
                Edit::Rescale { cells, channels } => {
                    self.form.cells = cells.or(self.form.cells);
                    self.form.channels = channels.or(self.form.channels);
                    self.begin_anew()?;
                }
                Edit::Reinitialize => self.begin_anew()?,
                Edit::ChannelFraction { one_in } => {
                    if *one_in == 0 {
                        return Err(self.command_error("wants one in 0 channels".into()));
                    }
                    if *one_in != self.form.one_in {
                        self.form.one_in = *one_in;
                        let mut wide = self.build()?;
                        let seed = self.weights_seed();
                        widen(&self.supernet, &mut wide, seed)?;
                        self.supernet = wide;
                    }
                }
                Edit::SkipDropout { probability } => {
                    self.form.settings.skip_dropout = self.probability(*probability)?;
                }
                Edit::DropPath { probability } => {
                    self.form.settings.drop_path = self.probability(*probability)?;
                }
                Edit::Training(changes) => self.form.settings.change(changes),
                other => {
                    let what = format!("wants the edit {other:?}, which this worker does not know");
                    return Err(self.command_error(what));
                }
            }
        }
        self.supernet.set(self.form.settings_with(self.weight_decay_factor));
        Ok(())
    }

    fn drop_paths(&mut self, choice: u32, paths: &[u32]) -> Result<(), SearchError> {
        let layout = MixtureLayout::new(self.space());
        let choice = choice as usize;
        if choice >= layout.n_choices() {
            return Err(self.command_error(format!(
                "drops paths of choice {choice}, but there are {}",
                layout.n_choices()
            )));
        }
        let range = layout.paths(choice);
        for &path in paths {
            let at = range.start + path as usize;
            if at >= range.end {
                return Err(self.command_error(format!(
                    "drops path {path} of a choice that has {}",
                    range.len()
                )));
            }
            self.form.dropped.insert(at);
        }
        Ok(())
    }

    fn probability(&self, probability: f64) -> Result<f64, SearchError> {
        match (0.0..1.0).contains(&probability) {
            true => Ok(probability),
            false => Err(self.command_error(format!(
                "wants a dropout of {probability}; it is at least 0 and below 1"
            ))),
        }
    }

    /// New weights, and an optimiser that has seen nothing.
    fn begin_anew(&mut self) -> Result<(), SearchError> {
        self.form.beginnings += 1;
        self.supernet = self.build()?;
        Ok(())
    }

    fn weights_seed(&self) -> u64 {
        Random::new(self.job.seed, WEIGHTS + self.form.beginnings).next()
    }

    /// A supernet of the form that edits have made.
    pub(super) fn build(&mut self) -> Result<Supernet, SearchError> {
        self.build_with(Options::on(self.device))
    }

    fn build_with(&mut self, options: Options) -> Result<Supernet, SearchError> {
        let other: NetworkSpace;
        let Form { cells, channels, one_in, .. } = &self.form;
        let space = match (cells, channels) {
            (None, None) => &self.parts.space,
            (cells, channels) => {
                other = self.parts.at_scale(*cells, *channels)?;
                &other
            }
        };
        let graph = space.supernet(*one_in as usize)?;
        (self.path_costs, self.fixed_cost) =
            costs(self.job, &self.form, space, &graph, self.device)?;
        let settings = self.form.settings_with(self.weight_decay_factor);
        let seed = self.weights_seed();
        Supernet::build(&graph, settings, seed, options).map_err(|source| self.step_error(source))
    }

    /// The supernet in 64 bits, without dropout: what small differences can be taken of.
    pub(super) fn exact_copy(&mut self) -> Result<Supernet, SearchError> {
        let options = Options { kind: Kind::Double, ..Options::on(self.device) };
        let mut exact = self.build_with(options)?;
        exact.copy_parameters(&self.supernet).map_err(|source| self.step_error(source))?;
        let settings = Settings { skip_dropout: 0.0, drop_path: 0.0, ..exact.settings().clone() };
        exact.set(settings);
        Ok(exact)
    }
}

/// What each path and everything fixed cost in a supernet of this form.
pub(super) fn costs(
    job: &OneShotJob,
    form: &Form,
    space: &NetworkSpace,
    supernet: &network::Supernet,
    device: Device,
) -> Result<(Vec<f64>, f64), SearchError> {
    Ok(match job.path_cost {
        PathCost::MultiplyAdds => (supernet.path_costs.clone(), supernet.fixed_cost),
        PathCost::Latency => {
            let file = job.checkpoints.join(form.named("latencies"));
            let Latencies { paths, fixed } = Latencies::keep(&file, space, supernet, device)?;
            (paths, fixed)
        }
    })
}
