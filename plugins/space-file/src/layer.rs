//! Layers by name.

use nas_plugin_api::graph::{
    Activation, Adaptive, BatchNorm, Concat, Conv1d, Conv2d, Embedding, GroupNorm, Layer,
    LayerNorm, Linear, MatMul, Pool1d, Pool2d, Shape, Slice,
};
use nas_plugin_api::serde_json::{self, Value as Json, json};
use toml::{Table, Value};

use crate::value::{Values, evaluate};

/// The layer of this name with these attributes; others keep their defaults.
///
/// A scalar stands for both members of a pair, an expression for its number.
///
/// # Errors
/// A layer or an attribute that does not exist, or a value that does not fit.
pub(crate) fn layer(name: &str, attributes: &Table, values: &Values) -> Result<Layer, String> {
    let default = with_defaults(name).ok_or_else(|| format!("there is no layer `{name}`"))?;
    let failed = |error: serde_json::Error| format!("layer `{name}`: {error}");
    let mut form = serde_json::to_value(&default).map_err(failed)?;
    for (attribute, value) in attributes {
        let fields = form.as_object_mut().and_then(|form| form.values_mut().next());
        let fields = fields.and_then(Json::as_object_mut);
        let known = fields.as_ref().map_or(String::new(), |fields| {
            fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
        });
        let field = fields.and_then(|fields| fields.get_mut(attribute)).ok_or_else(|| {
            let known = if known.is_empty() { "none" } else { &known };
            format!("layer `{name}` has no attribute `{attribute}` (it has {known})")
        })?;
        *field = convert(value, field, values)
            .map_err(|error| format!("`{attribute}` of layer `{name}`: {error}"))?;
    }
    serde_json::from_value(form).map_err(failed)
}

/// A layer of this name; extents that have no default are 0, which no layer accepts.
fn with_defaults(name: &str) -> Option<Layer> {
    Some(match name {
        "conv1d" => Conv1d::new(0, 0).into(),
        "conv2d" => Conv2d::new(0, 0).into(),
        "linear" => Linear::new(0).into(),
        "batch_norm" => BatchNorm::default().into(),
        "layer_norm" => LayerNorm { affine: true, eps: 1e-5 }.into(),
        "group_norm" => GroupNorm { groups: 0, affine: true, eps: 1e-5 }.into(),
        "max_pool1d" => Pool1d::max(0).into(),
        "avg_pool1d" => Pool1d::average(0).into(),
        "max_pool2d" => Pool2d::max(0).into(),
        "avg_pool2d" => Pool2d::average(0).into(),
        "adaptive_avg_pool" => Adaptive { output: Vec::new() }.into(),
        "global_avg_pool" => Layer::GlobalAvgPool,
        "add" => Layer::Add,
        "mul" => Layer::Mul,
        "concat" => Concat { axis: 0, unordered: false }.into(),
        "slice" => Slice { axis: 0, start: 0, end: None, step: 1 }.into(),
        "transpose" => Layer::Transpose { first: 0, second: 1 },
        "scale" => Layer::Scale { factor: 1.0 },
        "reshape" => Layer::Reshape { shape: Shape::default() },
        "flatten" => Layer::Flatten,
        "matmul" => MatMul { transpose_second: false }.into(),
        "softmax" => Layer::Softmax { axis: 0 },
        "embedding" => Embedding { vocabulary: 0, features: 0 }.into(),
        "dropout" => Layer::Dropout { probability: 0.5 },
        "drop_path" => Layer::DropPath,
        "identity" => Layer::Identity,
        "zero" => Layer::Zero { shape: Shape::default() },
        other => serde_json::from_value::<Activation>(json!(other)).ok()?.into(),
    })
}

/// A value in the form of the one that it replaces.
fn convert(value: &Value, default: &Json, values: &Values) -> Result<Json, String> {
    let is_groups = default.get("count").is_some();
    Ok(match (value, default) {
        (Value::String(word), _) if is_groups && word == "depthwise" => json!(word),
        (Value::Integer(_) | Value::String(_), _) if is_groups => {
            json!({ "count": evaluate(value, values)? })
        }
        (Value::Array(items), _) => {
            let items = items.iter().map(|item| convert(item, &json!(0), values));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        (scalar, Json::Array(pair)) if pair.len() == 2 => {
            let scalar = convert(scalar, &pair[0], values)?;
            json!([scalar, scalar])
        }
        (Value::String(_), Json::Number(_) | Json::Null) => json!(evaluate(value, values)?),
        _ => serde_json::to_value(value).map_err(|error| error.to_string())?,
    })
}
