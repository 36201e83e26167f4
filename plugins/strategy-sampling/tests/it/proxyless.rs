//! ProxylessNAS.

use nas_plugin_api::component::{Component, Need, OneShotStrategy, Report};
use nas_plugin_api::error::PluginError;
use nas_plugin_api::template::{Space, TemplateBuilder};
use strategy_sampling::{CostLoss, Gates, Proxyless, ProxylessConfig};

use crate::toy::{Toy, mean_recovered};
use crate::{cell, chain, context, everything};

/// Choices of the planted problem.
const LAYERS: usize = 20;

pub(crate) fn config(gates: Gates) -> ProxylessConfig {
    ProxylessConfig {
        epochs: 30,
        warmup_epochs: 1,
        alpha_learning_rate: 0.05,
        cost_loss: CostLoss::None,
        gates,
        ..ProxylessConfig::default()
    }
}

fn proxyless(space: Space, seed: u64, config: ProxylessConfig) -> Proxyless {
    Proxyless::create(config, context(space, seed)).unwrap()
}

#[track_caller]
fn check_recovers(config: &ProxylessConfig) {
    let space = chain(LAYERS);
    let recovered = mean_recovered(|seed| {
        let mut toy = Toy::new(&space, seed);
        toy.steps_per_epoch = 100;
        let genotypes = toy.run(&mut proxyless(space.clone(), seed, config.clone()));
        toy.recovered(&genotypes[0])
    });
    assert!(recovered >= 0.9, "{recovered}");
}

#[test]
fn the_planted_operations_are_recovered() {
    check_recovers(&config(Gates::FullV2));
}

#[test]
fn the_planted_operations_are_recovered_by_two_paths() {
    check_recovers(&config(Gates::Two));
}

#[test]
fn before_the_search_little_is_recovered() {
    let space = chain(LAYERS);
    let recovered = mean_recovered(|seed| {
        let mut toy = Toy::new(&space, seed);
        let mut strategy = proxyless(space.clone(), seed, config(Gates::FullV2));
        toy.run_epochs(&mut strategy, 2);
        toy.recovered(toy.derived[1].as_ref().unwrap())
    });
    assert!(recovered < 0.4, "{recovered}");
}

#[test]
fn architecture_weights_move_every_fifth_step_behind_the_first_epoch() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    let short = ProxylessConfig { epochs: 2, warmup_epochs: 2, ..config(Gates::FullV2) };
    let mut strategy = proxyless(space, 0, short);
    assert_eq!(strategy.plan().unwrap().epochs, 4);
    toy.run(&mut strategy);
    let kinds: String =
        toy.commands.iter().map(|text| text.chars().next().unwrap_or('?')).collect();
    // Settings, ten steps, the end: `E` is both an edit and the end of an epoch.
    let rests = "ETTTTTTTTTTE";
    assert_eq!(kinds, [rests, rests, rests, "ETTTTTATTTTTAE", "D"].concat());
}

#[test]
fn the_learning_rate_is_that_of_warm_up_and_search() {
    let space = chain(LAYERS);
    let mut toy = Toy::new(&space, 0);
    let short = ProxylessConfig { epochs: 4, warmup_epochs: 2, ..config(Gates::FullV2) };
    toy.run(&mut proxyless(space, 0, short));
    let rates: Vec<f64> = toy.training.iter().map(|t| t.learning_rate.unwrap()).collect();
    for (rate, expected) in rates.iter().zip([0.05, 0.025, 0.025, 0.021_338_834_764, 0.0125]) {
        assert!((rate - expected).abs() < 1e-9, "{rates:?}");
    }
    assert!(toy.training.iter().all(|training| training.label_smoothing == Some(0.1)));
}

#[test]
fn full_gates_compute_every_path_and_two_gates_two() {
    let space = chain(LAYERS);
    for (gates, computed) in [(Gates::FullV2, 8), (Gates::Two, 2)] {
        let mut toy = Toy::new(&space, 0);
        toy.run(&mut proxyless(space.clone(), 0, ProxylessConfig { epochs: 2, ..config(gates) }));
        assert!(!toy.arch_steps.is_empty());
        for mixture in &toy.arch_steps {
            let needs = mixture.needs.iter();
            assert_eq!(needs.filter(|need| **need == Need::ForwardGrad).count(), LAYERS * computed);
            assert_eq!(mixture.weights.iter().filter(|weight| **weight == 1.0).count(), LAYERS);
            assert_eq!(mixture.weights.iter().sum::<f64>(), LAYERS as f64);
        }
    }
}

#[test]
fn expensive_paths_lose_under_either_cost_loss() {
    // No path is better, one of each choice is cheaper.
    let space = chain(LAYERS);
    for cost_loss in [CostLoss::MulLog, CostLoss::AddLinear] {
        let mut toy = Toy::new(&space, 3);
        toy.steps_per_epoch = 100;
        toy.planted = vec![usize::MAX; LAYERS];
        toy.noise = 0.0;
        toy.path_costs = (0..LAYERS * 8).map(|p| if p % 8 == 5 { 1.0 } else { 1000.0 }).collect();
        let mut strategy =
            proxyless(space.clone(), 3, ProxylessConfig { cost_loss, ..config(Gates::FullV2) });
        let genotypes = toy.run(&mut strategy);
        let cheap = genotypes[0].0.iter().filter(|&&option| option == 5).count();
        assert!(cheap >= 18, "{cost_loss:?} {cheap}");
    }
}

/// Whether the architecture weights of the only choice move when `open` is the open path.
fn moves(open: &str) -> bool {
    let mut builder = TemplateBuilder::new("one");
    let x = builder.input([4, 8, 8]);
    let names = ["conv", "skip"];
    let x = builder.operation("only", &names, x);
    let space = Space::new(builder.finish(x).unwrap()).unwrap();
    let wanted = names.iter().position(|name| *name == open).unwrap();
    for seed in 0..100 {
        let mut toy = Toy::new(&space, seed);
        toy.steps_per_epoch = 5;
        let one = ProxylessConfig { epochs: 2, warmup_epochs: 0, ..config(Gates::FullV2) };
        let mut strategy = proxyless(space.clone(), seed, one);
        let before = strategy.alpha();
        toy.run_epochs(&mut strategy, 2);
        if toy.arch_steps[0].weights[wanted] == 1.0 {
            return strategy.alpha() != before;
        }
    }
    panic!("{open} never opened");
}

#[test]
fn an_open_skip_keeps_its_choice_s_weights() {
    assert!(moves("conv"));
    assert!(!moves("skip"));
}

#[test]
fn every_kind_of_choice_is_searched() {
    for space in [cell(), everything()] {
        let mut toy = Toy::new(&space, 1);
        let short = ProxylessConfig { epochs: 3, ..config(Gates::FullV2) };
        let mut strategy = proxyless(space.clone(), 1, short);
        let genotypes = toy.run(&mut strategy);
        assert!(space.check(&genotypes[0]).is_ok());
        let alpha = strategy.alpha();
        let zeros = vec![0.0; alpha.len()];
        assert_eq!(strategy.relax_at(&zeros).unwrap().weights.len(), alpha.len());
        let pulled = strategy.pull_back_at(&zeros, &zeros).unwrap();
        let nan = |numbers: &[f64]| numbers.iter().map(|n| n.is_nan()).collect::<Vec<_>>();
        assert_eq!(nan(&pulled), nan(&alpha));
    }
}

#[test]
fn two_gates_need_one_path_a_choice() {
    let error = proxyless(cell(), 0, config(Gates::Two)).plan().unwrap_err();
    let expected = "compute two paths of each choice: choice `normal/node_3` picks 2 of its paths";
    assert_eq!(error.message, expected);
}

#[test]
fn a_search_that_would_never_learn_is_refused() {
    let mut strategy =
        proxyless(chain(LAYERS), 0, ProxylessConfig { epochs: 1, ..config(Gates::Two) });
    assert!(strategy.plan().unwrap_err().message.starts_with("search for 1 epoch"));
    let mut strategy = proxyless(chain(LAYERS), 0, config(Gates::Two));
    let short = Report { steps_per_epoch: 4, ..Report::default() };
    let error = strategy.next(&short).unwrap_err();
    assert!(error.message.starts_with("search with epochs of 4 steps"), "{error}");
}

fn after_an_alpha_step(config: ProxylessConfig, report: &Report) -> Result<(), PluginError> {
    let mut strategy = proxyless(chain(LAYERS), 0, config);
    let plain = Report { steps_per_epoch: 5, ..Report::default() };
    loop {
        if format!("{:?}", strategy.next(&plain)).contains("ArchStep") {
            return strategy.next(report).map(|_| ());
        }
    }
}

#[test]
fn missing_costs_and_gradients_end_the_search() {
    let short = || ProxylessConfig { warmup_epochs: 0, ..config(Gates::FullV2) };
    let gradient = vec![0.1; LAYERS * 8];
    let known = Report { losses: vec![1.0], gradient, ..Report::default() };
    assert_eq!(after_an_alpha_step(short(), &known), Ok(()));
    let diverged = Report { losses: vec![f64::NAN], ..known.clone() };
    let error = after_an_alpha_step(short(), &diverged).unwrap_err();
    assert!(error.message.contains("the loss is NaN"), "{error}");
    let with_cost = ProxylessConfig { cost_loss: CostLoss::MulLog, ..short() };
    let error = after_an_alpha_step(with_cost, &known).unwrap_err();
    assert!(error.message.contains("`cost_loss` needs"), "{error}");
}

#[test]
fn bad_settings_are_refused() {
    for bad in [
        ProxylessConfig { epochs: 0, ..config(Gates::Two) },
        ProxylessConfig { weight_steps_per_alpha_step: 0, ..config(Gates::Two) },
        ProxylessConfig { reference_cost: Some(0.0), ..config(Gates::Two) },
    ] {
        assert!(Proxyless::create(bad, context(chain(LAYERS), 0)).is_err());
    }
}
