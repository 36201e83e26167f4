//! Everything that a benchmark knows of a space, asked for once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nas_plugin_api::component::Benchmark;
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::measurement::{Measurements, names};
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::Space;
use nas_plugin_api::trial::Fidelity;

use super::BenchError;
use super::tradeoffs::Tradeoffs;
use super::untrained::Untrained;

/// Most genotypes of a space whose answers are kept: 24 bytes each.
const MAX_GENOTYPES: usize = 1 << 22;
/// Genotypes that a benchmark is asked for with one call.
const CHUNK: usize = 4096;

/// What a benchmark says of one genotype; NaN where it says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// What the search sees: the first objective.
    pub signal: f64,
    /// What the network is worth in the end; no strategy is told.
    pub verdict: f64,
    /// What the evaluation costs, in seconds.
    pub seconds: f64,
}

/// The answers for all genotypes of a space at one fidelity.
#[derive(Clone, Debug)]
pub struct Answers {
    /// Number of options of each choice.
    options: Vec<usize>,
    /// By genotype, the last choice changing fastest.
    answers: Vec<Answer>,
    /// By genotype, the objectives after the first one; NaN where the benchmark lacks one.
    others: Vec<f64>,
    /// Where there are several objectives.
    tradeoffs: Option<Tradeoffs>,
}

impl Answers {
    /// What is known of a genotype; absent if it is none of the space, or has no entry.
    #[must_use]
    pub fn get(&self, genotype: &Genotype) -> Option<Answer> {
        self.at(self.place(genotype)?)
    }

    /// What is known of the genotype at a place; absent if it has no entry.
    pub(super) fn at(&self, place: usize) -> Option<Answer> {
        Some(self.answers[place]).filter(|answer| !answer.signal.is_nan())
    }

    /// All objectives of the genotype at a place; absent where the benchmark lacks one, because a
    /// device does not support the network for instance.
    #[must_use]
    pub fn objectives(&self, place: usize) -> Option<Vec<f64>> {
        let n_others = self.others.len() / self.answers.len();
        let others = &self.others[place * n_others..][..n_others];
        let all = std::iter::once(self.answers[place].signal).chain(others.iter().copied());
        let all: Vec<f64> = all.collect();
        all.iter().all(|value| value.is_finite()).then_some(all)
    }

    /// The best trade-offs, where there are several objectives.
    #[must_use]
    pub fn tradeoffs(&self) -> Option<&Tradeoffs> {
        self.tradeoffs.as_ref()
    }

    /// Number of genotypes.
    #[must_use]
    pub fn n_genotypes(&self) -> usize {
        self.answers.len()
    }

    /// A genotype's place among all, from 0; absent if it is none of the space.
    #[must_use]
    pub fn place(&self, genotype: &Genotype) -> Option<usize> {
        if genotype.0.len() != self.options.len() {
            return None;
        }
        let mut place = 0;
        for (&value, &options) in genotype.0.iter().zip(&self.options) {
            let value = usize::from(value);
            if value >= options {
                return None;
            }
            place = place * options + value;
        }
        Some(place)
    }

    /// Whether evaluations have a cost.
    #[must_use]
    pub fn has_seconds(&self) -> bool {
        self.answers.iter().any(|answer| !answer.seconds.is_nan())
    }

    /// The largest value of a part of the answers; minus infinity where there is none.
    #[must_use]
    pub fn largest(&self, part: impl Fn(&Answer) -> f64) -> f64 {
        self.answers.iter().map(part).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// A benchmark, with the answers that it gave so far.
pub struct Oracle {
    name: String,
    space: Space,
    objectives: Vec<Objective>,
    delivers: Vec<String>,
    proxies: Vec<String>,
    benchmark: Mutex<Box<dyn Benchmark>>,
    known: Mutex<HashMap<(u32, u64), Arc<Answers>>>,
    untrained: Mutex<Option<Arc<Untrained>>>,
}

impl Oracle {
    /// Begins a benchmark on a space. `objectives` are measurements that a search sees, at least
    /// one; the verdict on a search for the first one is what the benchmark delivers as
    /// `holdout_accuracy`.
    ///
    /// # Errors
    /// A space that is too large or that the benchmark does not know, no objective or one that it
    /// does not deliver.
    pub fn new(
        name: &str,
        mut benchmark: Box<dyn Benchmark>,
        space: &Space,
        objectives: Vec<Objective>,
    ) -> Result<Self, BenchError> {
        if objectives.is_empty() {
            return Err(BenchError::NoObjective);
        }
        if space.size() > MAX_GENOTYPES as f64 {
            let (space, size) = (space.name().to_owned(), space.size());
            return Err(BenchError::TooLarge { space, size, limit: MAX_GENOTYPES });
        }
        let failed = |source| BenchError::Benchmark { benchmark: name.to_owned(), source };
        benchmark.begin(space).map_err(failed)?;
        let delivers = benchmark.delivers();
        let wanted = objectives.iter().map(|objective| objective.name.as_str());
        for wanted in wanted.chain([names::HOLDOUT_ACCURACY]) {
            if !delivers.iter().any(|delivered| delivered == wanted) {
                return Err(BenchError::NotDelivered {
                    benchmark: name.to_owned(),
                    name: wanted.to_owned(),
                    known: delivers.join(", "),
                });
            }
        }
        Ok(Self {
            name: name.to_owned(),
            space: space.clone(),
            objectives,
            proxies: names::proxies_among(&delivers),
            delivers,
            benchmark: Mutex::new(benchmark),
            known: Mutex::default(),
            untrained: Mutex::default(),
        })
    }

    /// The benchmark's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The space.
    #[must_use]
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// What a search sees.
    #[must_use]
    pub fn objectives(&self) -> &[Objective] {
        &self.objectives
    }

    /// The genotype at a place of the answers, as text.
    #[must_use]
    pub fn text(&self, place: usize) -> String {
        self.space.text(&genotype(place, &self.options()))
    }

    /// What the benchmark delivers.
    #[must_use]
    pub fn delivers(&self) -> &[String] {
        &self.delivers
    }

    /// The zero-cost proxies among them.
    #[must_use]
    pub fn proxies(&self) -> &[String] {
        &self.proxies
    }

    /// What is measured of untrained networks, asked for at the first call.
    ///
    /// # Errors
    /// A benchmark without zero-cost proxies.
    pub fn untrained(&self) -> Result<Arc<Untrained>, BenchError> {
        let mut known = self.untrained.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(untrained) = &*known {
            return Ok(Arc::clone(untrained));
        }
        let mut untrained = Untrained::new(&self.proxies);
        self.ask(&Fidelity::UNTRAINED, |measured| untrained.push(&measured))?;
        Ok(Arc::clone(known.insert(Arc::new(untrained))))
    }

    /// What measuring an untrained network takes, as a share of one of these answers, on average; 0
    /// where the benchmark measures none, or knows no seconds.
    ///
    /// # Errors
    /// As [`Self::untrained`].
    pub fn untrained_share(&self, answers: &Answers) -> Result<f64, BenchError> {
        if self.proxies.is_empty() {
            return Ok(0.0);
        }
        let trained: f64 = answers.answers.iter().map(|answer| answer.seconds).sum();
        let share = self.untrained()?.all_seconds() / trained;
        Ok(if share.is_finite() { share } else { 0.0 })
    }

    /// The answers at a fidelity, asked for at the first call.
    ///
    /// # Errors
    /// A fidelity that the benchmark does not have.
    pub fn answers(&self, fidelity: &Fidelity) -> Result<Arc<Answers>, BenchError> {
        let key = (fidelity.epochs, fidelity.data_fraction.to_bits());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answers) = known.get(&key) {
            return Ok(Arc::clone(answers));
        }
        let (first, rest) = (&self.objectives[0], &self.objectives[1..]);
        let (mut answers, mut others) = (Vec::new(), Vec::new());
        let options = self.ask(fidelity, |measured| {
            answers.push(Answer {
                signal: get(&measured, &first.name),
                verdict: get(&measured, names::HOLDOUT_ACCURACY),
                seconds: get(&measured, names::SIMULATED_SECONDS),
            });
            others.extend(rest.iter().map(|objective| get(&measured, &objective.name)));
        })?;
        let mut answers = Answers { options, answers, others, tradeoffs: None };
        if !rest.is_empty() {
            let places = 0..answers.n_genotypes();
            let values: Vec<_> = places.map(|place| answers.objectives(place)).collect();
            answers.tradeoffs = Some(Tradeoffs::new(&self.objectives, &values));
        }
        let answers = Arc::new(answers);
        known.insert(key, Arc::clone(&answers));
        Ok(answers)
    }

    /// Asks for all genotypes, in the order of their places; returns the options of each choice.
    fn ask(
        &self,
        fidelity: &Fidelity,
        mut take: impl FnMut(Measurements),
    ) -> Result<Vec<usize>, BenchError> {
        let failed = |source| BenchError::Benchmark { benchmark: self.name.clone(), source };
        let mut benchmark = self.benchmark.lock().unwrap_or_else(PoisonError::into_inner);
        let options = self.options();
        let n: usize = options.iter().product();
        for start in (0..n).step_by(CHUNK) {
            let chunk: Vec<Genotype> =
                (start..n.min(start + CHUNK)).map(|place| genotype(place, &options)).collect();
            // Every genotype is asked for once: the run of a table that its first seed names.
            let seeds = vec![0; chunk.len()];
            let measured = benchmark.evaluate(&chunk, fidelity, &seeds).map_err(failed)?;
            if measured.len() != chunk.len() {
                let error = PluginError::internal("evaluate: one answer per genotype expected");
                return Err(failed(error));
            }
            measured.into_iter().for_each(&mut take);
        }
        Ok(options)
    }

    /// Number of options of each choice.
    fn options(&self) -> Vec<usize> {
        (0..self.space.n_choices()).map(|choice| self.space.n_options(choice)).collect()
    }
}

fn get(measured: &Measurements, name: &str) -> f64 {
    measured.get(name).unwrap_or(f64::NAN)
}

/// The genotype at a place.
fn genotype(mut place: usize, options: &[usize]) -> Genotype {
    let mut values = vec![0; options.len()];
    for (value, &options) in values.iter_mut().zip(options).rev() {
        *value = (place % options) as u16;
        place /= options;
    }
    Genotype(values)
}
