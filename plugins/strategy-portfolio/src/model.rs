//! What is learnt from results: shapes, weighed by them.

use std::collections::HashMap;
use std::sync::Arc;

use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Space;
use nas_plugin_api::toolkit::rng::Generator;

use crate::belief::{Belief, Weighted, weigh};
use crate::config::PortfolioConfig;
use crate::kernel::{Ingredients, Seen, Shape};
use crate::observed::{Observed, targets};
use crate::proxies::Pool;
use crate::views::{Viewer, Views};

/// Shapes are weighed anew when there are so many times as many observations.
const GROWTH: f64 = 1.2;
/// Views that are kept; then all are forgotten, which costs time and nothing else.
const MAX_KEPT: usize = 50_000;

/// Shapes, and how genotypes look to them.
pub(crate) struct Model {
    shapes: Vec<Shape>,
    average: bool,
    /// The shapes that count, and how many observations there were when they were weighed.
    weighted: (Weighted, usize),
    viewer: Viewer,
    views: HashMap<Genotype, Arc<Views>>,
}

/// What is thought of what was observed.
pub(crate) struct Thought {
    belief: Belief,
    /// The observed genotypes, those thought best first.
    pub(crate) order: Vec<Genotype>,
}

impl Model {
    pub(crate) fn new(
        config: &PortfolioConfig,
        space: &Space,
        n_proxies: usize,
        rng: &mut Generator,
    ) -> Self {
        let ingredients = Ingredients { n_proxies, structure: config.structure };
        Self {
            shapes: (0..config.shapes).map(|_| Shape::draw(ingredients, rng)).collect(),
            average: config.average,
            weighted: (Vec::new(), 0),
            viewer: Viewer::new(space),
            views: HashMap::new(),
        }
    }

    /// What is thought of what was observed; nothing where there is too little to learn from.
    pub(crate) fn think(&mut self, observed: &Observed, pool: &Pool) -> Option<Thought> {
        let learnt = observed.to_learn_from();
        let targets = targets(&learnt)?;
        if self.views.len() > MAX_KEPT {
            self.views.clear();
        }
        let seen: Vec<Seen> = learnt.iter().map(|(genotype, _)| self.see(genotype, pool)).collect();
        let (_, then) = self.weighted;
        if then == 0 || observed.len() as f64 >= GROWTH * then as f64 {
            self.weighted = (weigh(&self.shapes, &seen, &targets), observed.len());
            if !self.average {
                self.weighted.0.truncate(1);
            }
        }
        let belief = Belief::new(&self.weighted.0, seen, targets)?;
        let means = belief.means();
        let mut order: Vec<usize> = (0..learnt.len()).collect();
        order.sort_by(|&a, &b| means[b].total_cmp(&means[a]));
        let order = order.into_iter().map(|place| learnt[place].0.clone()).collect();
        Some(Thought { belief, order })
    }

    /// The candidate that is expected to improve most on what is thought best.
    pub(crate) fn most_promising(
        &mut self,
        thought: &Thought,
        pool: &Pool,
        running: &[Genotype],
        candidates: Vec<Genotype>,
    ) -> Option<Genotype> {
        let running: Vec<Seen> = running.iter().map(|one| self.see(one, pool)).collect();
        let asked: Vec<Seen> = candidates.iter().map(|one| self.see(one, pool)).collect();
        let gains = thought.belief.improvements(&running, &asked);
        let best = gains.into_iter().zip(candidates).reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map(|(_, genotype)| genotype)
    }

    fn see(&mut self, genotype: &Genotype, pool: &Pool) -> Seen {
        let views = match self.views.get(genotype) {
            Some(views) => Arc::clone(views),
            None => {
                let views = Arc::new(self.viewer.views(genotype));
                self.views.insert(genotype.clone(), Arc::clone(&views));
                views
            }
        };
        Seen { views, scores: pool.scores(genotype) }
    }
}
