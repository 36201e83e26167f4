//! The supernet against plain PyTorch, and its rules against each other.

use std::path::Path;

use nas_core::network::{NetworkSpace, OperationGraphs, Supernet as Plan};
use nas_plugin_api::component::{Component, Mixture, Need};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Options as Choices, Role, Scale};
use nas_plugin_api::toolkit::mixture_layout::MixtureLayout;
use nas_torch::batches::Batch;
use nas_torch::kernels;
use nas_torch::network::{Network, Options};
use nas_torch::program::Program;
use nas_torch::rewrite::RULES;
use nas_torch::supernet::{Settings, Supernet};
use ops_darts::DartsOperations;
use space_darts::{DartsConfig, DartsSpace};
use tch::{Device, Kind, Tensor};

use crate::splitmix::{numbers, sample, set_parameters};

// As in the script.
const TRAIN: u64 = 1_000_000;
const VALIDATION: u64 = 1_000_001;
const ALPHA: u64 = 1_000_002;
const VELOCITY: u64 = 2_000_000;

fn small_darts() -> (NetworkSpace, Plan) {
    let space = DartsSpace::create(DartsConfig::default(), ()).unwrap();
    let scale = Scale {
        input: Shape::from([3, 16, 16]),
        classes: 10,
        channels: Some(4),
        cells: Some(4),
        auxiliary_head: false,
        role: Role::Search,
    };
    let operations = OperationGraphs::new(Box::new(DartsOperations));
    let networks = NetworkSpace::new(&space, operations, &scale, Role::Search).unwrap();
    let plan = networks.supernet(1).unwrap();
    (networks, plan)
}

/// The script's mixture; edges are summed as they are.
fn mixture(networks: &NetworkSpace) -> Mixture {
    let alpha: Vec<f64> = Vec::try_from(&numbers(ALPHA, &[2 * 14 * 8])).unwrap();
    let layout = MixtureLayout::new(networks.space());
    let mut mixture = layout.plain();
    let mut rows = alpha.chunks(8);
    for (choice, options) in networks.space().template().choices.iter().enumerate() {
        if let Choices::Operation { .. } = options.options {
            let row = rows.next().unwrap();
            let total: f64 = row.iter().map(|a| a.exp()).sum();
            for (path, a) in layout.paths(choice).zip(row) {
                mixture.weights[path] = a.exp() / total;
                mixture.needs[path] = Need::ForwardGrad;
            }
        }
    }
    mixture
}

fn build(plan: &Plan, options: Options, rules: &[nas_torch::rewrite::Rule]) -> Supernet {
    let program = Program::from_supernet(plan).unwrap();
    let network = Network::assemble(program, rules, 0, options).unwrap();
    set_parameters(network.parameters());
    let settings = Settings {
        learning_rate: 0.025,
        momentum: 0.9,
        nesterov: false,
        weight_decay: 3e-4,
        gradient_clip: 5.0,
        label_smoothing: 0.0,
        auxiliary_weight: 0.4,
        skip_dropout: 0.0,
        drop_path: 0.0,
    };
    Supernet::of(network, settings).unwrap()
}

fn batch(supernet: &Supernet, stream: u64, step: i64) -> Batch {
    let images = supernet.network().lay_out(&numbers(stream, &[4, 3, 16, 16])).unwrap();
    let labels: Vec<i64> = (0..4).map(|at| at * step % 10).collect();
    Batch { images, labels: Tensor::from_slice(&labels) }
}

/// The operations' part of a gradient in the mixture, in the script's order.
fn of_operations(networks: &NetworkSpace, gradient: &[f64]) -> Tensor {
    let layout = MixtureLayout::new(networks.space());
    let mut picked = Vec::new();
    for (choice, options) in networks.space().template().choices.iter().enumerate() {
        if let Choices::Operation { .. } = options.options {
            picked.extend(layout.paths(choice).map(|path| gradient[path]));
        }
    }
    Tensor::from_slice(&picked)
}

/// Pulls a gradient in the mixture back to alpha.
fn pull_back(mixture: &Tensor, gradient: &Tensor) -> Tensor {
    let (p, g) = (mixture.view([-1, 8]), gradient.view([-1, 8]));
    let mean = (&p * &g).sum_dim_intlist([1_i64].as_slice(), true, None::<Kind>);
    (&p * (g - mean)).flatten(0, -1)
}

/// Largest difference relative to the largest number.
fn difference(ours: &Tensor, theirs: &Tensor) -> f64 {
    let scale = theirs.abs().max().double_value(&[]).max(1e-12);
    (ours.to_kind(Kind::Double) - theirs).abs().max().double_value(&[]) / scale
}

struct Reference(std::collections::HashMap<String, Tensor>);

impl Reference {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        let arrays = Tensor::read_safetensors(folder.join("supernet_darts.safetensors"));
        Self(arrays.unwrap().into_iter().collect())
    }

    #[track_caller]
    fn check(&self, name: &str, ours: &Tensor, tolerance: f64) {
        let difference = difference(&ours.flatten(0, -1), &self.0[name].flatten(0, -1));
        assert!(difference < tolerance, "{name} is off by {difference:e}");
    }
}

const EXACT: Options = Options { device: Device::Cpu, kind: Kind::Double, channels_last: true };

#[test]
fn a_darts_supernet_is_pytorchs_in_64_bits() {
    let reference = Reference::read();
    let (networks, plan) = small_darts();
    let mixture = mixture(&networks);
    for rules in [&RULES[..0], &RULES] {
        let mut supernet = build(&plan, EXACT, rules);
        let [train, validation] = [batch(&supernet, TRAIN, 3), batch(&supernet, VALIDATION, 7)];
        let logits = supernet.logits(&train.images, &mixture).unwrap();
        reference.check("logits", &logits, 1e-9);
        let first = supernet.look(&validation, &mixture).unwrap().gradient;
        let first = of_operations(&networks, &first);
        let weights = &reference.0["mixture"];
        // `none` adds nothing to the sum: PyTorch has a zero there, too.
        reference.check("first_order", &first, 1e-9);
        reference.check("alpha_first_order", &pull_back(weights, &first), 1e-9);

        for (at, learnt) in supernet.network().parameters().learnt().iter().enumerate() {
            let size = learnt.tensor.size();
            let buffer = numbers(VELOCITY + at as u64, &size) * 0.1;
            let parameters = supernet.network().parameters();
            let mut part = parameters.part_of(supernet.optimizer().velocity(), at).unwrap();
            tch::no_grad(|| part.copy_(&buffer));
        }
        let second = supernet.look_ahead(&train, &validation, &mixture).unwrap().gradient;
        let second = of_operations(&networks, &second);
        reference.check("alpha_second_order", &pull_back(weights, &second), 1e-9);

        let loss = supernet.train_weights(&train, &mixture).unwrap().loss;
        reference.check("loss", &Tensor::from(loss), 1e-9);
    }
}

/// Loss, gradient in the mixture, and gradients of all weights.
fn all_gradients(supernet: &mut Supernet, mixture: &Mixture) -> (f64, Tensor, Vec<Tensor>) {
    let train = batch(supernet, TRAIN, 3);
    supernet.set(Settings {
        learning_rate: 0.0,
        gradient_clip: 0.0,
        ..supernet.settings().clone()
    });
    let result = supernet.single_level(&train, mixture).unwrap();
    let parameters = supernet.network().parameters();
    let velocity = supernet.optimizer().velocity();
    let gradient =
        |at| parameters.part_of(velocity, at).unwrap() - &parameters.learnt()[at].tensor * 3e-4;
    let n_learnt = parameters.learnt().len();
    (result.loss, Tensor::from_slice(&result.gradient), (0..n_learnt).map(gradient).collect())
}

#[test]
fn weight_gradients_are_pytorchs_in_64_bits() {
    let reference = Reference::read();
    let (networks, plan) = small_darts();
    for rules in [&RULES[..0], &RULES] {
        let mut supernet = build(&plan, EXACT, rules);
        let (loss, _, gradients) = all_gradients(&mut supernet, &mixture(&networks));
        reference.check("loss", &Tensor::from(loss), 1e-9);
        for (at, gradient) in gradients.iter().enumerate() {
            reference.check(&format!("gradient/{at}"), &sample(gradient), 1e-9);
        }
        let stored = reference.0.keys().filter(|key| key.starts_with("gradient/")).count();
        assert_eq!(gradients.len(), stored);
    }
}

#[test]
fn every_kernel_path_is_near_in_32_bits() {
    let reference = Reference::read();
    let (networks, plan) = small_darts();
    let _turn = crate::kernels::CHOICE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let options = Options { kind: Kind::Float, ..EXACT };
    for name in ["none", "portable", "avx2", "avx512"] {
        if !kernels::use_only(name) {
            continue;
        }
        let mut supernet = build(&plan, options, &RULES);
        let (train, validation) = (batch(&supernet, TRAIN, 3), batch(&supernet, VALIDATION, 7));
        let mixture = mixture(&networks);
        let first = supernet.look(&validation, &mixture).unwrap().gradient;
        let first = of_operations(&networks, &first);
        reference.check("alpha_first_order", &pull_back(&reference.0["mixture"], &first), 2e-2);
        let logits = supernet.logits(&train.images, &mixture).unwrap();
        reference.check("logits", &logits, 1e-3);
    }
    assert!(kernels::use_only("best"));
}

#[test]
fn skipped_paths_are_absent_and_cost_nothing() {
    let (networks, plan) = small_darts();
    let mut mixture = mixture(&networks);
    let layout = MixtureLayout::new(networks.space());
    // On every edge the fifth operation alone.
    for (choice, options) in networks.space().template().choices.iter().enumerate() {
        if let Choices::Operation { .. } = options.options {
            for (position, path) in layout.paths(choice).enumerate() {
                mixture.needs[path] = if position == 4 { Need::ForwardGrad } else { Need::Skip };
                mixture.weights[path] = if position == 4 { 1.0 } else { 0.0 };
            }
        }
    }
    let mut supernet = build(&plan, EXACT, &RULES);
    let validation = batch(&supernet, VALIDATION, 7);
    let gradient = supernet.look(&validation, &mixture).unwrap().gradient;
    let known = gradient.iter().filter(|number| number.is_finite()).count();
    assert_eq!(known, 28);
}

#[test]
fn mixtures_that_make_no_sense_are_refused() {
    let (networks, plan) = small_darts();
    let mut supernet = build(&plan, EXACT, &RULES);
    let validation = batch(&supernet, VALIDATION, 7);
    let good = mixture(&networks);
    for (weight, expected) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let mut bad = good.clone();
        bad.weights[5] = weight;
        let error = supernet.look(&validation, &bad).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("path 5"), "{error}");
    }
    let mut short = good;
    short.weights.pop();
    let error = supernet.look(&validation, &short).unwrap_err().to_string();
    assert!(error.contains("paths"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_is_an_error() {
    let (networks, plan) = small_darts();
    let mut supernet = build(&plan, EXACT, &RULES);
    let mut train = batch(&supernet, TRAIN, 3);
    train.images *= f64::NAN;
    let error = supernet.train_weights(&train, &mixture(&networks)).unwrap_err().to_string();
    assert!(error.contains("diverged"), "{error}");
}
