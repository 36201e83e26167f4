//! Reading JSON Schemas as schemars writes them: which settings there are, of which kind, with
//! which default. For tables that people read; checking is `nas_core::plugin::check_config`'s part.

mod kind;
mod setting;

pub(crate) use setting::{Setting, settings};

use serde_json::Value;

/// What a schema refers to, if it only refers to another; else itself.
pub(crate) fn target<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = schema
        .get("anyOf")
        .and_then(Value::as_array)
        .and_then(|any| any.iter().find(|one| one.get("type").is_none_or(|kind| kind != "null")))
        .unwrap_or(schema);
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}
