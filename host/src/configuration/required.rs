//! Keys that must be there.

use nas_core::launch::Problem;
use serde_json::{Map, Value};

use super::document::join;
use crate::schema::target;

/// Every key that the schema requires and the configuration lacks.
pub(super) fn missing(schema: &Value, table: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    visit(schema, schema, "", &Value::Object(table.clone()), &mut problems);
    problems
}

fn visit(root: &Value, schema: &Value, path: &str, value: &Value, problems: &mut Vec<Problem>) {
    let schema = target(root, schema);
    match value {
        Value::Object(fields) => {
            let required = schema.get("required").and_then(Value::as_array);
            for key in required.into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(key) {
                    let inner = property(root, schema, key);
                    problems.push(absent(path, key, inner));
                }
            }
            for (key, field) in fields {
                if let Some(inner) = property(root, schema, key) {
                    visit(root, inner, &join(path, key), field, problems);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(inner) = schema.get("items") {
                    visit(root, inner, &join(path, &index.to_string()), item, problems);
                }
            }
        }
        _ => {}
    }
}

fn property<'a>(root: &'a Value, schema: &'a Value, key: &str) -> Option<&'a Value> {
    Some(target(root, schema.get("properties")?.get(key)?))
}

fn absent(path: &str, key: &str, schema: Option<&Value>) -> Problem {
    let is_table = schema.is_some_and(|schema| schema.get("properties").is_some());
    let full = join(path, key);
    match is_table {
        true => Problem::new(&full, format!("the table `[{full}]` is missing"))
            .expecting(format!("`[{full}]` with `name = \"…\"`")),
        false => Problem::new(&full, format!("`{key}` is missing"))
            .expecting(format!("`{key} = \"…\"` in `{path}`")),
    }
}
