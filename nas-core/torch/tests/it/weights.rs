//! Weights on disk: the same network again, or a reason.

use nas_torch::network::{Network, Options};
use nas_torch::weights::{WeightsError, load, save};
use tch::{Device, Kind, Tensor};

use crate::fixtures::small_net;

fn net(channels: usize, seed: u64) -> Network {
    let graph = small_net([channels, 4, 4], 2);
    Network::build(&graph, seed, Options::on(Device::Cpu)).unwrap()
}

#[test]
fn a_loaded_network_answers_as_the_saved_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trial/weights.safetensors");
    let (saved, mut loaded) = (net(1, 1), net(1, 2));
    let images = Tensor::randn([8, 1, 4, 4], (Kind::Float, Device::Cpu));
    // Moves the running statistics away from their start.
    let _ = saved.forward_training(&images).unwrap();
    save(&saved, &path).unwrap();
    assert_ne!(saved.forward(&images).unwrap(), loaded.forward(&images).unwrap());
    load(&mut loaded, &path).unwrap();
    assert_eq!(saved.forward(&images).unwrap(), loaded.forward(&images).unwrap());
    // Nothing half-written is left behind.
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn files_carry_pytorchs_names_and_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    save(&net(3, 1), &path).unwrap();
    let mut found: Vec<(String, Vec<i64>)> = Tensor::read_safetensors(&path)
        .unwrap()
        .into_iter()
        .map(|(name, tensor)| (name, tensor.size()))
        .collect();
    found.sort();
    let expected = [
        ("batch_norm_2.bias", vec![8]),
        ("batch_norm_2.running_mean", vec![8]),
        ("batch_norm_2.running_var", vec![8]),
        ("batch_norm_2.weight", vec![8]),
        ("conv2d_1.weight", vec![8, 3, 3, 3]),
        ("linear_5.bias", vec![2]),
        ("linear_5.weight", vec![2, 128]),
    ];
    assert_eq!(found, expected.map(|(name, size)| (name.to_owned(), size)));
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    save(&net(1, 1), &path).unwrap();
    let error = load(&mut net(3, 1), &path).unwrap_err();
    assert!(matches!(&error, WeightsError::Shape { name, .. } if name == "conv2d_1.weight"));
    let error = load(&mut net(1, 1), &folder.path().join("absent")).unwrap_err();
    assert!(matches!(error, WeightsError::File { .. }), "{error}");
}
