//! How long a strategy takes to answer.

use nas_plugin_api::component::{Ask, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::trial::Trial;

use crate::budget::{Clock, RealClock};

/// A strategy whose answers are timed.
pub(super) struct Stopwatch<'a> {
    strategy: &'a mut dyn SearchStrategy,
    clock: RealClock,
    /// Seconds of each ask, with the tell before it.
    asks: Vec<f64>,
    told: f64,
}

impl<'a> Stopwatch<'a> {
    pub(super) fn new(strategy: &'a mut dyn SearchStrategy) -> Self {
        Self { strategy, clock: RealClock::new(), asks: Vec::new(), told: 0.0 }
    }

    /// The mean of the first and of the last tenth; 0 before the first ask.
    pub(super) fn tenths(&self) -> [f64; 2] {
        let n = self.asks.len().div_ceil(10);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        [mean(&self.asks[..n]), mean(&self.asks[self.asks.len() - n..])]
    }
}

impl SearchStrategy for Stopwatch<'_> {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let began = self.clock.now();
        let answer = self.strategy.ask(slots);
        self.asks.push(self.told + (self.clock.now() - began).as_secs_f64());
        self.told = 0.0;
        answer
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        let began = self.clock.now();
        let answer = self.strategy.tell(trials);
        self.told += (self.clock.now() - began).as_secs_f64();
        answer
    }
}
