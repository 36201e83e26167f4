//! The settings of a table, in the order in which they were declared.

use serde_json::Value;

use super::kind::{kind, range, words};
use super::target;

/// One key that a user may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its name; keys of tables within are dotted.
    pub(crate) key: String,
    /// What can be written (`whole number`).
    pub(crate) kind: String,
    /// Its range (`1 to 100`); empty where everything of its kind is allowed.
    pub(crate) range: String,
    /// Its default as TOML; absent for what has none.
    pub(crate) default: Option<String>,
    /// Whether it must be given.
    pub(crate) required: bool,
    /// What it means.
    pub(crate) doc: String,
    /// The words of a choice that have an explanation.
    pub(crate) words: Vec<(String, String)>,
}

/// The settings of a table; `defaults` win over those that the schema itself has.
pub(crate) fn settings(schema: &Value, defaults: &Value) -> Vec<Setting> {
    let mut all = Vec::new();
    collect(schema, schema, defaults, "", &mut all);
    all
}

fn collect(root: &Value, schema: &Value, defaults: &Value, prefix: &str, all: &mut Vec<Setting>) {
    let schema = target(root, schema);
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    for (name, property) in properties {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let default = defaults.get(name).or_else(|| property.get("default"));
        let inner = target(root, property);
        if inner.get("properties").is_some() {
            collect(root, inner, default.unwrap_or(&Value::Null), &key, all);
            continue;
        }
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|required| required.iter().any(|one| one == name));
        let doc = [property, inner].iter().find_map(|schema| schema.get("description"));
        all.push(Setting {
            kind: kind(root, property),
            range: range(root, property),
            default: default.and_then(toml),
            required,
            doc: doc.and_then(Value::as_str).unwrap_or_default().replace('\n', " "),
            words: words(root, inner).into_iter().filter(|(_, doc)| !doc.is_empty()).collect(),
            key,
        });
    }
}

/// A value as TOML; null has no form there.
fn toml(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            Some(format!("[{}]", items.iter().filter_map(toml).collect::<Vec<_>>().join(", ")))
        }
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| Some(format!("{key} = {}", toml(value)?));
            let fields: Vec<String> = fields.iter().filter_map(field).collect();
            Some(format!("{{{}}}", fields.join(", ")))
        }
        // JSON writes texts and numbers as TOML does.
        value => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_setting_has_kind_range_default_and_words() {
        let schema = json!({
            "type": "object",
            "properties": {
                "rate": {"type": "number", "minimum": 0.0, "maximum": 1.0, "description": "Chance."},
                "how": {"$ref": "#/$defs/How"},
                "inner": {"$ref": "#/$defs/Inner"},
            },
            "$defs": {
                "How": {"oneOf": [{"const": "a", "description": "First."}, {"const": "b"}]},
                "Inner": {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}},
            },
        });
        let found = settings(&schema, &json!({"rate": 0.5, "how": "a"}));
        let lines: Vec<String> = found
            .iter()
            .map(|one| {
                let default = one.default.clone().unwrap_or_default();
                format!("{} | {} | {} | {default} | {}", one.key, one.kind, one.range, one.doc)
            })
            .collect();
        assert_eq!(
            lines,
            [
                "rate | number | 0 to 1 | 0.5 | Chance.",
                "how | \"a\" or \"b\" |  | \"a\" | ",
                "inner.n | whole number |  |  | "
            ]
        );
        assert_eq!(found[1].words, [("a".to_owned(), "First.".to_owned())]);
    }
}
