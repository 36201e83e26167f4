//! One network trained from scratch.

use nas_core::network::{NetworkSpace, OperationGraphs};
use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::component::Component;
use nas_plugin_api::genotype::Genotype;
use nas_plugin_api::template::Role;
use nas_torch::evaluate::evaluate;
use nas_torch::limits::Watch;
use nas_torch::network::{Network, Options};
use nas_torch::optimizer;
use nas_torch::pixels::Pixels;
use nas_torch::train::{Training, train};
use serde_json::Value;
use tch::Device;

use crate::operations::PlantedOperations;
use crate::run::{BATCH_SIZE, scale};
use crate::space::{PlantedSpace, position_of};

/// Trains the network of these operations and returns its accuracy on the other images.
pub(crate) fn accuracy(
    space: &Value,
    operations: &[usize],
    (training, validation): (&Pixels, &Pixels),
    (epochs, seed): (u32, u64),
) -> f64 {
    tch::set_num_threads(1);
    let space = PlantedSpace::create(serde_json::from_value(space.clone()).unwrap(), ()).unwrap();
    let set = OperationGraphs::new(Box::new(PlantedOperations));
    let networks = NetworkSpace::new(&space, set, &scale(Role::Final), Role::Final).unwrap();
    let positions = operations.iter().enumerate();
    let genotype = Genotype(positions.map(|(edge, &op)| position_of(edge, op) as u16).collect());
    let graph = networks.network(&genotype).unwrap();
    let mut network = Network::build(&graph, seed, Options::on(Device::Cpu)).unwrap();
    let recipe = Recipe { batch_size: BATCH_SIZE, learning_rate: 0.2, ..Recipe::default() };
    let how = Training::whole(&recipe, epochs, seed);
    let mut optimizer = optimizer::create(&recipe, network.parameters()).unwrap();
    let mut watch = Watch::unlimited();
    let optimizer = optimizer.as_mut();
    train(&mut network, training, how, optimizer, &mut watch, &mut |_, _, _| Ok(())).unwrap();
    evaluate(&network, validation, 256, &mut watch).unwrap().accuracy
}
