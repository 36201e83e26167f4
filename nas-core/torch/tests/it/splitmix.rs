//! The numbers that tests and reference scripts both draw.

use tch::Tensor;

/// Uniform in [-1, 1): SplitMix64 started at `stream`·2³², as in the scripts.
pub(crate) fn numbers(stream: u64, size: &[i64]) -> Tensor {
    let count = size.iter().product::<i64>() as u64;
    let drawn: Vec<f64> = (1..=count)
        .map(|step| {
            let mut z = (stream << 32).wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        })
        .collect();
    Tensor::from_slice(&drawn).view(size)
}

/// Weights of convolutions and linear layers of variance 1/fan-in, scales around 1; parameters
/// correspond by their order.
pub(crate) fn set_parameters(parameters: &nas_torch::parameters::Parameters) {
    for (position, parameter) in parameters.learnt().iter().enumerate() {
        let size = parameter.tensor.size();
        let drawn = numbers(position as u64, &size);
        let drawn = match size[1..].iter().product::<i64>() {
            fan_in if size.len() > 1 => drawn * (3.0 / fan_in as f64).sqrt(),
            _ if parameter.name.ends_with("weight") => drawn / 2.0 + 1.0,
            _ => drawn,
        };
        tch::no_grad(|| parameter.tensor.shallow_clone().copy_(&drawn));
    }
}

/// At most 256 numbers of an array, evenly spaced.
pub(crate) fn sample(array: &Tensor) -> Tensor {
    const SAMPLED: i64 = 256;
    let flat = array.flatten(0, -1);
    let step = (flat.size()[0] + SAMPLED - 1) / SAMPLED;
    flat.slice(0, 0, None, step)
}
