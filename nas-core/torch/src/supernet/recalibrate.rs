//! Batch-norm statistics made anew for one mixture.

use nas_plugin_api::component::Mixture;

use super::step::without_gradients;
use super::{Supernet, SupernetError};
use crate::batches::Batch;
use crate::network::{NetworkError, Norms};

impl Supernet {
    /// Forgets all running statistics and makes them the plain mean over these batches, so that
    /// inherited weights can be evaluated at this mixture.
    ///
    /// # Errors
    /// [`SupernetError`], and what the next batch fails with.
    ///
    /// # Source
    /// Guo et al., single path one-shot, ECCV 2020, section 3.4;
    /// `megvii-model/SinglePathOneShot@36eed6c`: src/Search/tester.py (200 batches, forward only).
    pub fn recalibrate(
        &mut self,
        mixture: &Mixture,
        n_batches: u32,
        next: &mut dyn FnMut(&crate::network::Network) -> Result<Batch, SupernetError>,
    ) -> Result<(), SupernetError> {
        let _no_grad = tch::no_grad_guard();
        let mut mixed = self.mixed(&without_gradients(mixture))?;
        (mixed.skip_dropout, mixed.drop_path) = (0.0, 0.0);
        for number in 0..n_batches {
            let batch = next(&self.network)?;
            let norms = Norms::Average { before: number };
            self.network
                .forward_norms(&batch.images, &mixed, norms, &mut || Ok::<(), NetworkError>(()))?;
        }
        Ok(())
    }
}
