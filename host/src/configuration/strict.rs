//! The schema of settings in the form in which configurations are checked.

use nas_core::settings::Settings;
use nas_plugin_api::component::{ComponentInfo, ComponentKind};
use schemars::schema_for;
use serde_json::{Map, Value};

/// The schema of [`Settings`] as schemars writes it.
pub(crate) fn settings_schema() -> Value {
    schema_for!(Settings).to_value()
}

/// The settings, described like a component, so that both are checked by the same code.
///
/// Stricter than serde: `#[serde(flatten)]` lets unknown keys through, this does not. What is
/// required is left out: `required` finds that with better words.
pub(super) fn settings_info() -> ComponentInfo {
    let mut schema = settings_schema();
    tighten(&mut schema);
    ComponentInfo {
        kind: ComponentKind::Strategy,
        name: "settings".to_owned(),
        summary: String::new(),
        schema,
        defaults: Value::Object(Map::new()),
    }
}

fn tighten(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            if fields.get("required").is_some_and(Value::is_array) {
                fields.shift_remove("required");
            }
            drop_null(fields);
            fields.values_mut().for_each(tighten);
        }
        Value::Array(items) => items.iter_mut().for_each(tighten),
        _ => {}
    }
}

/// TOML has no null: what is optional is left out.
fn drop_null(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = fields.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(any)) = fields.get_mut("anyOf") {
        any.retain(|one| one.get("type").is_none_or(|kind| kind != "null"));
        if let [only] = any.as_slice()
            && let Value::Object(only) = only.clone()
        {
            fields.shift_remove("anyOf");
            fields.extend(only);
        }
    }
}
