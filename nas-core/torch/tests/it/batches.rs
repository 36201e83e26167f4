//! From bytes to batches: order, normalisation, augmentation.

use nas_torch::augment::{Augmentation, Augmenter};
use nas_torch::batches::Batches;
use nas_torch::network::{Network, Options};
use nas_torch::pixels::Pixels;
use nas_torch::random::Random;
use tch::Device;

use crate::fixtures::small_net;

/// Images of 4×4 pixels and 2 channels whose bytes count up.
fn counting(n_images: usize) -> Pixels {
    let bytes = (0..n_images * 32).map(|byte| (byte % 256) as u8).collect();
    let labels = (0..n_images as i64).collect();
    Pixels { bytes, labels, shape: [2, 4, 4], mean: vec![0.5, 0.25], std: vec![0.5, 0.25] }
}

fn written(augmentation: Augmentation, seed: u64) -> Vec<f32> {
    let pixels = counting(1);
    let mut target = vec![f32::NAN; 32];
    let augmenter = Augmenter::new(augmentation, &pixels);
    augmenter.write(pixels.image(0), &mut Random::new(seed, 0), &mut target);
    target
}

fn normalized(byte: f32, channel: usize) -> f32 {
    let (mean, std) = ([0.5, 0.25][channel], [0.5, 0.25][channel]);
    (byte / 255.0 - mean) / std
}

#[track_caller]
fn assert_close(found: f32, expected: f32) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn bytes_are_normalized_per_channel() {
    for (place, number) in written(Augmentation::default(), 0).into_iter().enumerate() {
        assert_close(number, normalized(place as f32, place % 2));
    }
}

#[test]
fn flips_happen_in_half_of_the_draws_and_mirror_columns() {
    let plain = written(Augmentation::default(), 0);
    let flip = Augmentation { flip: true, ..Augmentation::default() };
    let mut flipped = 0;
    for seed in 0..100 {
        let image = written(flip, seed);
        if image != plain {
            flipped += 1;
            for (place, number) in image.into_iter().enumerate() {
                let (row, column, channel) = (place / 8, place % 8 / 2, place % 2);
                assert_eq!(number, plain[row * 8 + (3 - column) * 2 + channel]);
            }
        }
    }
    assert!((30..70).contains(&flipped), "{flipped} of 100");
}

#[test]
fn a_crop_moves_the_image_over_black() {
    let crop = Augmentation { crop_padding: 2, ..Augmentation::default() };
    let plain = written(Augmentation::default(), 0);
    let mut moves = std::collections::HashSet::new();
    for seed in 0..300 {
        let image = written(crop, seed);
        let fits = |down: i32, right: i32| {
            image.iter().enumerate().all(|(place, &number)| {
                let (row, column, channel) = (place / 8, place % 8 / 2, place % 2);
                let (y, x) = (row as i32 - down, column as i32 - right);
                let expected = match (0..4).contains(&y) && (0..4).contains(&x) {
                    true => plain[y as usize * 8 + x as usize * 2 + channel],
                    false => normalized(0.0, channel),
                };
                (number - expected).abs() < 1e-6
            })
        };
        let all = (-2..=2).flat_map(|down| (-2..=2).map(move |right| (down, right)));
        moves.insert(all.into_iter().find(|&(down, right)| fits(down, right)).expect("a move"));
    }
    assert_eq!(moves.len(), 25);
}

#[test]
fn cutout_sets_a_clipped_square_to_zero() {
    let cut = Augmentation { cutout: 2, ..Augmentation::default() };
    for seed in 0..50 {
        let image = written(cut, seed);
        let zeros = image.iter().filter(|&&number| number == 0.0).count();
        assert!([2, 4, 8].contains(&zeros), "{zeros} zeros");
    }
}

#[test]
fn an_epoch_has_every_image_once_in_a_new_order() {
    let pixels = counting(10);
    let network = Network::build(&small_net([2, 4, 4], 2), 0, Options::on(Device::Cpu)).unwrap();
    let mut random = Random::new(0, 0);
    let mut batches = Batches::share(&pixels, 1.0, 4, Augmentation::default());
    assert_eq!((batches.len(), batches.n_training()), (3, 2));
    let mut labels = |batches: &mut Batches<'_>| -> Vec<i64> {
        batches.shuffle(&mut random);
        (0..3)
            .flat_map(|number| {
                let batch = batches.batch(number, &network, &mut random).unwrap();
                Vec::<i64>::try_from(&batch.labels).unwrap()
            })
            .collect()
    };
    let (first, second) = (labels(&mut batches), labels(&mut batches));
    assert_ne!(first, second);
    let mut sorted = first;
    sorted.sort_unstable();
    assert_eq!(sorted, pixels.labels);
}

#[test]
fn images_arrive_as_channels_height_width() {
    let pixels = counting(3);
    let network = Network::build(&small_net([2, 4, 4], 2), 0, Options::on(Device::Cpu)).unwrap();
    let mut random = Random::new(0, 0);
    let batch = Batches::all(&pixels, 8).batch(0, &network, &mut random).unwrap();
    assert_eq!(batch.images.size(), [3, 2, 4, 4]);
    let number = batch.images.double_value(&[1, 1, 2, 3]) as f32;
    assert_close(number, normalized(32.0 + 2.0 * 8.0 + 3.0 * 2.0 + 1.0, 1));
}

#[test]
fn a_small_share_is_part_of_a_larger_one() {
    let pixels = counting(10);
    let share = |fraction| Batches::share(&pixels, fraction, 4, Augmentation::default()).n_images();
    assert_eq!([share(0.001), share(0.5), share(1.0)], [1, 5, 10]);
}
