//! Searches in memory, with a benchmark and strategies made here.

use nas_core::bench::{BenchError, Found, Oracle, Plan, SeedRun, Unit};
use nas_plugin_api::component::{Ask, Benchmark, SearchStrategy};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::graph::Linear;
use nas_plugin_api::measurement::Measurements;
use nas_plugin_api::objective::Objective;
use nas_plugin_api::template::{Space, TemplateBuilder};
use nas_plugin_api::trial::{Fidelity, Outcome, Proposal, Trial};
use serde_json::Value;

/// Two widths and three: six networks.
fn space() -> Space {
    let mut template = TemplateBuilder::new("layers");
    let x = template.input([8]);
    let x = template.chosen_width("first", &[4, 8], Linear::new(8), x);
    let x = template.chosen_width("second", &[4, 8, 16], Linear::new(8), x);
    Space::new(template.finish(x).unwrap()).unwrap()
}

/// Signal `10 a + b`, verdict its negative, 2 s an epoch; `[1, 2]` has no entry, and 9 epochs are
/// the most.
struct Digits;

impl Benchmark for Digits {
    fn begin(&mut self, _: &Space) -> Result<(), PluginError> {
        Ok(())
    }

    fn delivers(&self) -> Vec<String> {
        ["validation_accuracy", "holdout_accuracy", "simulated_seconds"].map(str::to_owned).to_vec()
    }

    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        _: &[u64],
    ) -> Result<Vec<Measurements>, PluginError> {
        if fidelity.epochs > 9 {
            return Err(PluginError::unsupported("look that up").with_help("take 9"));
        }
        let value =
            |genotype: &Genotype| 10.0 * f64::from(genotype.0[0]) + f64::from(genotype.0[1]);
        let measure = |genotype: &Genotype| match genotype.0.as_slice() {
            [1, 2] => Measurements::default(),
            _ => Measurements::from([
                ("validation_accuracy", value(genotype)),
                ("holdout_accuracy", -value(genotype)),
                ("simulated_seconds", 2.0 * f64::from(fidelity.epochs)),
            ]),
        };
        Ok(genotypes.iter().map(measure).collect())
    }
}

/// Proposes these one after the other, and notes what it is told.
#[derive(Default)]
struct Scripted {
    proposals: Vec<Proposal>,
    told: Vec<(Outcome, Vec<f64>)>,
}

impl Scripted {
    fn of(genotypes: &[[u16; 2]]) -> Self {
        let proposals = genotypes.iter().map(|values| Genotype(values.to_vec()).into());
        Self { proposals: proposals.collect(), told: Vec::new() }
    }
}

impl SearchStrategy for Scripted {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        assert_eq!(slots, 1);
        Ok(match self.proposals.is_empty() {
            true => Ask::Done { reason: "the script is over".to_owned() },
            false => Ask::Proposals(vec![self.proposals.remove(0)]),
        })
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        self.told.extend(trials.iter().map(|trial| (trial.outcome, trial.objectives.clone())));
        Ok(())
    }
}

fn oracle() -> Oracle {
    let objectives = vec![Objective::maximize("validation_accuracy")];
    Oracle::new("digits", Box::new(Digits), &space(), objectives).unwrap()
}

fn plan(budget: f64) -> Plan {
    Plan {
        strategy: "scripted".to_owned(),
        config: Value::Null,
        warm_start: None,
        seeds: 1,
        first_seed: 7,
        budget,
        max_evaluations: None,
        fidelity: Fidelity { epochs: 5, data_fraction: 1.0 },
        threads: 1,
    }
}

/// What a strategy finds, and the verdicts at 5, 15, … seconds.
fn run(strategy: &mut dyn SearchStrategy, budget: f64) -> Result<(Found, Vec<f32>), BenchError> {
    let (oracle, plan) = (oracle(), plan(budget));
    let answers = oracle.answers(&plan.fidelity)?;
    let grid: Vec<f64> = (0..5).map(|step| 5.0 + 10.0 * f64::from(step)).collect();
    let mut verdicts = vec![f32::NAN; grid.len()];
    let run = SeedRun::new(&oracle, &plan, &answers, Unit::Seconds, 7);
    let found = run.run(strategy, &grid, &mut verdicts)?;
    Ok((found, verdicts))
}

#[test]
fn every_query_is_charged_and_the_one_that_crosses_the_budget_counts() {
    let mut strategy = Scripted::of(&[[0, 1], [0, 1], [0, 2], [1, 0], [1, 1]]);
    let (found, verdicts) = run(&mut strategy, 35.0).unwrap();
    let expected = Found {
        seed: 7,
        signal: 10.0,
        verdict: -10.0,
        front: Vec::new(),
        evaluations: 4,
        spent: 40.0,
        done: None,
    };
    assert_eq!(found, expected);
    assert!(verdicts[0].is_nan());
    assert_eq!(verdicts[1..], [-1.0, -1.0, -2.0, -10.0]);
    assert_eq!(strategy.told.len(), 4);
    assert_eq!(strategy.told[2], (Outcome::Finished, vec![2.0]));
}

#[test]
fn an_answer_is_free_once_it_was_evaluated_and_the_last_one_counts() {
    let mut strategy = Scripted::of(&[[1, 1], [0, 1], [0, 1], [1, 0], [0, 2], [0, 2]]);
    for again in [2, 4] {
        strategy.proposals[again].details.answer = true;
    }
    let (found, _) = run(&mut strategy, 100.0).unwrap();
    // `[0, 2]` was not evaluated when it was named.
    assert_eq!((found.evaluations, found.spent, found.verdict), (5, 50.0, -2.0));
    assert_eq!(strategy.told[2], (Outcome::Duplicate, vec![1.0]));
    let mut endless = Scripted::of(&[[0, 1]; 20_000]);
    endless.proposals[1..].iter_mut().for_each(|proposal| proposal.details.answer = true);
    assert!(matches!(run(&mut endless, 100.0), Err(BenchError::NothingToEvaluate { .. })));
}

#[test]
fn what_has_no_entry_is_free_and_told_as_invalid() {
    let mut strategy = Scripted::of(&[[1, 2], [5, 0], [0, 0]]);
    let (found, _) = run(&mut strategy, 100.0).unwrap();
    assert_eq!((found.evaluations, found.spent), (1, 10.0));
    assert_eq!(found.done.as_deref(), Some("the script is over"));
    assert_eq!(strategy.told[0], (Outcome::Invalid, Vec::new()));
    let mut endless = Scripted::of(&[[1, 2]; 20_000]);
    let error = run(&mut endless, 100.0).unwrap_err();
    assert!(matches!(error, BenchError::NothingToEvaluate { seed: 7, .. }), "{error}");
}

#[test]
fn fidelities_and_repeats_of_proposals_are_charged() {
    let mut strategy = Scripted::of(&[[0, 1], [0, 2]]);
    strategy.proposals[0].details.repeats = 3;
    strategy.proposals[1].details.fidelity = Some(Fidelity { epochs: 9, data_fraction: 1.0 });
    let (found, _) = run(&mut strategy, 100.0).unwrap();
    assert_eq!((found.evaluations, found.spent), (4, 3.0 * 10.0 + 18.0));
    let mut strategy = Scripted::of(&[[0, 1]]);
    strategy.proposals[0].details.fidelity = Some(Fidelity { epochs: 10, data_fraction: 1.0 });
    let error = run(&mut strategy, 100.0).unwrap_err();
    assert_eq!(error.to_string(), "benchmark `digits` failed to look that up; take 9");
}

#[test]
fn an_objective_that_is_not_delivered_is_refused() {
    let objectives = ["validation_accuracy", "latency_ms"].map(Objective::maximize).to_vec();
    let error = Oracle::new("digits", Box::new(Digits), &space(), objectives).err().unwrap();
    let expected = "benchmark `digits` delivers no `latency_ms` (it has validation_accuracy, \
                    holdout_accuracy, simulated_seconds)";
    assert_eq!(error.to_string(), expected);
}

/// With the verdict as a second objective, which `[0, 2]` lacks.
struct Twofold;

impl Benchmark for Twofold {
    fn begin(&mut self, _: &Space) -> Result<(), PluginError> {
        Ok(())
    }

    fn delivers(&self) -> Vec<String> {
        ["validation_accuracy", "holdout_accuracy", "latency_ms"].map(str::to_owned).to_vec()
    }

    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        seeds: &[u64],
    ) -> Result<Vec<Measurements>, PluginError> {
        let mut all = Digits.evaluate(genotypes, fidelity, seeds)?;
        for (genotype, measured) in genotypes.iter().zip(&mut all) {
            if let Some(value) = measured.get("validation_accuracy")
                && genotype.0 != [0, 2]
            {
                measured.set("latency_ms", 1.0 + value);
            }
        }
        Ok(all)
    }
}

#[test]
fn several_objectives_are_scored_by_the_share_of_the_hypervolume() {
    let objectives =
        vec![Objective::maximize("validation_accuracy"), Objective::minimize("latency_ms")];
    let oracle = Oracle::new("twofold", Box::new(Twofold), &space(), objectives).unwrap();
    let plan = plan(f64::INFINITY);
    let answers = oracle.answers(&plan.fidelity).unwrap();
    let mut strategy = Scripted::of(&[[0, 2], [0, 1], [1, 1], [1, 0]]);
    let run = SeedRun::new(&oracle, &plan, &answers, Unit::Evaluations, 7);
    let mut verdicts = [f32::NAN; 4];
    let found = run.run(&mut strategy, &[1.0, 2.0, 3.0, 4.0], &mut verdicts).unwrap();
    // Without a latency it costs an evaluation and counts for nothing.
    assert_eq!(strategy.told[0], (Outcome::Failed, Vec::new()));
    assert_eq!(strategy.told[1], (Outcome::Finished, vec![1.0, 2.0]));
    // Accuracies 0, 1, 10 and 11 at latencies of one more; the worst latency is 12.
    let whole = 1.0 * 10.0 + (10.0 - 1.0) * 1.0;
    assert!(verdicts[0].is_nan());
    assert!((f64::from(verdicts[1]) - 10.0 / whole).abs() < 1e-6, "{verdicts:?}");
    assert!((f64::from(verdicts[3]) - 1.0).abs() < 1e-6, "{verdicts:?}");
    // The slowest one dominates nothing above the reference, but nothing dominates it either.
    assert_eq!(found.front.len(), 3);
    assert_eq!((found.signal, found.evaluations), (11.0, 4));
    assert_eq!(oracle.text(found.front[0]), "first=8,second=8");
}

/// The same with a zero-cost proxy, which takes half a second; `[0, 0]` has none.
struct Proxied;

impl Benchmark for Proxied {
    fn begin(&mut self, space: &Space) -> Result<(), PluginError> {
        Digits.begin(space)
    }

    fn delivers(&self) -> Vec<String> {
        [Digits.delivers(), vec!["synflow".to_owned()]].concat()
    }

    fn evaluate(
        &mut self,
        genotypes: &[Genotype],
        fidelity: &Fidelity,
        seeds: &[u64],
    ) -> Result<Vec<Measurements>, PluginError> {
        if !fidelity.is_untrained() {
            return Digits.evaluate(genotypes, fidelity, seeds);
        }
        let measure = |genotype: &Genotype| match genotype.0.as_slice() {
            [0, 0] => Measurements::from([("simulated_seconds", 0.5)]),
            [_, last] => {
                Measurements::from([("synflow", f64::from(*last)), ("simulated_seconds", 0.5)])
            }
            _ => Measurements::default(),
        };
        Ok(genotypes.iter().map(measure).collect())
    }
}

/// Notes the measurements that it is told.
struct Noting {
    script: Scripted,
    measured: Vec<(Outcome, Measurements)>,
}

impl SearchStrategy for Noting {
    fn ask(&mut self, slots: usize) -> Result<Ask, PluginError> {
        self.script.ask(slots)
    }

    fn tell(&mut self, trials: &[Trial]) -> Result<(), PluginError> {
        let measured = trials.iter().map(|trial| (trial.outcome, trial.measurements.clone()));
        self.measured.extend(measured);
        Ok(())
    }
}

#[test]
fn untrained_networks_are_told_their_proxies_and_charged_and_are_no_evaluations() {
    let untrained = |oracle: &Oracle| {
        let mut script = Scripted::of(&[[0, 2], [0, 0], [0, 2], [0, 1]]);
        for proposal in &mut script.proposals[..3] {
            proposal.details.fidelity = Some(Fidelity::UNTRAINED);
        }
        let mut strategy = Noting { script, measured: Vec::new() };
        let plan = plan(100.0);
        let answers = oracle.answers(&plan.fidelity).unwrap();
        let run = SeedRun::new(oracle, &plan, &answers, Unit::Seconds, 7);
        let found = run.run(&mut strategy, &[], &mut []).unwrap();
        (found, strategy.measured)
    };
    let accuracy = vec![Objective::maximize("validation_accuracy")];
    let proxied = Oracle::new("digits", Box::new(Proxied), &space(), accuracy).unwrap();
    let (found, measured) = untrained(&proxied);
    assert_eq!((found.evaluations, found.spent, found.verdict), (1, 3.0 * 0.5 + 10.0, -1.0));
    let proxy = Measurements::from([("synflow", 2.0)]);
    let expected = [
        (Outcome::Untrained, proxy.clone()),
        (Outcome::Untrained, Measurements::default()),
        (Outcome::Untrained, proxy),
        (Outcome::Finished, Measurements::default()),
    ];
    assert_eq!(measured, expected);
    let (found, measured) = untrained(&oracle());
    assert_eq!((found.evaluations, found.spent), (1, 10.0));
    assert!(measured[..3].iter().all(|(outcome, _)| *outcome == Outcome::Invalid));
}
