//! Rewrites: smaller graphs, equal mathematics.

use nas_plugin_api::graph::{Conv2d, Graph, GraphBuilder, Layer};
use nas_torch::network::{Network, Options};
use nas_torch::program::{Op, Program};
use nas_torch::rewrite::{self, RULES, Rule};
use tch::{Device, Kind, Tensor};

/// Two edges that start with the same ReLU, an identity, a zero, and a branch that leads nowhere.
fn cell() -> Graph {
    let mut g = GraphBuilder::new();
    let image = g.input([4, 6, 6]);
    let x = g.layer(Conv2d::new(4, 3).padding(1), image);
    let x = g.batch_norm(x);
    let mut edge = |x| {
        let y = g.relu(x);
        let y = g.layer(Conv2d::new(4, 3).padding(1), y);
        g.batch_norm(y)
    };
    let (a, b, dead) = (edge(x), edge(x), edge(x));
    let _ = dead;
    let skip = g.layer(Layer::Identity, x);
    let none = g.zero([4, 6, 6], x);
    let none = g.relu(none);
    let sum = g.add(&[none, a, b, skip]);
    let only = g.add(&[none, sum]);
    g.finish(only).unwrap()
}

fn simplified(graph: &Graph) -> Program {
    let mut program = Program::from_graph(graph).unwrap();
    rewrite::simplify(&mut program);
    program
}

fn count(program: &Program, is: impl Fn(&Op) -> bool) -> usize {
    program.nodes.iter().filter(|node| is(&node.op)).count()
}

fn count_layers(program: &Program, name: &str) -> usize {
    count(program, |op| matches!(op, Op::Layer(layer) if layer.name() == name))
}

/// Result and gradients of every parameter that is left, in 64-bit floats.
fn result_and_gradients(rules: &[Rule], names: &[String]) -> Vec<Tensor> {
    let options = Options { kind: Kind::Double, ..Options::on(Device::Cpu) };
    let plain = Program::from_graph(&cell()).unwrap();
    let network = Network::assemble(plain, rules, 0, options).unwrap();
    for learnt in network.parameters().learnt() {
        // The same values by name, whatever else is built.
        let seed = learnt.name.bytes().fold(7, |seed, byte| seed * 31 + i64::from(byte));
        tch::manual_seed(seed);
        let values = Tensor::randn_like(&learnt.tensor);
        tch::no_grad(|| learnt.tensor.shallow_clone().copy_(&values));
    }
    tch::manual_seed(0);
    let images = Tensor::randn([3, 4, 6, 6], (Kind::Double, Device::Cpu));
    let result = network.forward_training(&network.lay_out(&images).unwrap()).unwrap().remove(0);
    result.square().sum(None::<Kind>).backward();
    let learnt = network.parameters().learnt();
    let gradients = names
        .iter()
        .map(|name| learnt.iter().find(|learnt| learnt.name == *name).unwrap().tensor.grad());
    std::iter::once(result.detach()).chain(gradients).collect()
}

#[test]
fn a_cell_shrinks_to_what_is_computed() {
    let program = simplified(&cell());
    assert_eq!(count_layers(&program, "activation"), 1);
    assert_eq!(count_layers(&program, "conv2d"), 3);
    assert_eq!(count_layers(&program, "identity") + count_layers(&program, "zero"), 0);
    assert_eq!(count_layers(&program, "batch_norm"), 0);
    // The first one is read twice and stays alone; the edges' are part of the sum.
    assert_eq!(count(&program, |op| matches!(op, Op::NormalizedSum { .. })), 2);
    assert_eq!(program.nodes.len(), 1 + 1 + 1 + 1 + 2 + 1);
}

#[test]
fn every_rule_keeps_results_and_gradients() {
    let names: Vec<String> = {
        let network = Network::build(&cell(), 0, Options::on(Device::Cpu)).unwrap();
        network.parameters().learnt().iter().map(|learnt| learnt.name.clone()).collect()
    };
    let expected = result_and_gradients(&[], &names);
    for (index, &rule) in RULES.iter().enumerate() {
        for rules in [&[rule], &RULES[..=index]] {
            let ours = result_and_gradients(rules, &names);
            for (ours, theirs) in ours.iter().zip(&expected) {
                let difference = (ours - theirs).abs().max().double_value(&[]);
                assert!(difference < 1e-9, "{} differs by {difference}", rule.0);
            }
        }
    }
}

#[test]
fn a_network_of_zeros_is_computed() {
    let mut g = GraphBuilder::new();
    let x = g.input([4, 6, 6]);
    let zero = g.zero([4, 6, 6], x);
    let sum = g.add(&[zero, zero]);
    let pooled = g.global_avg_pool(sum);
    let logits = g.linear(2, pooled);
    let network = Network::build(&g.finish(logits).unwrap(), 0, Options::on(Device::Cpu)).unwrap();
    let images = Tensor::ones([3, 4, 6, 6], (Kind::Float, Device::Cpu));
    let logits = network.forward(&images).unwrap();
    assert_eq!(logits.size(), [3, 2]);
    let bias = &network.parameters().learnt()[1].tensor;
    assert_eq!(logits.get(0), *bias);
}

#[test]
fn dropout_is_not_shared() {
    let mut g = GraphBuilder::new();
    let x = g.input([100]);
    let a = g.layer(Layer::Dropout { probability: 0.5 }, x);
    let b = g.layer(Layer::Dropout { probability: 0.5 }, x);
    let sum = g.add(&[a, b]);
    assert_eq!(count_layers(&simplified(&g.finish(sum).unwrap()), "dropout"), 2);
}
