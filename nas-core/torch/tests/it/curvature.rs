//! The eigenvalue that the collapse guard watches against that of the whole Hessian, on a supernet
//! with all the bends of ReLUs and pools.

use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::component::{Component, OneShotStrategy, StrategyContext};
use nas_plugin_api::graph::Shape;
use nas_plugin_api::template::{Role, Scale};
use nas_plugin_api::trial::Fidelity;
use nas_torch::batches::Batch;
use nas_torch::network::{Network, Options};
use nas_torch::program::Program;
use nas_torch::rewrite::RULES;
use nas_torch::supernet::{Settings, Supernet, largest_eigenvalue};
use ops_darts::DartsOperations;
use space_darts::{DartsConfig, DartsSpace};
use strategy_darts::Darts;
use strategy_darts::one_shot::OneShot;
use tch::{Device, Kind, Tensor};

use crate::splitmix::{numbers, set_parameters};

/// Products with the Hessian, as the search takes them.
const N_PRODUCTS: usize = 12;
// Streams of numbers.
const IMAGES: u64 = 1_000_001;
const ALPHA: u64 = 1_000_002;

/// A small supernet of the darts space and a strategy that relaxes it.
struct Curved {
    supernet: Supernet,
    strategy: OneShot<Darts>,
    batch: Batch,
    /// Where the Hessian is taken.
    point: Vec<f64>,
}

impl Curved {
    /// In 64 bits, at architecture weights of about this size.
    fn new(size: f64) -> Self {
        tch::set_num_threads(1);
        let space = DartsSpace::create(DartsConfig { nodes: 2, ..Default::default() }, ()).unwrap();
        let scale = Scale {
            input: Shape::from([3, 8, 8]),
            classes: 10,
            channels: Some(4),
            cells: Some(3),
            auxiliary_head: false,
            role: Role::Search,
        };
        let operations = OperationGraphs::new(Box::new(DartsOperations));
        let networks = NetworkSpace::new(&space, operations, &scale, Role::Search).unwrap();
        let program = Program::from_supernet(&networks.supernet(1).unwrap()).unwrap();
        let options = Options { device: Device::Cpu, kind: Kind::Double, channels_last: true };
        let network = Network::assemble(program, &RULES, 0, options).unwrap();
        set_parameters(network.parameters());
        let supernet = Supernet::of(network, Settings::from_recipe(&Recipe::default())).unwrap();
        let context = StrategyContext {
            space: networks.space().clone(),
            seed: 1,
            objectives: Vec::new(),
            fidelity: Fidelity { epochs: 1, data_fraction: 1.0 },
            proxies: Vec::new(),
            untrained_share: 0.0,
        };
        let strategy = OneShot::create(strategy_darts::DartsConfig::default(), context).unwrap();
        let images = supernet.network().lay_out(&numbers(IMAGES, &[16, 3, 8, 8])).unwrap();
        let labels: Vec<i64> = (0..16).map(|at| at * 7 % 10).collect();
        let batch = Batch { images, labels: Tensor::from_slice(&labels) };
        let known = strategy.alpha();
        let drawn: Vec<f64> = Vec::try_from(numbers(ALPHA, &[known.len() as i64])).unwrap();
        let point = known.iter().zip(drawn).map(|(known, drawn)| known + size * drawn).collect();
        Self { supernet, strategy, batch, point }
    }

    fn gradient(&mut self, at: &[f64]) -> Vec<f64> {
        let mixture = self.strategy.relax_at(at).unwrap();
        let result = self.supernet.look(&self.batch, &mixture).unwrap();
        self.strategy.pull_back_at(at, &result.gradient).unwrap()
    }

    /// The signal.
    fn eigenvalue(&mut self) -> f64 {
        let point = self.point.clone();
        let found = largest_eigenvalue::<()>(&point, N_PRODUCTS, &mut |at| Ok(self.gradient(at)));
        found.unwrap().largest
    }

    /// The same of the whole Hessian, column by column with points ten times as close.
    fn exact(&mut self) -> f64 {
        const DISTANCE: f64 = 1e-9;
        let point = self.point.clone();
        let free: Vec<usize> = (0..point.len()).filter(|&at| point[at].is_finite()).collect();
        let mut columns = Vec::new();
        for &at in &free {
            let mut side = |distance: f64| {
                let mut moved = point.clone();
                moved[at] += distance;
                self.gradient(&moved)
            };
            let (above, below) = (side(DISTANCE), side(-DISTANCE));
            columns.extend(free.iter().map(|&row| (above[row] - below[row]) / (2.0 * DISTANCE)));
        }
        let n = free.len() as i64;
        let hessian = Tensor::from_slice(&columns).view([n, n]);
        let hessian = (&hessian + hessian.transpose(0, 1)) / 2.0;
        hessian.linalg_eigvalsh("L").max().double_value(&[])
    }
}

#[track_caller]
fn check(size: f64) {
    let mut curved = Curved::new(size);
    let (found, exact) = (curved.eigenvalue(), curved.exact());
    assert!((found / exact - 1.0).abs() < 0.03, "{found}, but the Hessian has {exact}");
}

#[test]
fn the_eigenvalue_is_the_hessians_where_a_search_begins() {
    check(0.0);
}

#[test]
fn the_eigenvalue_is_the_hessians_where_operations_differ() {
    check(1.0);
}
