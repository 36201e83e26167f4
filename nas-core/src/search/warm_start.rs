//! A strategy that is told, before anything else, what zero-cost proxies promise most.

use std::collections::{HashMap, HashSet, VecDeque};

use nas_plugin_api::component::{Ask, SearchStrategy, StrategyContext};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::toolkit::random_genotype::random_genotype;
use nas_plugin_api::toolkit::rng::{Generator, generator};
use nas_plugin_api::trial::{Fidelity, Proposal, Trial};

use crate::plugin::{CallError, PluginLoadError};
use crate::settings::WarmStartSettings;

/// Draws in a row that give nothing new before the space counts as measured.
const TRIES: usize = 10_000;
/// What the run's seed is changed by, so that the sample is not the strategy's own first genotypes.
const OWN_SEED: u64 = 0x7761_726d;

/// Measures random networks untrained, trains the best of them, and hands over to another strategy,
/// which is told those results like any others.
///
/// # Source
/// Abdelfattah, Mehrotra, Dudziak, Lane. Zero-cost proxies for lightweight NAS, ICLR 2021, section 5.1.
struct WarmStart {
    settings: WarmStartSettings,
    context: StrategyContext,
    strategy: Box<dyn SearchStrategy>,
    rng: Generator,
    drawn: HashSet<Genotype>,
    measuring: HashSet<Genotype>,
    measured: HashMap<Genotype, Measurements>,
    /// What was measured, in order.
    order: Vec<Genotype>,
    /// What is to be trained; absent until all is measured.
    promising: Option<VecDeque<Genotype>>,
}

/// A strategy that was made with this context, with what the settings say before it.
///
/// # Errors
/// A proxy that the run does not measure.
pub(crate) fn begun_warm(
    settings: Option<&WarmStartSettings>,
    context: &StrategyContext,
    strategy: Box<dyn SearchStrategy>,
) -> Result<Box<dyn SearchStrategy>, PluginLoadError> {
    match settings {
        None => Ok(strategy),
        Some(settings) => {
            let begun = WarmStart::new(settings, context, strategy).map_err(CallError::from)?;
            Ok(Box::new(begun))
        }
    }
}

impl WarmStart {
    fn new(
        settings: &WarmStartSettings,
        context: &StrategyContext,
        strategy: Box<dyn SearchStrategy>,
    ) -> Result<Self, PluginError> {
        let available = &context.proxies;
        let missing = settings.proxies.iter().find(|name| !available.contains(name));
        if available.is_empty() || missing.is_some() {
            let what = missing.map_or("any network untrained", String::as_str);
            let known = match available.is_empty() {
                true => "none".to_owned(),
                false => available.join(", "),
            };
            let text =
                format!("rank by proxies: this run does not measure {what} (it has {known})");
            return Err(PluginError::configuration(text)
                .with_help("leave `[warm_start]` out, or name proxies that the benchmark has"));
        }
        let mut settings = settings.clone();
        if settings.proxies.is_empty() {
            settings.proxies.clone_from(available);
        }
        Ok(Self {
            settings,
            context: context.clone(),
            strategy,
            rng: generator(context.seed ^ OWN_SEED),
            drawn: HashSet::new(),
            measuring: HashSet::new(),
            measured: HashMap::new(),
            order: Vec::new(),
            promising: None,
        })
    }

    /// Another network to measure.
    fn draw(&mut self) -> Result<Option<Genotype>, PluginError> {
        if self.drawn.len() >= self.settings.sample {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let genotype = random_genotype(&self.context.space, &mut self.rng)?;
            let genotype = self.context.space.normalize(&genotype);
            if self.drawn.insert(genotype.clone()) {
                return Ok(Some(genotype));
            }
        }
        Ok(None)
    }

    /// The networks with the best ranks, summed over the proxies; equals share a rank, and one without
    /// a value ranks last.
    fn rank(&self) -> VecDeque<Genotype> {
        let mut ranks = vec![0_usize; self.order.len()];
        for proxy in &self.settings.proxies {
            let value = |&place: &usize| {
                let measured = &self.measured[&self.order[place]];
                measured.get(proxy).filter(|value| !value.is_nan()).unwrap_or(f64::NEG_INFINITY)
            };
            let mut places: Vec<usize> = (0..self.order.len()).collect();
            places.sort_by(|a, b| value(b).total_cmp(&value(a)));
            let mut rank = 0;
            for (n_before, place) in places.iter().enumerate() {
                if n_before > 0 && value(place) < value(&places[n_before - 1]) {
                    rank = n_before;
                }
                ranks[*place] += rank;
            }
        }
        let mut places: Vec<usize> = (0..self.order.len()).collect();
        places.sort_by_key(|&place| ranks[place]);
        places.into_iter().take(self.settings.keep).map(|p| self.order[p].clone()).collect()
    }
}

impl SearchStrategy for WarmStart {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        let mut proposals: Vec<Proposal> = Vec::new();
        if self.promising.is_none() {
            while proposals.len() < slots
                && let Some(genotype) = self.draw()?
            {
                self.measuring.insert(genotype.clone());
                proposals.push(Proposal::from(genotype).at(Fidelity::UNTRAINED));
            }
            if !proposals.is_empty() {
                return Ok(Ask::Proposals(proposals));
            }
            if !self.measuring.is_empty() {
                return Ok(Ask::Wait);
            }
        }
        if self.promising.is_none() {
            self.promising = Some(self.rank());
        }
        let promising = self.promising.get_or_insert_default();
        let n = promising.len().min(slots);
        match n {
            0 => self.strategy.ask(slots),
            _ => Ok(Ask::Proposals(promising.drain(..n).map(Proposal::from).collect())),
        }
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        let mut others = Vec::with_capacity(trials.len());
        for trial in trials {
            let genotype = &trial.proposal.genotype;
            if trial.proposal.is_untrained() && self.measuring.remove(genotype) {
                self.order.push(genotype.clone());
                self.measured.insert(genotype.clone(), trial.measurements.clone());
            } else {
                others.push(trial.clone());
            }
        }
        match others.is_empty() {
            true => Ok(()),
            false => self.strategy.tell(&others),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use nas_plugin_api::graph::Linear;
    use nas_plugin_api::measurement::Cost;
    use nas_plugin_api::template::{Space, TemplateBuilder};
    use nas_plugin_api::trial::Outcome;

    use super::*;

    /// Notes what it is told, and proposes the same network for ever.
    struct Inner(Arc<Mutex<Vec<Genotype>>>);

    impl SearchStrategy for Inner {
        fn ask(&mut self, _: usize) -> Result<Ask, PluginError> {
            Ok(Ask::Proposals(vec![Genotype(vec![0, 0]).into()]))
        }

        fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
            let genotypes = trials.iter().map(|trial| trial.proposal.genotype.clone());
            self.0.lock().unwrap().extend(genotypes);
            Ok(())
        }
    }

    fn context(proxies: &[&str]) -> StrategyContext {
        let mut template = TemplateBuilder::new("layers");
        let x = template.input([8]);
        let x = template.chosen_width("first", &[4, 8, 16, 32], Linear::new(8), x);
        let x = template.chosen_width("second", &[4, 8, 16, 32], Linear::new(8), x);
        StrategyContext {
            space: Space::new(template.finish(x).unwrap()).unwrap(),
            seed: 3,
            objectives: Vec::new(),
            fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
            proxies: proxies.iter().map(|&name| name.to_owned()).collect(),
            untrained_share: 0.0,
        }
    }

    /// What the strategy behind the warm start was told of.
    type Told = Arc<Mutex<Vec<Genotype>>>;

    fn begin(
        settings: &WarmStartSettings,
        proxies: &[&str],
    ) -> Result<(Box<dyn SearchStrategy>, Told), PluginLoadError> {
        let told = Told::default();
        let inner = Box::new(Inner(Arc::clone(&told)));
        Ok((begun_warm(Some(settings), &context(proxies), inner)?, told))
    }

    fn end(proposal: Proposal) -> Trial {
        // The larger the better by one proxy; the other says nothing of some.
        let [a, b] = [0, 1].map(|place| f64::from(proposal.genotype.0[place]));
        let mut measurements = Measurements::default();
        if proposal.is_untrained() {
            measurements.set("synflow", 4.0 * a + b);
            if b > 0.0 {
                measurements.set("naswot", a);
            }
        }
        let outcome = match proposal.is_untrained() {
            true => Outcome::Untrained,
            false => Outcome::Finished,
        };
        let (cost, reason) = (Cost::default(), None);
        Trial { id: 0, proposal, outcome, objectives: Vec::new(), measurements, cost, reason }
    }

    #[test]
    fn the_best_by_rank_are_trained_and_told_to_the_strategy_that_goes_on() {
        let settings = WarmStartSettings { proxies: Vec::new(), sample: 100, keep: 3 };
        let (mut strategy, told) = begin(&settings, &["synflow", "naswot"]).unwrap();
        let mut proposed = Vec::new();
        while proposed.len() < 21 {
            let Ask::Proposals(proposals) = strategy.ask(2).unwrap() else { panic!() };
            let trials: Vec<Trial> = proposals.into_iter().map(end).collect();
            proposed.extend(trials.iter().map(|trial| trial.proposal.clone()));
            strategy.tell(&trials).unwrap();
        }
        // All 16 of the space, though more were asked for.
        assert!(proposed[..16].iter().all(Proposal::is_untrained));
        let trained: Vec<&[u16]> =
            proposed[16..].iter().map(|one| one.genotype.0.as_slice()).collect();
        assert_eq!(trained, [[3, 3], [3, 2], [3, 1], [0, 0], [0, 0]]);
        let told: Vec<Vec<u16>> = told.lock().unwrap().iter().map(|one| one.0.clone()).collect();
        assert_eq!(told, trained);
    }

    #[test]
    fn a_run_without_the_proxies_says_so() {
        let wanted =
            |name: &str| WarmStartSettings { proxies: vec![name.to_owned()], sample: 5, keep: 1 };
        let text = |found: Result<_, PluginLoadError>| match found {
            Ok(_) => panic!("it was begun"),
            Err(error) => error.to_string(),
        };
        let none = text(begin(&wanted("snip"), &[]).map(|_| ()));
        assert!(none.contains("does not measure snip (it has none)"), "{none}");
        let other = text(begin(&wanted("snip"), &["jacov"]).map(|_| ()));
        assert!(other.contains("does not measure snip (it has jacov)"), "{other}");
    }
}
