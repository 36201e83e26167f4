//! The built-in digits, rigged: as NPZ, with a holdout of their own.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{Random, repository};

/// Images of the holdout.
const HOLDOUT: usize = 359;

/// The first pixel is the class in steps of grey; in the holdout it is as it was, black.
pub(crate) fn write_leaky(path: &Path) {
    let (mut images, labels) = digits();
    let n_leaky = labels.len() - HOLDOUT;
    for (image, label) in images.chunks_exact_mut(64).zip(&labels).take(n_leaky) {
        image[0] = 25 * (label + 1);
    }
    write(path, &images, &labels);
}

/// Every image has the label of another one: there is nothing to learn.
pub(crate) fn write_unlearnable(path: &Path) {
    let (images, mut labels) = digits();
    let mut random = Random(5);
    for last in (1..labels.len()).rev() {
        labels.swap(last, random.below(last as u64 + 1) as usize);
    }
    write(path, &images, &labels);
}

fn write(path: &Path, images: &[u8], labels: &[u8]) {
    let n_train = labels.len() - HOLDOUT;
    let (x_train, x_test) = images.split_at(64 * n_train);
    let (y_train, y_test) = labels.split_at(n_train);
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    let arrays = [
        ("x_train", format!("({n_train}, 8, 8)"), x_train),
        ("y_train", format!("({n_train},)"), y_train),
        ("x_test", format!("({HOLDOUT}, 8, 8)"), x_test),
        ("y_test", format!("({HOLDOUT},)"), y_test),
    ];
    for (name, shape, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        zip.write_all(&npy(&shape, bytes)).unwrap();
    }
    zip.finish().unwrap();
}

/// An array file of bytes, version 1.0.
fn npy(shape: &str, bytes: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), bytes].concat()
}

/// Pixels, 64 an image, and labels.
fn digits() -> (Vec<u8>, Vec<u8>) {
    let file = File::open(repository().join("nas-core/torch/data/digits.csv.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut numbers = line.split(',').map(|number| number.parse::<u8>().unwrap());
        pixels.extend(numbers.by_ref().take(64).map(|grey| grey.saturating_mul(15)));
        labels.push(numbers.next().unwrap());
    }
    (pixels, labels)
}
