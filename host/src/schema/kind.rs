//! What can be written for a setting, in words.

use serde_json::Value;

use super::target;

/// The kind of a value: `whole number`, `text`, `"sgd", "adam" or "adamw"`, `list of texts`.
pub(super) fn kind(root: &Value, schema: &Value) -> String {
    let schema = target(root, schema);
    let words = words(root, schema);
    if !words.is_empty() {
        let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        return join_or(&quoted);
    }
    match type_of(schema) {
        Some("array") => {
            let items =
                schema.get("items").map_or_else(|| "value".to_owned(), |one| kind(root, one));
            format!("list of {items}")
        }
        Some("string") if schema.get("format").is_some_and(|format| format == "file") => {
            "file".to_owned()
        }
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("string") => "text".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("object") => "table".to_owned(),
        _ => "any".to_owned(),
    }
}

/// The range of a number, or the form of a text, as the schema has it: `1 to 100`, `at least 2`.
pub(super) fn range(root: &Value, schema: &Value) -> String {
    let outer = schema;
    let schema = target(root, schema);
    let limit = |key: &str| outer.get(key).or_else(|| schema.get(key));
    // A type's own least value is no news.
    let is_news = |value: &&Value| {
        schema.get("format").is_none() || value.as_f64() != Some(0.0) || limit("maximum").is_some()
    };
    match (limit("minimum").filter(is_news), limit("maximum")) {
        (Some(min), Some(max)) => format!("{} to {}", number(min), number(max)),
        (Some(min), None) => format!("at least {}", number(min)),
        (None, Some(max)) => format!("at most {}", number(max)),
        (None, None) => String::new(),
    }
}

/// The words of a choice, each with what it means.
pub(super) fn words(root: &Value, schema: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(Value::Array(all)) = schema.get("enum") {
        return all.iter().filter_map(|word| Some((text(word)?, String::new()))).collect();
    }
    let Some(Value::Array(alternatives)) = schema.get("oneOf") else { return Vec::new() };
    alternatives
        .iter()
        .map(|alternative| target(root, alternative))
        .flat_map(|alternative| {
            let doc = alternative.get("description").and_then(text).unwrap_or_default();
            let doc = doc.replace('\n', " ");
            match alternative.get("const").and_then(text) {
                Some(word) => vec![(word, doc)],
                None => words(root, alternative),
            }
        })
        .collect()
}

fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    }
}

fn number(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        _ => value.to_string(),
    }
}

fn join_or(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
