//! Batch-norm statistics made anew from training batches.

use tch::{TchError, Tensor};

use crate::augment::Augmentation;
use crate::batches::Batches;
use crate::limits::Watch;
use crate::network::{Network, Norms};
use crate::pixels::Pixels;
use crate::random::Random;
use crate::trial_error::TrialError;

/// Makes the running statistics of a network the plain mean over the first training batches, the
/// same for every network; `data_fraction` and `batch_size` are those of its training.
///
/// # Source
/// For weights that come from a supernet: Guo et al. Single path one-shot, ECCV 2020, section 3.4.
/// For weights that moved on while the running mean lagged behind: Wu, Johnson. Rethinking "batch"
/// in BatchNorm, arXiv 2105.07576, section 3.
///
/// # Errors
/// A limit, or libtorch.
pub(crate) fn recalibrate(
    network: &Network,
    train_pixels: &Pixels,
    (data_fraction, batch_size): (f64, usize),
    n_batches: u32,
    watch: &mut Watch,
) -> Result<(), TrialError> {
    let plain = Augmentation::default();
    let mut batches = Batches::share(train_pixels, data_fraction, batch_size, plain);
    let mut unused = Random::new(0, 0);
    let n_batches = n_batches.min(u32::try_from(batches.n_training()).unwrap_or(u32::MAX));
    for number in 0..n_batches {
        let batch = batches.batch(number as usize, network, &mut unused)?;
        let norms = Norms::Average { before: number };
        let _ = tch::no_grad(|| network.logits(&batch.images, norms))?;
        watch.check()?;
    }
    Ok(())
}

/// Running statistics as they are at one time, to be put back.
pub(crate) struct KeptStatistics(Vec<Tensor>);

impl KeptStatistics {
    pub(crate) fn of(network: &Network) -> Self {
        let statistics = network.parameters().statistics().iter();
        Self(statistics.map(|statistic| statistic.tensor.copy()).collect())
    }

    pub(crate) fn put_back(&self, network: &Network) -> Result<(), TchError> {
        let statistics = network.parameters().statistics().iter();
        for (statistic, kept) in statistics.zip(&self.0) {
            statistic.tensor.shallow_clone().f_copy_(kept)?;
        }
        Ok(())
    }
}
