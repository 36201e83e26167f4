//! Checking a component's configuration before anything runs.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use nas_plugin_api::component::ComponentInfo;
use serde_json::{Map, Value};

use super::nearest::nearest;
use super::schema::{properties, resolve, words};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where, as a JSON pointer into the component's own settings (`/population`).
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What would be right, where that can be said.
    pub expected: Option<String>,
    /// A name that may have been meant.
    pub nearest: Option<String>,
}

/// Checks what a user wrote against the component's schema, and fills in the defaults.
///
/// # Errors
/// Everything that is wrong, not only the first.
pub fn check_config(
    info: &ComponentInfo,
    config: &Map<String, Value>,
) -> Result<Value, Vec<ConfigProblem>> {
    let whole = Value::Object(config.clone());
    let validator = jsonschema::validator_for(&info.schema).map_err(|error| {
        let message = format!("the schema of `{}` itself is wrong: {error}", info.name);
        vec![ConfigProblem { pointer: String::new(), message, expected: None, nearest: None }]
    })?;
    let problems: Vec<ConfigProblem> =
        validator.iter_errors(&whole).flat_map(|error| problems(info, &error)).collect();
    match problems.is_empty() {
        true => Ok(with_defaults(&info.schema, &info.schema, &info.defaults, whole)),
        false => Err(problems),
    }
}

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.pointer.is_empty() {
            write!(out, "`{}`: ", self.pointer.trim_start_matches('/').replace('/', "."))?;
        }
        out.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(out, " (expected {expected})")?;
        }
        match &self.nearest {
            Some(name) => write!(out, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

/// An error of the validator, as a user would want to read it; one for each unknown key.
fn problems(info: &ComponentInfo, error: &ValidationError<'_>) -> Vec<ConfigProblem> {
    let pointer = error.instance_path().as_str().to_owned();
    let schema = resolve(&info.schema, &pointer);
    let given = error.instance();
    let problem = |message: String, expected: Option<String>| {
        vec![ConfigProblem { pointer: pointer.clone(), message, expected, nearest: None }]
    };
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known: Vec<&str> = schema.map(properties).unwrap_or_default();
            unexpected.iter().map(|key| unknown_key(&pointer, key, &known)).collect()
        }
        Kind::Type { .. } => {
            let expected = schema.and_then(|schema| schema.get("type")).map(type_words);
            problem(format!("{given} is of the wrong type"), expected)
        }
        Kind::Minimum { limit } => problem(too("small", given), Some(format!("at least {limit}"))),
        Kind::Maximum { limit } => problem(too("large", given), Some(format!("at most {limit}"))),
        Kind::ExclusiveMinimum { limit } => {
            problem(too("small", given), Some(format!("more than {limit}")))
        }
        Kind::ExclusiveMaximum { limit } => {
            problem(too("large", given), Some(format!("less than {limit}")))
        }
        Kind::Pattern { pattern } => {
            problem(format!("{given} has another form"), Some(format!("`{pattern}`")))
        }
        Kind::Enum { .. } | Kind::OneOfNotValid { .. } | Kind::AnyOf { .. } => {
            let known = schema.map(|schema| words(&info.schema, schema)).unwrap_or_default();
            match known.is_empty() {
                true => problem(format!("{given} is not possible here"), None),
                false => vec![unknown_word(&pointer, given, &known)],
            }
        }
        _ => problem(error.to_string(), None),
    }
}

fn unknown_key(pointer: &str, key: &str, known: &[&str]) -> ConfigProblem {
    ConfigProblem {
        pointer: format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        message: "there is no such setting".to_owned(),
        expected: Some(match known {
            [] => "no settings at all".to_owned(),
            known => format!("one of {}", known.join(", ")),
        }),
        nearest: nearest(key, known.iter().copied()).map(str::to_owned),
    }
}

fn unknown_word(pointer: &str, given: &Value, known: &[String]) -> ConfigProblem {
    let written = given.as_str().unwrap_or_default();
    ConfigProblem {
        pointer: pointer.to_owned(),
        message: format!("{given} is none of the words for this"),
        expected: Some(format!("one of {}", known.join(", "))),
        nearest: nearest(written, known.iter().map(String::as_str)).map(str::to_owned),
    }
}

fn too(what: &str, given: &Value) -> String {
    format!("{given} is too {what}")
}

fn type_words(kind: &Value) -> String {
    let one = |kind: &Value| match kind.as_str() {
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("string") => "a text",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        Some("object") => "a table",
        Some("null") => "nothing",
        _ => "something else",
    };
    match kind {
        Value::Array(kinds) => kinds.iter().map(one).collect::<Vec<_>>().join(" or "),
        kind => one(kind).to_owned(),
    }
}

/// What is given, and the defaults for everything else. Tables with settings of their own are
/// filled in, too; anything else is one value.
fn with_defaults(root: &Value, schema: &Value, defaults: &Value, given: Value) -> Value {
    let (Value::Object(defaults), Value::Object(mut given)) = (defaults, given.clone()) else {
        return given;
    };
    let Some(fields) = super::schema::target(root, schema).get("properties") else {
        return Value::Object(given);
    };
    let mut all = Map::new();
    for (key, default) in defaults {
        let value = match (given.remove(key), fields.get(key)) {
            (None, _) => default.clone(),
            (Some(value), Some(field)) => with_defaults(root, field, default, value),
            (Some(value), None) => value,
        };
        all.insert(key.clone(), value);
    }
    all.extend(given);
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use nas_plugin_api::component::ComponentKind;
    use nas_plugin_api::{configuration, schemars};
    use serde_json::json;

    use super::*;

    configuration! {
        /// How parents are chosen.
        enum Selection {
            /// The best half.
            Truncation,
            /// The best of a random few.
            Tournament,
        }
    }

    configuration! {
        /// A table within.
        struct Mutation {
            /// Chance of a change.
            #[schemars(range(min = 0.0, max = 1.0))]
            rate: f64 = 0.1,
            /// Most changes.
            most: u32 = 3u32,
        }
    }

    configuration! {
        /// All of it.
        struct Settings {
            /// Networks alive at once.
            #[schemars(range(min = 2, max = 1000))]
            population: usize = 50usize,
            /// How parents are chosen.
            selection: Selection = Selection::Truncation,
            /// A table within.
            mutation: Mutation = Mutation::default(),
            /// May be absent.
            patience: Option<u32> = None,
        }
    }

    #[track_caller]
    fn check(config: Value, expected: Result<Value, &str>) {
        let info = ComponentInfo {
            kind: ComponentKind::Strategy,
            name: "evolution".to_owned(),
            summary: String::new(),
            schema: schemars::schema_for!(Settings).to_value(),
            defaults: serde_json::to_value(Settings::default()).expect("defaults are data"),
        };
        let Value::Object(config) = config else { panic!("a table") };
        let found = check_config(&info, &config).map_err(|problems| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        });
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn what_is_absent_gets_its_default() {
        let (selection, patience) = ("truncation", Value::Null);
        check(
            json!({"mutation": {"rate": 0.5}, "population": 4}),
            Ok(json!({
                "population": 4, "selection": selection,
                "mutation": {"rate": 0.5, "most": 3}, "patience": patience,
            })),
        );
    }

    #[test]
    fn an_unknown_key_is_told_with_the_one_that_was_meant() {
        check(
            json!({"populaton": 4, "zzz": 1}),
            Err("`populaton`: there is no such setting (expected one of population, selection, \
                 mutation, patience); did you mean `population`?\n\
                 `zzz`: there is no such setting (expected one of population, selection, \
                 mutation, patience)"),
        );
        check(
            json!({"mutation": {"rates": 0.5}}),
            Err(
                "`mutation.rates`: there is no such setting (expected one of rate, most); did you \
                 mean `rate`?",
            ),
        );
    }

    #[test]
    fn a_wrong_value_is_told_with_what_is_right() {
        check(json!({"population": 1}), Err("`population`: 1 is too small (expected at least 2)"));
        check(
            json!({"population": "many"}),
            Err("`population`: \"many\" is of the wrong type (expected a whole number)"),
        );
        check(
            json!({"mutation": {"rate": 1.5}}),
            Err("`mutation.rate`: 1.5 is too large (expected at most 1.0)"),
        );
        check(
            json!({"selection": "turnament"}),
            Err("`selection`: \"turnament\" is none of the words for this (expected one of \
                 truncation, tournament); did you mean `tournament`?"),
        );
        check(
            json!({"patience": "long"}),
            Err("`patience`: \"long\" is of the wrong type (expected a whole number or nothing)"),
        );
    }
}
