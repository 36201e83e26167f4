//! One signal, epoch by epoch.

/// What a signal was, in rising order of epochs.
pub(crate) struct Signal {
    /// Only every so many epochs count, beginning with the first.
    every: u32,
    values: Vec<(u32, f64)>,
}

impl Signal {
    pub(crate) fn every(every: u32) -> Self {
        Self { every, values: Vec::new() }
    }

    /// Notes an epoch, and forgets what was noted of it and of later ones: a search that went back
    /// comes by again. Returns whether there was something to note.
    pub(crate) fn note(&mut self, epoch: u32, value: Option<f64>) -> bool {
        self.values.retain(|(known, _)| *known < epoch);
        match value {
            Some(value) if value.is_finite() && epoch.is_multiple_of(self.every) => {
                self.values.push((epoch, value));
                true
            }
            _ => false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Epochs and values.
    pub(crate) fn values(&self) -> &[(u32, f64)] {
        &self.values
    }
}
