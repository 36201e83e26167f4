//! Signals of an epoch that need the supernet.

use nas_core::one_shot::signals::{entropy, skip_share};
use nas_core::protocol::one_shot::signals::{
    DISCRETISATION_GAP, ENTROPY, HESSIAN_EIGENVALUE, SKIP_SHARE,
};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use std::collections::BTreeMap;

use super::search::Searcher;
use super::{SearchError, Supervisor};
use crate::batches::Batch;
use crate::supernet::largest_eigenvalue;

/// Validation batches on which mixture and discretised network are compared.
const GAP_BATCHES: usize = 8;
/// Products with the Hessian, two gradients each.
const LANCZOS_STEPS: usize = 12;

impl<S: Supervisor> Searcher<'_, S> {
    /// All signals that can be taken now.
    pub(super) fn signals(
        &mut self,
        alpha: &[f64],
        genotype: Option<&Genotype>,
    ) -> Result<BTreeMap<String, f64>, SearchError> {
        let mut signals = BTreeMap::new();
        let layout = MixtureLayout::new(self.space());
        let relaxed = match alpha.is_empty() {
            true => None,
            // A strategy may have no mixture without chance.
            false => self.strategy_mut().relax_at(alpha).ok(),
        };
        if let Some(mixture) = &relaxed
            && let Some(value) = entropy(&layout, mixture)
        {
            signals.insert(ENTROPY.to_owned(), value);
        }
        if let Some(genotype) = genotype {
            if let Some(value) = skip_share(self.space(), genotype) {
                signals.insert(SKIP_SHARE.to_owned(), value);
            }
            let space = self.space();
            let is_sound = space.check(genotype).is_ok();
            let discrete = is_sound.then(|| layout.single_path(space, genotype));
            if let (Some(mixture), Some(discrete)) = (&relaxed, discrete) {
                let gap =
                    self.accuracy(mixture, GAP_BATCHES)? - self.accuracy(&discrete, GAP_BATCHES)?;
                signals.insert(DISCRETISATION_GAP.to_owned(), gap);
            }
        }
        if self.wants(HESSIAN_EIGENVALUE) && relaxed.is_some() {
            signals.insert(HESSIAN_EIGENVALUE.to_owned(), self.eigenvalue(alpha)?);
        }
        Ok(signals)
    }

    /// The largest eigenvalue on one validation batch.
    ///
    /// In 64 bits: ReLUs and pools bend the loss so often that only differences too small for 32
    /// bits see the Hessian itself.
    fn eigenvalue(&mut self, alpha: &[f64]) -> Result<f64, SearchError> {
        let Batch { images, labels } = self.some_validation_batch()?;
        let mut exact = self.exact_copy()?;
        let images = exact.network().lay_out(&images)?;
        let batch = Batch { images, labels };
        let spectrum = largest_eigenvalue(alpha, LANCZOS_STEPS, &mut |point| {
            let mixture =
                self.strategy_mut().relax_at(point).map_err(|error| self.strategy_error(error))?;
            let mixture = self.without_dropped(mixture);
            let result = exact.look(&batch, &mixture).map_err(|error| self.step_error(error))?;
            self.strategy_mut()
                .pull_back_at(point, &result.gradient)
                .map_err(|error| self.strategy_error(error))
        })?;
        Ok(spectrum.largest)
    }
}
