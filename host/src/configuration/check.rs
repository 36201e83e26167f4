//! Comparing a configuration with the schemas of the settings and of the components it names.

use nas_core::launch::Problem;
use nas_core::plugin::{ConfigProblem, PluginLoadError, Registry, check_config};
use nas_core::settings::Settings;
use nas_plugin_api::component::ComponentKind;
use serde_json::{Map, Value};

use super::document::join;
use super::required::missing;
use super::strict::{settings_info, settings_schema};

/// Tables that name a component, with the keys beside `name` that are not the component's own.
const COMPONENTS: [(&str, ComponentKind, &[&str]); 6] = [
    ("operations", ComponentKind::Operations, &[]),
    ("space", ComponentKind::Space, &["channels", "cells", "auxiliary_head"]),
    ("strategy", ComponentKind::Strategy, &[]),
    ("fitness", ComponentKind::Fitness, &[]),
    ("policy", ComponentKind::Policy, &["mode"]),
    ("benchmark", ComponentKind::Benchmark, &[]),
];

/// The settings that a configuration makes, if nothing is wrong with it.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn check(
    table: &Map<String, Value>,
    registry: &Registry,
) -> Result<Settings, Vec<Problem>> {
    let mut problems = missing(&settings_schema(), table);
    if let Err(found) = check_config(&settings_info(), table) {
        problems.extend(found.into_iter().map(|problem| placed("", problem)));
    }
    let wants_supernet = table.contains_key("supernet");
    for (key, kind, others) in COMPONENTS {
        let kind = match (kind, table.get(key).and_then(|component| component.get("name"))) {
            (ComponentKind::Strategy, Some(Value::String(name))) => {
                registry.strategy_kind(name, wants_supernet)
            }
            (kind, _) => kind,
        };
        match table.get(key) {
            Some(Value::Object(component)) => {
                problems.extend(check_component(registry, key, kind, others, component));
            }
            Some(Value::Array(list)) if kind == ComponentKind::Policy => {
                for (index, component) in list.iter().enumerate() {
                    let Value::Object(component) = component else { continue };
                    let key = join(key, &index.to_string());
                    problems.extend(check_component(registry, &key, kind, others, component));
                }
            }
            _ => {}
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    serde_json::from_value(Value::Object(table.clone()))
        .map_err(|error| vec![Problem::new("", error.to_string())])
}

fn check_component(
    registry: &Registry,
    key: &str,
    kind: ComponentKind,
    others: &[&str],
    table: &Map<String, Value>,
) -> Vec<Problem> {
    let Some(Value::String(name)) = table.get("name") else { return Vec::new() };
    let known = match registry.find(kind, name) {
        Ok(known) => known,
        Err(error) if kind == ComponentKind::Strategy => {
            let one_shot = registry.find(ComponentKind::OneShotStrategy, name).err();
            return vec![not_found(&join(key, "name"), with_one_shot(error, one_shot))];
        }
        Err(error) => return vec![not_found(&join(key, "name"), error)],
    };
    let own: Map<String, Value> = table
        .iter()
        .filter(|(key, _)| *key != "name" && !others.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    match check_config(&known.info, &own) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| placed(key, problem)).collect(),
    }
}

/// A schema's problem as one of the whole configuration.
pub(super) fn placed(prefix: &str, problem: ConfigProblem) -> Problem {
    let inner = problem.pointer.trim_start_matches('/').replace('/', ".");
    let key = if inner.is_empty() { prefix.to_owned() } else { join(prefix, &inner) };
    let message = match key.rsplit_once('.') {
        Some((table, last)) => format!("`{last}` in `{table}`: {}", problem.message),
        None => format!("`{key}`: {}", problem.message),
    };
    Problem { key, message, expected: problem.expected, nearest: problem.nearest }
}

/// A strategy that is unknown as either kind: the names of both are of use.
fn with_one_shot(error: PluginLoadError, other: Option<PluginLoadError>) -> PluginLoadError {
    match (error, other) {
        (
            PluginLoadError::UnknownComponent { kind, name, nearest, mut known, broken },
            Some(PluginLoadError::UnknownComponent { nearest: other, known: more, .. }),
        ) => {
            known.extend(more);
            known.sort_unstable();
            known.dedup();
            let nearest = nearest.or(other);
            PluginLoadError::UnknownComponent { kind, name, nearest, known, broken }
        }
        (error, _) => error,
    }
}

fn not_found(key: &str, error: PluginLoadError) -> Problem {
    match error {
        PluginLoadError::UnknownComponent { kind, name, nearest, known, broken } => {
            let kind = kind.name();
            let mut message = format!("there is no {kind} component `{name}`");
            if !broken.is_empty() {
                let broken: Vec<String> =
                    broken.iter().map(|path| format!("`{}`", path.display())).collect();
                message.push_str(&format!(
                    ", unless in a library that can't be used ({}; `nas plugin list` says why)",
                    broken.join(", ")
                ));
            }
            let expected = match known.is_empty() {
                true => "a plugin on the search path (`nas doctor` shows it)".to_owned(),
                false => format!("one of {}", known.join(", ")),
            };
            Problem { nearest, ..Problem::new(key, message).expecting(expected) }
        }
        error => Problem::new(key, format!("failed to {error}")),
    }
}
