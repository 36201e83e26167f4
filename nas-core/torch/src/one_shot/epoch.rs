//! What is counted during an epoch.

/// Sums over an epoch's steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) train: Mean,
    pub(super) validation: Mean,
    /// Calls of the strategy, and wall seconds in them.
    pub(super) calls: u64,
    pub(super) call_seconds: f64,
}

/// Mean loss and accuracy.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    loss: f64,
    accuracy: f64,
    n: f64,
}

impl Mean {
    pub(super) fn add(&mut self, loss: f64, accuracy: f64) {
        self.loss += loss;
        self.accuracy += accuracy;
        self.n += 1.0;
    }

    /// Absent where nothing was added.
    pub(super) fn loss(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.loss / self.n)
    }

    pub(super) fn accuracy(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.accuracy / self.n)
    }
}
