//! Images and jobs that several tests use.

use std::path::{Path, PathBuf};

use nas_core::protocol::TrialJob;
use nas_core::protocol::data::{DataConfig, DataFormat, DataRequest, DataSummary};
use nas_core::protocol::recipe::Recipe;
use nas_plugin_api::graph::{Conv2d, Graph, GraphBuilder, Layer, Linear};
use nas_torch::pixels::Pixels;
use nas_torch::random::Random;

/// Two classes: bright on the left, or bright on the right; the rest is noise.
pub(crate) fn two_sides(n_images: usize) -> Pixels {
    let (mut random, side) = (Random::new(1, 0), 8);
    let labels: Vec<i64> = (0..n_images).map(|_| i64::from(random.coin())).collect();
    let bytes = labels
        .iter()
        .flat_map(|&label| (0..side * side).map(move |place| (label, place)))
        .map(|(label, place)| {
            let bright = usize::from((place % side < side / 2) == (label == 0)) * 100;
            (bright + random.below(100)) as u8
        })
        .collect();
    Pixels { bytes, labels, shape: [1, side, side], mean: vec![0.4], std: vec![0.25] }
}

/// A small convolutional network for images of this shape.
pub(crate) fn small_net(shape: [usize; 3], classes: usize) -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input(shape);
    let x = g.layer(Conv2d::new(8, 3).padding(1), x);
    let x = g.batch_norm(x);
    let x = g.relu(x);
    let x = g.layer(Layer::Flatten, x);
    let x = g.layer(Linear::new(classes), x);
    g.finish(x).unwrap()
}

/// The built-in digits, prepared in a folder.
pub(crate) fn digits(folder: &Path) -> DataSummary {
    let config = DataConfig {
        format: DataFormat::Digits,
        path: None,
        validation_fraction: 0.2,
        holdout_fraction: 0.2,
        limit: None,
        max_duplicates: None,
        split_seed: 0,
    };
    nas_torch::data::prepare(&DataRequest { config, output: folder.to_owned() }).unwrap()
}

/// A job that trains `graph` for some epochs without limits.
pub(crate) fn job(graph: Graph, epochs: u32, log: PathBuf) -> TrialJob {
    TrialJob {
        trial: 7,
        attempt: 0,
        graph,
        recipe: Recipe { learning_rate: 0.05, ..Recipe::default() },
        epochs,
        data_fraction: 1.0,
        seed: 3,
        shuffles_labels: false,
        needs: Vec::new(),
        cpu_seconds: 1e6,
        memory_bytes: u64::MAX,
        keep_weights: None,
        schedule_epochs: 0,
        keep_checkpoint: None,
        continue_from: None,
        inherited: None,
        log,
    }
}
