//! How long a trained network needs for a batch.

use std::time::{Duration, Instant};

use tch::Device;

use crate::network::{Network, NetworkError};
use crate::trial_error::TrialError;

/// Runs before the clock starts: libtorch chooses and caches its kernels in them.
const WARM_UP: usize = 5;
/// Runs whose median is taken: at least this many.
const AT_LEAST: usize = 21;
/// More runs are made while they fit into this time.
const TIME: Duration = Duration::from_millis(200);

/// Median milliseconds of one batch through the network in evaluation mode.
///
/// # Errors
/// [`TrialError`], when libtorch fails.
pub fn latency_ms(network: &Network, batch_size: usize) -> Result<f64, TrialError> {
    Ok(median_ms(network, batch_size, TIME)?)
}

/// The same with a time of one's own for the runs.
pub(crate) fn median_ms(
    network: &Network,
    batch_size: usize,
    time: Duration,
) -> Result<f64, NetworkError> {
    let _no_grad = tch::no_grad_guard();
    let images = network.zeros(batch_size).map_err(|source| NetworkError::Parameters { source })?;
    let run = || -> Result<f64, NetworkError> {
        let started = Instant::now();
        let _logits = network.forward(&images)?;
        if let Device::Cuda(index) = network.options().device {
            tch::Cuda::synchronize(index as i64);
        }
        Ok(started.elapsed().as_secs_f64() * 1e3)
    };
    for _ in 0..WARM_UP {
        run()?;
    }
    let started = Instant::now();
    let mut times = Vec::new();
    while times.len() < AT_LEAST || (started.elapsed() < time && times.len() < 1_000) {
        times.push(run()?);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
