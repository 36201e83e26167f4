//! Optimisers against tch's, the clip against its definition.

use nas_core::protocol::recipe::{Optimizer, Recipe};
use nas_torch::network::{Network, Options};
use nas_torch::optimizer::{clip_norm, create};
use tch::nn::{self, OptimizerConfig};
use tch::{Device, Kind, Tensor};

use crate::fixtures::small_net;

/// Five steps of a recipe's optimiser and of tch's on the same numbers.
#[track_caller]
fn check(recipe: &Recipe, theirs: impl OptimizerConfig) {
    let mut network =
        Network::build(&small_net([1, 4, 4], 2), 0, Options::on(Device::Cpu)).unwrap();
    let variables = nn::VarStore::new(Device::Cpu);
    let copy = variables.root().var_copy("flat", network.parameters().values());
    let mut theirs = theirs.build(&variables, 0.1).unwrap();
    let mut ours = create(recipe, network.parameters()).unwrap();
    for step in 0..5 {
        tch::manual_seed(step);
        let direction = Tensor::randn_like(&copy);
        let (_, gradients) = network.parameters_mut().values_and_gradients_mut();
        gradients.copy_(&direction);
        ours.step(network.parameters_mut(), 0.1).unwrap();
        theirs.backward_step(&(&copy * direction).sum(None::<Kind>));
        let difference = (network.parameters().values() - &copy).abs().max().double_value(&[]);
        assert!(difference < 2e-6, "step {step} differs by {difference}");
    }
}

#[test]
fn sgd_is_pytorchs() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        let recipe = Recipe { momentum, nesterov, weight_decay: 0.01, ..Recipe::default() };
        check(&recipe, nn::Sgd { momentum, dampening: 0.0, wd: 0.01, nesterov });
    }
}

#[test]
fn adam_and_adamw_are_pytorchs() {
    let recipe = |optimizer| Recipe { optimizer, weight_decay: 0.01, ..Recipe::default() };
    check(&recipe(Optimizer::Adam), nn::Adam { wd: 0.01, ..nn::Adam::default() });
    check(&recipe(Optimizer::Adamw), nn::AdamW { wd: 0.01, ..nn::AdamW::default() });
}

#[test]
fn clipping_limits_the_norm_and_nothing_else() {
    for (limit, expected) in [(2.5, [1.5, 2.0]), (100.0, [3.0, 4.0])] {
        let mut gradients = Tensor::from_slice(&[3.0, 4.0]);
        clip_norm(&mut gradients, limit).unwrap();
        let difference = (gradients - Tensor::from_slice(&expected)).abs().max();
        assert!(difference.double_value(&[]) < 1e-5);
    }
}
