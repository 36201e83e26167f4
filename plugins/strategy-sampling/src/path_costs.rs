//! What networks of the supernet cost.

use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::{Active, Space};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;

/// What the core says of costs, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathCosts<'a> {
    /// One per path.
    pub(crate) paths: &'a [f64],
    /// Of everything that is not chosen.
    pub(crate) fixed: f64,
}

impl<'a> PathCosts<'a> {
    /// # Errors
    /// Costs that are absent or not finite; `setting` is what asked for them.
    pub(crate) fn new(
        paths: &'a [f64],
        fixed: f64,
        layout: &MixtureLayout,
        setting: &str,
    ) -> Result<Self, PluginError> {
        let usable = paths.len() == layout.n_paths();
        if !usable || !fixed.is_finite() || !paths.iter().all(|cost| cost.is_finite()) {
            return Err(PluginError::unsupported(format!(
                "know what paths cost, which `{setting}` needs: {} finite costs are expected",
                layout.n_paths()
            ))
            .with_help(format!("leave `{setting}` out to search without costs")));
        }
        Ok(Self { paths, fixed })
    }

    /// What a genotype costs: everything fixed and the paths that it selects, where they matter.
    pub(crate) fn of(
        &self,
        space: &Space,
        layout: &MixtureLayout,
        genotype: &Genotype,
        active: &mut Active,
    ) -> f64 {
        space.read_active(genotype, active);
        let chosen = active.choices().flat_map(|choice| {
            let start = layout.paths(choice).start;
            let selection = space.selection(choice, genotype.0[choice]);
            selection.iter().map(move |&member| self.paths[start + member])
        });
        self.fixed + chosen.sum::<f64>()
    }
}
