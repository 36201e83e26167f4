//! Settings, spaces and reports that a method can't work with: errors that say what to do.

use nas_plugin_api::component::{Command, Component, Report};
use nas_plugin_api::template::{Space, TemplateBuilder};
use strategy_darts::method::Method;
use strategy_darts::one_shot::OneShot;
use strategy_darts::{
    Darts, DartsConfig, DrNas, DrNasConfig, Gdas, GdasConfig, PDarts, PDartsConfig, PcDarts,
    PcDartsConfig,
};

use crate::methods::small;
use crate::spaces::{context, nb201};

#[track_caller]
fn check<M: Method>(config: M::Config, space: &Space, expected: &str) {
    let error = OneShot::<M>::create(config, context(space, 0)).err().unwrap();
    assert_eq!(error.message, expected);
    assert!(error.help.is_some());
}

#[test]
fn settings_that_contradict_each_other() {
    let space = nb201();
    let config = DartsConfig { order: 3, ..DartsConfig::default() };
    check::<Darts>(config, &space, "use DARTS of order 3");
    let config = DartsConfig { epochs: 0, ..DartsConfig::default() };
    check::<Darts>(config, &space, "search `darts` for no epoch");
    let config = DartsConfig { alpha_betas: [0.5, 1.0], ..DartsConfig::default() };
    check::<Darts>(config, &space, "step architecture weights with a beta of 1");
    let config = PcDartsConfig { epochs: 15, ..PcDartsConfig::default() };
    let message =
        "search `pc-darts` for 15 epochs: the architecture weights are frozen in all of them";
    check::<PcDarts>(config, &space, message);
    let config = GdasConfig { last_temperature: 0.0, ..GdasConfig::default() };
    check::<Gdas>(config, &space, "draw paths at a temperature of 0 or less");
    let config = DrNasConfig { stage_epochs: vec![5], ..DrNasConfig::default() };
    let message = "search in 1 stages with 2 channel fractions and 2 numbers of operations";
    check::<DrNas>(config, &space, message);
    let config = PDartsConfig { skip_dropout: vec![0.1], ..PDartsConfig::default() };
    let message = "search in 3 stages with 3 numbers of cells and 1 rates of dropout";
    check::<PDarts>(config, &space, message);
    let config = PDartsConfig { skip_dropout: vec![0.1, 0.4, 1.0], ..PDartsConfig::default() };
    check::<PDarts>(config, &space, "drop skip connections at rate 1");
}

#[test]
fn a_space_without_a_choice() {
    let mut template = TemplateBuilder::new("fixed");
    let x = template.input([4]);
    let x = template.linear(2, x);
    let space = Space::new(template.finish(x).unwrap()).unwrap();
    let message = "search space `fixed`: it has no choice to make";
    check::<Darts>(DartsConfig::default(), &space, message);
}

/// Gives a gradient to the first architecture step.
#[track_caller]
fn check_gradient(gradient: Vec<f64>, expected: &str) {
    let mut strategy = small("darts", &nb201(), 0);
    let mut report = Report { steps_per_epoch: 10, ..Report::default() };
    strategy.next(&report).unwrap();
    assert!(matches!(strategy.next(&report), Ok(Command::ArchStep { .. })));
    report.gradient = gradient;
    let error = strategy.next(&report).unwrap_err();
    assert_eq!(error.message, expected);
}

#[test]
fn gradients_that_nothing_can_be_learnt_from() {
    let message = "learn from a gradient of 2 numbers: the mixture has 30";
    check_gradient(vec![0.0; 2], message);
    let mut gradient = vec![0.0; 30];
    gradient[7] = f64::NAN;
    let message =
        "learn from the gradient of choice `edge_0_2`: path 2 has none, or it is no number";
    check_gradient(gradient.clone(), message);
    gradient[7] = f64::INFINITY;
    let message =
        "learn from the gradient of choice `edge_0_2`: path 2 has none, or it is no number";
    check_gradient(gradient, message);
}

#[test]
fn an_epoch_without_a_batch() {
    let mut strategy = small("darts", &nb201(), 0);
    let report = Report::default();
    strategy.next(&report).unwrap();
    let error = strategy.next(&report).unwrap_err();
    assert_eq!(error.message, "train an epoch: the split has no batch");
}
