//! Shape inference: what a layer returns for what it is given.

use super::shape::MAX_ELEMENTS;
use super::{Groups, Layer, Shape, ShapeError};

/// The shape that `layer` returns for inputs of these shapes.
///
/// # Errors
/// Whatever makes the layer impossible: wrong number of inputs, rank, extents, attribute range.
pub fn infer_shape(layer: &Layer, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
    let shape = infer(layer, inputs)?;
    if shape.elements() > MAX_ELEMENTS {
        return Err(ShapeError::TooLarge { layer: layer.name(), shape });
    }
    Ok(shape)
}

fn infer(layer: &Layer, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
    let name = layer.name();
    let one = || match inputs {
        [input] => Ok(*input),
        _ => Err(ShapeError::Arity { layer: name, expected: "one", found: inputs.len() }),
    };
    let attribute = |attribute, found: String, expected: &str| ShapeError::Attribute {
        layer: name,
        attribute,
        found,
        expected: expected.to_owned(),
    };
    let check_axis = |axis: usize, shape: &Shape| match axis < shape.0.len() {
        true => Ok(()),
        false => Err(attribute("axis", axis.to_string(), &format!("an axis of {shape}"))),
    };
    Ok(match layer {
        Layer::Input { shape } => {
            if !inputs.is_empty() {
                let found = inputs.len();
                return Err(ShapeError::Arity { layer: name, expected: "no", found });
            }
            if shape.0.is_empty() || shape.0.contains(&0) {
                return Err(attribute("shape", shape.to_string(), "extents of at least 1"));
            }
            shape.clone()
        }
        Layer::Zero { shape } => {
            if shape.0.is_empty() || shape.0.contains(&0) {
                return Err(attribute("shape", shape.to_string(), "extents of at least 1"));
            }
            shape.clone()
        }
        Layer::Identity | Layer::Activation(_) | Layer::DropPath => one()?.clone(),
        Layer::Scale { factor } => match factor.is_finite() {
            true => one()?.clone(),
            false => return Err(attribute("factor", factor.to_string(), "a finite number")),
        },
        Layer::Dropout { probability } => match (0.0..1.0).contains(probability) {
            true => one()?.clone(),
            false => return Err(attribute("probability", probability.to_string(), "0 to below 1")),
        },
        Layer::Conv1d(conv) => {
            let [channels, length] = image::<2>(name, "[channels, length]", one()?)?;
            let out_channels = grouped_channels(name, conv.groups, channels, conv.out_channels)?;
            let length =
                window(name, length, conv.kernel, conv.stride, conv.padding, conv.dilation)?;
            Shape::from([out_channels, length])
        }
        Layer::Conv2d(conv) => {
            let [channels, height, width] = image::<3>(name, "[channels, height, width]", one()?)?;
            let out_channels = grouped_channels(name, conv.groups, channels, conv.out_channels)?;
            let [height, width] = window_2d(
                name,
                [height, width],
                conv.kernel,
                conv.stride,
                conv.padding,
                conv.dilation,
            )?;
            Shape::from([out_channels, height, width])
        }
        Layer::Linear(linear) => {
            if linear.out_features == 0 {
                return Err(attribute("out_features", "0".into(), "at least 1"));
            }
            let mut shape = one()?.clone();
            match shape.0.last_mut() {
                Some(features) => *features = linear.out_features,
                None => return Err(rank(name, "[.., features]", &shape)),
            }
            shape
        }
        Layer::BatchNorm(norm) => {
            if norm.eps <= 0.0 || !norm.eps.is_finite() {
                return Err(attribute("eps", norm.eps.to_string(), "a positive number"));
            }
            if !(0.0..=1.0).contains(&norm.momentum) {
                return Err(attribute("momentum", norm.momentum.to_string(), "0 to 1"));
            }
            one()?.clone()
        }
        Layer::LayerNorm(norm) => match norm.eps > 0.0 && norm.eps.is_finite() {
            true => one()?.clone(),
            false => return Err(attribute("eps", norm.eps.to_string(), "a positive number")),
        },
        Layer::GroupNorm(norm) => {
            let input = one()?;
            if !divides(norm.groups, input.channels()) {
                let expected = format!("a divisor of {} channels", input.channels());
                return Err(attribute("groups", norm.groups.to_string(), &expected));
            }
            input.clone()
        }
        Layer::Pool1d(pool) => {
            let [channels, length] = image::<2>(name, "[channels, length]", one()?)?;
            check_pool_padding(name, pool.kernel, pool.padding)?;
            Shape::from([
                channels,
                window(name, length, pool.kernel, pool.stride, pool.padding, 1)?,
            ])
        }
        Layer::Pool2d(pool) => {
            let [channels, height, width] = image::<3>(name, "[channels, height, width]", one()?)?;
            for axis in 0..2 {
                check_pool_padding(name, pool.kernel[axis], pool.padding[axis])?;
            }
            let extents = [height, width];
            let [height, width] =
                window_2d(name, extents, pool.kernel, pool.stride, pool.padding, [1, 1])?;
            Shape::from([channels, height, width])
        }
        Layer::AdaptiveAvgPool(pool) => {
            let input = one()?;
            if input.spatial().len() != pool.output.len() || pool.output.contains(&0) {
                let expected = format!("{} extents of at least 1", input.spatial().len());
                return Err(attribute("output", format!("{:?}", pool.output), &expected));
            }
            let mut shape = vec![input.channels()];
            shape.extend(&pool.output);
            Shape(shape)
        }
        Layer::GlobalAvgPool => {
            let input = one()?;
            if input.0.len() < 2 {
                return Err(rank(name, "[channels, ..]", input));
            }
            Shape::from([input.channels()])
        }
        Layer::Add => {
            let Some((first, rest)) = inputs.split_first() else {
                return Err(ShapeError::Arity { layer: name, expected: "one or more", found: 0 });
            };
            agree(name, first, rest)?;
            (*first).clone()
        }
        Layer::Mul => {
            let [first, second] = two(name, inputs)?;
            let fits = first.0.len() == second.0.len()
                && first.0.iter().zip(&second.0).all(|(a, b)| a == b || *b == 1);
            if !fits {
                let (first, other) = (first.clone(), second.clone());
                return Err(ShapeError::Disagree { layer: name, first, other });
            }
            first.clone()
        }
        Layer::Concat(concat) => {
            let Some((first, rest)) = inputs.split_first() else {
                return Err(ShapeError::Arity { layer: name, expected: "one or more", found: 0 });
            };
            check_axis(concat.axis, first)?;
            let mut joined = (*first).clone();
            for other in rest {
                let mut expected = (*first).clone();
                match other.0.get(concat.axis) {
                    Some(&extent) => expected.0[concat.axis] = extent,
                    None => return Err(rank(name, "the first input's rank", other)),
                }
                agree(name, &expected, &[other])?;
                joined.0[concat.axis] = joined.0[concat.axis].saturating_add(other.0[concat.axis]);
            }
            joined
        }
        Layer::Slice(slice) => {
            let mut shape = one()?.clone();
            check_axis(slice.axis, &shape)?;
            let extent = shape.0[slice.axis];
            let end = slice.end.unwrap_or(extent);
            if slice.step == 0 || slice.start >= end || end > extent {
                let found = format!("{}..{end} by {}", slice.start, slice.step);
                let expected = format!("a part of 0..{extent}, step at least 1");
                return Err(attribute("range", found, &expected));
            }
            shape.0[slice.axis] = (end - slice.start).div_ceil(slice.step);
            shape
        }
        Layer::Transpose { first, second } => {
            let mut shape = one()?.clone();
            check_axis(*first, &shape)?;
            check_axis(*second, &shape)?;
            shape.0.swap(*first, *second);
            shape
        }
        Layer::Reshape { shape } => {
            let input = one()?;
            if shape.0.is_empty() || shape.elements() != input.elements() {
                let expected = format!("as many elements as {input}");
                return Err(attribute("shape", shape.to_string(), &expected));
            }
            shape.clone()
        }
        Layer::Flatten => Shape::from([one()?.elements()]),
        Layer::MatMul(product) => {
            let [first, second] = two(name, inputs)?;
            let (rank_first, rank_second) = (first.0.len(), second.0.len());
            if rank_first < 2 || rank_first != rank_second {
                let (first, other) = (first.clone(), second.clone());
                return Err(ShapeError::Disagree { layer: name, first, other });
            }
            let (mut inner, mut columns) = (second.0[rank_second - 2], second.0[rank_second - 1]);
            if product.transpose_second {
                std::mem::swap(&mut inner, &mut columns);
            }
            let batches_agree = first.0[..rank_first - 2] == second.0[..rank_second - 2];
            if first.0[rank_first - 1] != inner || !batches_agree {
                let (first, other) = (first.clone(), second.clone());
                return Err(ShapeError::Disagree { layer: name, first, other });
            }
            let mut shape = first.clone();
            shape.0[rank_first - 1] = columns;
            shape
        }
        Layer::Softmax { axis } => {
            let input = one()?;
            check_axis(*axis, input)?;
            input.clone()
        }
        Layer::Embedding(embedding) => {
            let input = one()?;
            if input.0.len() != 1 {
                return Err(rank(name, "[tokens]", input));
            }
            if embedding.vocabulary == 0 || embedding.features == 0 {
                let found = format!("{} × {}", embedding.vocabulary, embedding.features);
                return Err(attribute("vocabulary × features", found, "at least 1 × 1"));
            }
            Shape::from([input.0[0], embedding.features])
        }
    })
}

fn two<'a>(name: &'static str, inputs: &[&'a Shape]) -> Result<[&'a Shape; 2], ShapeError> {
    match inputs {
        [first, second] => Ok([first, second]),
        _ => Err(ShapeError::Arity { layer: name, expected: "two", found: inputs.len() }),
    }
}

fn rank(layer: &'static str, expected: &'static str, found: &Shape) -> ShapeError {
    ShapeError::Rank { layer, expected, found: found.clone() }
}

fn image<const RANK: usize>(
    layer: &'static str,
    expected: &'static str,
    shape: &Shape,
) -> Result<[usize; RANK], ShapeError> {
    shape.0.as_slice().try_into().map_err(|_| rank(layer, expected, shape))
}

fn agree(layer: &'static str, first: &Shape, others: &[&Shape]) -> Result<(), ShapeError> {
    match others.iter().find(|other| **other != first) {
        None => Ok(()),
        Some(other) => {
            Err(ShapeError::Disagree { layer, first: first.clone(), other: (*other).clone() })
        }
    }
}

/// Channels that a convolution returns, if its groups divide them and those of the input.
fn grouped_channels(
    layer: &'static str,
    groups: Groups,
    channels: usize,
    out_channels: usize,
) -> Result<usize, ShapeError> {
    match groups {
        Groups::Depthwise => Ok(channels),
        Groups::Count(groups) => {
            if out_channels == 0 {
                return Err(ShapeError::Attribute {
                    layer,
                    attribute: "out_channels",
                    found: "0".into(),
                    expected: "at least 1".into(),
                });
            }
            match divides(groups, channels) && divides(groups, out_channels) {
                true => Ok(out_channels),
                false => Err(ShapeError::Attribute {
                    layer,
                    attribute: "groups",
                    found: groups.to_string(),
                    expected: format!("a divisor of {channels} and {out_channels} channels"),
                }),
            }
        }
    }
}

fn check_pool_padding(
    layer: &'static str,
    kernel: usize,
    padding: usize,
) -> Result<(), ShapeError> {
    match padding <= kernel / 2 {
        true => Ok(()),
        false => Err(ShapeError::Attribute {
            layer,
            attribute: "padding",
            found: padding.to_string(),
            expected: format!("at most half the window, {}", kernel / 2),
        }),
    }
}

fn window_2d(
    layer: &'static str,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
) -> Result<[usize; 2], ShapeError> {
    let along = |i: usize| window(layer, size[i], kernel[i], stride[i], padding[i], dilation[i]);
    Ok([along(0)?, along(1)?])
}

/// Output extent of a sliding window (PyTorch's `floor` mode).
fn window(
    layer: &'static str,
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Result<usize, ShapeError> {
    for (attribute, value) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
        if value == 0 {
            let (found, expected) = ("0".into(), "at least 1".into());
            return Err(ShapeError::Attribute { layer, attribute, found, expected });
        }
    }
    let extent = dilation.saturating_mul(kernel - 1).saturating_add(1);
    let padded = size.saturating_add(padding.saturating_mul(2));
    match padded.checked_sub(extent) {
        Some(room) => Ok(room / stride + 1),
        None => Err(ShapeError::Window { layer, window: extent, size, padding }),
    }
}

fn divides(divisor: usize, number: usize) -> bool {
    divisor > 0 && number % divisor == 0
}
