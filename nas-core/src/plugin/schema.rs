//! Finding one's way in a JSON Schema as schemars writes them.

use serde_json::Value;

/// The schema of the value at a JSON pointer, if the schema says anything about it.
pub(super) fn resolve<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(target(root, root), |schema, step| {
        let key = step.replace("~1", "/").replace("~0", "~");
        let inner = match schema.get("properties").and_then(|fields| fields.get(&key)) {
            Some(field) => field,
            None => schema.get("items").or_else(|| schema.get("additionalProperties"))?,
        };
        Some(target(root, inner))
    })
}

/// What a schema refers to, if it only refers to another; else itself.
pub(super) fn target<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}

/// The names of a table's settings.
pub(super) fn properties(schema: &Value) -> Vec<&str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|fields| fields.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// The alternatives of a schema; those that are tried in turn, or the schema itself.
pub(super) fn alternatives<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = target(root, schema);
    ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array())
        .map_or_else(|| vec![schema], |all| all.iter().map(|one| target(root, one)).collect())
}

/// The words that a schema allows, if it is a choice between words.
pub(super) fn words(root: &Value, schema: &Value) -> Vec<String> {
    let texts = |values: &[Value]| -> Vec<String> {
        values.iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    };
    alternatives(root, schema)
        .into_iter()
        .flat_map(|alternative| match (alternative.get("const"), alternative.get("enum")) {
            (Some(word), _) => texts(std::slice::from_ref(word)),
            (None, Some(Value::Array(all))) => texts(all),
            // An optional choice between words.
            _ if alternative.get("oneOf").is_some() => words(root, alternative),
            _ => Vec::new(),
        })
        .collect()
}
