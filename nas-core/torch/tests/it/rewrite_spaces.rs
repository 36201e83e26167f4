//! Each rule finds something to do on two spaces, and all of them together change no number.

use nas_core::network::{NetworkSpace, OperationGraphs, Supernet as Plan};
use nas_plugin_api::component::{Component, Mixture, Need, OperationSet, SearchSpace};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use nas_torch::batches::Batch;
use nas_torch::network::{Network, Options};
use nas_torch::program::{Op, Program};
use nas_torch::rewrite::{RULES, Rule};
use nas_torch::supernet::{Settings, Supernet};
use ops_basic::BasicOperations;
use ops_darts::DartsOperations;
use ops_nb201::Nb201Operations;
use space_chain::{ChainConfig, ChainSpace};
use space_darts::{DartsConfig, DartsSpace};
use space_nb201::{Nb201Config, Nb201Space};
use tch::{Device, Kind, Tensor};

use crate::splitmix::{numbers, set_parameters};

fn supernet(space: &dyn SearchSpace, operations: Box<dyn OperationSet>, cells: usize) -> Plan {
    let scale = Scale {
        input: Shape::from([3, 8, 8]),
        classes: 4,
        channels: Some(4),
        cells: Some(cells),
        auxiliary_head: false,
        role: Role::Search,
    };
    let operations = OperationGraphs::new(operations);
    let networks = NetworkSpace::new(space, operations, &scale, Role::Search).unwrap();
    networks.supernet(1).unwrap()
}

fn darts(operations: Box<dyn OperationSet>) -> Plan {
    let config = DartsConfig { nodes: 2, ..DartsConfig::default() };
    supernet(&DartsSpace::create(config, ()).unwrap(), operations, 3)
}

fn nb201(operations: Box<dyn OperationSet>, names: &[&str]) -> Plan {
    let operations_named = names.iter().map(|&name| name.to_owned()).collect();
    let config = Nb201Config { operations: operations_named, ..Nb201Config::default() };
    supernet(&Nb201Space::create(config, ()).unwrap(), operations, 1)
}

fn chain() -> Plan {
    let config = ChainConfig { cells: 1, ..ChainConfig::default() };
    supernet(&ChainSpace::create(config, ()).unwrap(), Box::new(BasicOperations), 1)
}

/// NAS-Bench-201's cells with plain convolutions, without batch norms behind them.
fn plain_nb201() -> Plan {
    nb201(Box::new(BasicOperations), &["conv_1x1", "conv_3x3", "identity", "none"])
}

fn rule(name: &str) -> Rule {
    RULES.into_iter().find(|(known, _)| *known == name).unwrap()
}

/// Before the rule comes all that stands before it in the list.
#[track_caller]
fn check_match(name: &str, plan: &Plan, matches: impl Fn(&Program, &Program) -> bool) {
    let mut program = Program::from_supernet(plan).unwrap();
    for (_, earlier) in RULES.into_iter().take_while(|(known, _)| *known != name) {
        earlier(&mut program);
    }
    let before = program.clone();
    rule(name).1(&mut program);
    assert!(matches(&before, &program), "{name} finds nothing");
}

fn count(program: &Program, is: impl Fn(&Op) -> bool) -> usize {
    program.nodes.iter().filter(|node| is(&node.op)).count()
}

fn n_edges(program: &Program) -> usize {
    program.nodes.iter().map(|node| node.inputs.len()).sum()
}

/// How many nodes an output depends on.
fn n_alive(program: &Program) -> usize {
    let mut program = program.clone();
    rule("drop_dead").1(&mut program);
    program.nodes.len()
}

fn less<T: PartialOrd>(of: impl Fn(&Program) -> T) -> impl Fn(&Program, &Program) -> bool {
    move |before, after| of(after) < of(before)
}

#[test]
fn each_rule_matches_on_two_spaces() {
    let nb201 = || nb201(Box::new(Nb201Operations), &[]);
    let darts = || darts(Box::new(DartsOperations));
    for plan in [darts(), nb201()] {
        check_match("drop_zero", &plan, less(n_edges));
        check_match("share", &plan, less(n_alive));
        check_match("flatten_sums", &plan, less(n_alive));
        check_match("drop_dead", &plan, less(|program| program.nodes.len()));
        let is_norm = |op: &Op| matches!(op, Op::NormalizedSum { norms, .. } if norms.len() > 1);
        check_match("fuse_norms", &plan, |_, after| count(after, is_norm) > 0);
    }
    for plan in [nb201(), plain_nb201()] {
        check_match("drop_identity", &plan, less(n_alive));
    }
    for plan in [darts(), self::darts(Box::new(Nb201Operations))] {
        let is_subsample = |op: &Op| matches!(op, Op::Subsample { .. });
        check_match("subsample", &plan, |_, after| count(after, is_subsample) > 0);
    }
    for plan in [chain(), plain_nb201()] {
        let is_merged = |op: &Op| matches!(op, Op::MergedConvolution { .. });
        check_match("merge_convolutions", &plan, |_, after| count(after, is_merged) > 0);
    }
}

/// Loss, gradient in the mixture and gradients of all weights, in 64 bits.
fn pass(plan: &Plan, rules: &[Rule]) -> Vec<Tensor> {
    let options = Options { device: Device::Cpu, kind: Kind::Double, channels_last: true };
    let program = Program::from_supernet(plan).unwrap();
    let network = Network::assemble(program, rules, 0, options).unwrap();
    set_parameters(network.parameters());
    let images = network.lay_out(&numbers(1_000_000, &[4, 3, 8, 8])).unwrap();
    let batch = Batch { images, labels: Tensor::from_slice(&[0_i64, 1, 2, 3]) };
    let weights: Vec<f64> = Vec::try_from(&numbers(5, &[plan.n_paths as i64])).unwrap();
    let mixture = Mixture {
        weights: weights.iter().map(|weight| 0.6 + 0.4 * weight).collect(),
        needs: vec![Need::ForwardGrad; plan.n_paths],
    };
    let settings = Settings {
        learning_rate: 0.0,
        momentum: 0.9,
        nesterov: false,
        weight_decay: 0.0,
        gradient_clip: 0.0,
        label_smoothing: 0.0,
        auxiliary_weight: 0.0,
        skip_dropout: 0.0,
        drop_path: 0.0,
    };
    let mut supernet = Supernet::of(network, settings).unwrap();
    let result = supernet.single_level(&batch, &mixture).unwrap();
    let parameters = supernet.network().parameters();
    let velocity = supernet.optimizer().velocity();
    let gradients = (0..parameters.learnt().len()).map(|at| parameters.part_of(velocity, at));
    [Tensor::from(result.loss), Tensor::from_slice(&result.gradient)]
        .into_iter()
        .chain(gradients.map(Result::unwrap))
        .collect()
}

#[test]
fn all_rules_together_change_no_number() {
    let plans = [
        darts(Box::new(DartsOperations)),
        darts(Box::new(Nb201Operations)),
        nb201(Box::new(Nb201Operations), &[]),
        plain_nb201(),
        chain(),
    ];
    for (index, plan) in plans.iter().enumerate() {
        let (plain, rewritten) = (pass(plan, &[]), pass(plan, &RULES));
        assert_eq!(plain.len(), rewritten.len());
        for (ours, theirs) in rewritten.iter().zip(&plain) {
            let scale = theirs.abs().max().double_value(&[]).max(1e-6);
            let difference = (ours - theirs).abs().max().double_value(&[]) / scale;
            assert!(difference < 1e-9, "space {index} differs by {difference:e}");
        }
    }
}
