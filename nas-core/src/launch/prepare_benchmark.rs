//! The part of preparing that only runs on a benchmark have.

use std::sync::Arc;

use nas_plugin_api::component::{Benchmark, ComponentKind};
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::generator;
use nas_plugin_api::trial::Fidelity;
use serde_json::Value;

use super::Problem;
use super::preparation::Preparation;
use crate::plugin::{CallError, Timed};
use crate::settings::Settings;

/// A benchmark that was told its space.
pub(super) struct PreparedBenchmark {
    pub(super) benchmark: Arc<Timed<Box<dyn Benchmark>>>,
    /// What a trial gets from it: everything but the accuracy on test data.
    pub(super) delivers: Vec<String>,
    /// What measuring an untrained network takes, as a share of a trial; 0 where it is not said.
    pub(super) untrained_share: f64,
    /// Whether it has that too, for an audit.
    pub(super) has_holdout: bool,
}

impl Preparation {
    /// Refuses what can't be together with a benchmark.
    pub(super) fn check_benchmark(&mut self, settings: &Settings, kind: ComponentKind) {
        if settings.benchmark.is_none() {
            return;
        }
        if kind == ComponentKind::OneShotStrategy {
            let text = format!("strategy `{}` trains a supernet", settings.strategy.name);
            let expected = "`[data]`, or a strategy that proposes genotypes";
            self.problems.push(Problem::new("benchmark", text).expecting(expected));
        }
        if settings.inherit.is_some() {
            let text = "a benchmark is asked instead of inheriting weights";
            let expected = "`[benchmark]` or `[inherit]`, not both";
            self.problems.push(Problem::new("inherit", text).expecting(expected));
        }
    }

    /// Makes the benchmark, tells it the space, and tries the run's fidelity on one network.
    pub(super) fn prepare_benchmark(
        &mut self,
        settings: &Settings,
        config: Value,
        space: &Space,
        fidelity: Fidelity,
    ) -> Option<PreparedBenchmark> {
        let name = settings.benchmark.as_ref()?.name.clone();
        let (registry, own) = (self.registry.clone(), name.clone());
        let benchmark = self.make("benchmark", &name, move || registry.benchmark(&own, &config))?;
        let space = space.clone();
        let tried = benchmark.call("begin", move |benchmark| {
            benchmark.begin(&space)?;
            let first: Genotype = random_genotype(&space, &mut generator(0))?;
            let first = [first];
            let trained = seconds(&benchmark.evaluate(&first, &fidelity, &[0])?);
            let delivers = benchmark.delivers();
            let untrained = match names::proxies_among(&delivers).is_empty() {
                true => 0.0,
                false => seconds(&benchmark.evaluate(&first, &Fidelity::UNTRAINED, &[0])?),
            };
            Ok((delivers, untrained / trained))
        });
        match tried {
            Ok((mut delivers, share)) => {
                let n_delivered = delivers.len();
                delivers.retain(|name| name != names::HOLDOUT_ACCURACY);
                Some(PreparedBenchmark {
                    benchmark: Arc::new(benchmark),
                    has_holdout: delivers.len() < n_delivered,
                    delivers,
                    untrained_share: if share.is_finite() { share } else { 0.0 },
                })
            }
            Err(error) => {
                let problem = Problem::new("benchmark", format!("it failed to {error}"));
                let help = match error {
                    CallError::Plugin(error) => error.help,
                    _ => None,
                };
                self.problems.push(match help {
                    Some(help) => problem.expecting(help),
                    None => problem,
                });
                None
            }
        }
    }
}

/// What the first of some evaluations is said to have taken; NaN where it is not said.
fn seconds(measured: &[Measurements]) -> f64 {
    let first = measured.first();
    first.and_then(|one| one.get(names::SIMULATED_SECONDS)).unwrap_or(f64::NAN)
}
