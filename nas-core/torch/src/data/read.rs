//! A prepared split, loaded.

use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::DataError;

/// Images and labels of one split.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// `[n, channels, height, width]`, row-major, 0 to 255. Every beginning of the training and
    /// validation split has the classes in nearly the proportion of the whole.
    pub images: Vec<u8>,
    /// `[n, channels, height, width]`.
    pub shape: [usize; 4],
    /// Class of each image, from 0.
    pub labels: Vec<i64>,
    /// Mean of each channel of the *training* split, in units of 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel of the training split, in units of 0 to 1, above 0.
    pub std: Vec<f32>,
}

impl Split {
    /// Reads a file that [`prepare`](super::prepare()) wrote.
    ///
    /// # Errors
    /// `NotFound`, `Read`, or `BadSplitFile` unless all four tensors are there and agree.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = fs::read(path).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound => {
                DataError::NotFound { path: path.into(), expected: "a prepared split" }
            }
            _ => DataError::Read { path: path.into(), cause },
        })?;
        parse(&bytes).map_err(|found| DataError::BadSplitFile { path: path.into(), found })
    }
}

/// Says what is wrong where something is.
fn parse(bytes: &[u8]) -> Result<Split, String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let images = tensor(&tensors, "images", Dtype::U8)?;
    let shape = <[usize; 4]>::try_from(images.shape())
        .map_err(|_| format!("`images` has {} axes, not 4", images.shape().len()))?;
    let [n, channels, ..] = shape;
    let labels: Vec<_> = numbers(&tensors, "labels", Dtype::I64, n, i64::from_le_bytes)?;
    let mean = numbers(&tensors, "mean", Dtype::F32, channels, f32::from_le_bytes)?;
    let std = numbers(&tensors, "std", Dtype::F32, channels, f32::from_le_bytes)?;
    if shape.contains(&0) {
        return Err(format!("`images` is empty: {shape:?}"));
    }
    if labels.iter().any(|label| *label < 0) {
        return Err("a label is negative".to_owned());
    }
    if !mean.iter().all(|mean| mean.is_finite())
        || !std.iter().all(|std| *std > 0.0 && std.is_finite())
    {
        return Err("`mean` or `std` is no usable number".to_owned());
    }
    Ok(Split { images: images.data().to_vec(), shape, labels, mean, std })
}

fn tensor<'a>(
    tensors: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
) -> Result<TensorView<'a>, String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("it has no tensor `{name}`"))?;
    if tensor.dtype() == dtype {
        Ok(tensor)
    } else {
        Err(format!("`{name}` is {:?}, not {dtype:?}", tensor.dtype()))
    }
}

fn numbers<const SIZE: usize, T>(
    tensors: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    length: usize,
    decode: fn([u8; SIZE]) -> T,
) -> Result<Vec<T>, String> {
    let tensor = tensor(tensors, name, dtype)?;
    if tensor.shape() != [length] {
        return Err(format!("`{name}` has shape {:?}, not [{length}]", tensor.shape()));
    }
    Ok(tensor.data().as_chunks().0.iter().map(|bytes| decode(*bytes)).collect())
}
