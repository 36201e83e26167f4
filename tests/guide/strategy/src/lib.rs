//! The strategy `climb`: always changes the best network so far a little.

use nas_plugin_api::component::{Ask, Component, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::toolkit::mutation::Mutation;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, generator};
use nas_plugin_api::trial::{Proposal, Trial, TrialId};

nas_plugin_api::export_plugin! { strategies: [HillClimb] }

nas_plugin_api::configuration! {
    /// Settings of hill climbing.
    pub struct ClimbConfig {
        /// Trials in a row that bring nothing before it begins anew somewhere else.
        #[schemars(range(min = 1, max = 1000000))]
        pub patience: u32 = 20_u32,
    }
}

/// Hill climbing with restarts.
pub struct HillClimb {
    config: ClimbConfig,
    context: StrategyContext,
    rng: Generator,
    mutation: Mutation,
    top: Option<Top>,
    in_vain: u32,
}

/// The best network of this climb.
struct Top {
    trial: TrialId,
    genotype: Genotype,
    gain: f64,
}

impl Component for HillClimb {
    const NAME: &'static str = "climb";
    const SUMMARY: &'static str = "always changes the best network so far a little";
    type Config = ClimbConfig;
    type Context = StrategyContext;

    fn create(config: ClimbConfig, context: StrategyContext) -> Result<Self, PluginError> {
        let rng = generator(context.seed);
        let mutation = Mutation::new(&context.space);
        Ok(Self { config, context, rng, mutation, top: None, in_vain: 0 })
    }
}

impl SearchStrategy for HillClimb {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let proposals: Result<_, _> = (0..slots).map(|_| self.propose()).collect();
        Ok(Ask::Proposals(proposals?))
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        for trial in trials {
            // Minus infinity for a trial without a result: it is never the top.
            let gain = self.context.gain(trial);
            if gain > self.top.as_ref().map_or(f64::NEG_INFINITY, |top| top.gain) {
                let genotype = trial.proposal.genotype.clone();
                self.top = Some(Top { trial: trial.id, genotype, gain });
                self.in_vain = 0;
            } else {
                self.in_vain += 1;
            }
            if self.in_vain >= self.config.patience {
                (self.top, self.in_vain) = (None, 0);
            }
        }
        Ok(())
    }
}

impl HillClimb {
    fn propose(&mut self) -> Result<Proposal, PluginError> {
        Ok(match &self.top {
            Some(top) => {
                let child = self.mutation.one_choice(&top.genotype, &mut self.rng);
                Proposal::from(child).with_parents(&[top.trial])
            }
            None => random_genotype(&self.context.space, &mut self.rng)?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::objective::Objective;
    use nas_plugin_api::template::{Options, Space, TemplateBuilder, TemplateLayer};
    use nas_plugin_api::toolkit::rehearsal::{Rehearsal, Rehearsed};
    use nas_plugin_api::trial::Fidelity;

    use super::*;

    /// Twenty choices with four options each.
    fn space() -> Space {
        let mut template = TemplateBuilder::new("twenty");
        let mut x = template.input([1]);
        for place in 0..20 {
            let options = Options::Depth { repeats: vec![1, 2, 3, 4] };
            let choice = template.choice(&format!("choice_{place}"), options);
            x = template.push("choice", TemplateLayer::Depth { choice }, &[x; 4]);
        }
        Space::new(template.finish(x).unwrap()).unwrap()
    }

    /// The sum of a genotype's values is to become large.
    fn climb(trials: usize, workers: usize) -> Rehearsed {
        let context = StrategyContext {
            space: space(),
            seed: 1,
            objectives: vec![Objective::maximize("sum")],
            fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
            proxies: Vec::new(),
            untrained_share: 0.0,
        };
        let mut climb = HillClimb::create(ClimbConfig::default(), context).unwrap();
        let sum = |genotype: &Genotype| genotype.0.iter().copied().map(f64::from).sum();
        let rehearsal = Rehearsal::of(trials).with_workers(workers, 1);
        rehearsal.run(&mut climb, |genotype| Ok(vec![sum(genotype)])).unwrap()
    }

    #[test]
    fn it_climbs() {
        let sums: Vec<f64> = climb(400, 3).trials.iter().map(|t| t.objectives[0]).collect();
        let best = sums.iter().copied().fold(0.0, f64::max);
        assert!(sums[0] < 45.0 && best > 55.0, "from {} to {best}", sums[0]);
    }

    #[test]
    fn the_same_seed_gives_the_same_search() {
        assert_eq!(climb(50, 3), climb(50, 3));
    }
}
