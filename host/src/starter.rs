//! The configuration to start from: every setting with its meaning, its range and its default.

use nas_plugin_api::component::{ComponentInfo, ComponentKind};
use serde_json::Value;

use crate::configuration::settings_schema;
use crate::schema::{Setting, settings, target};

/// What is set in a starter, so that it runs as it is; everything else is a comment.
const ACTIVE: [(&str, &str); 7] = [
    ("space.channels", "8"),
    ("space.cells", "1"),
    ("data.format", "\"digits\""),
    ("training.epochs", "8"),
    ("budget.wall_seconds", "90.0"),
    ("budget.trials", "30"),
    ("budget.trial_seconds", "60.0"),
];

/// A component that takes part.
pub(crate) struct Choice {
    /// As what.
    pub(crate) kind: ComponentKind,
    /// What it says of itself.
    pub(crate) info: ComponentInfo,
}

/// The text of a configuration with these components.
pub(crate) fn starter(choices: &[Choice]) -> String {
    let schema = settings_schema();
    let all = settings(&schema, &Value::Null);
    let mut text = String::from(
        "# A search. What is commented out has the value that is shown, its default.\n\n",
    );
    let top = all.iter().filter(|one| !one.key.contains('.') && is_value(one));
    top.for_each(|setting| push(&mut text, "", setting));
    for Choice { kind, info } in choices {
        let header = match kind {
            ComponentKind::Policy => "\n[[policy]]".to_owned(),
            kind => format!("\n[{}]", kind.name()),
        };
        text.push_str(&format!("{header}  # {}\nname = \"{}\"\n", info.summary, info.name));
        let own = settings(&info.schema, &info.defaults);
        if *kind == ComponentKind::Space {
            let of_all =
                all.iter().filter(|one| one.key.starts_with("space.") && one.key != "space.name");
            of_all.for_each(|setting| push(&mut text, "space.", setting));
        }
        for setting in &own {
            let is_shown = text.contains(&format!("\n{} = ", setting.key))
                && *kind == ComponentKind::Space
                && ["channels", "cells"].contains(&setting.key.as_str());
            if !is_shown {
                push(&mut text, "", setting);
            }
        }
        if *kind == ComponentKind::Policy {
            text.push_str(
                "# mode = \"enforce\"  # or \"observe\": only write down what it would have done\n",
            );
        }
    }
    for table in ["data", "training", "budget", "execution"] {
        let doc = schema.pointer(&format!("/properties/{table}"));
        let doc = doc.map(|one| target(&schema, one)).and_then(|one| one.get("description"));
        let doc = doc.and_then(Value::as_str).unwrap_or_default();
        let line = doc.lines().next().unwrap_or_default();
        text.push_str(&format!("\n[{table}]  # {line}\n"));
        let prefix = format!("{table}.");
        let own = all.iter().filter(|one| one.key.starts_with(&prefix));
        own.for_each(|setting| push(&mut text, &prefix, setting));
    }
    text
}

/// Lists of tables have sections of their own.
fn is_value(setting: &Setting) -> bool {
    setting.kind != "list of table" && setting.kind != "table"
}

fn push(text: &mut String, prefix: &str, setting: &Setting) {
    let Setting { key, kind, range, default, doc, .. } = setting;
    let name = key.strip_prefix(prefix).unwrap_or(key);
    let active = ACTIVE.iter().find(|(active, _)| active == key).map(|(_, value)| *value);
    let details = match range.is_empty() {
        true => kind.clone(),
        false => format!("{kind}, {range}"),
    };
    let doc = if doc.is_empty() { details } else { format!("{doc} ({details})") };
    match (active, default) {
        (Some(value), _) => text.push_str(&format!("{name} = {value}  # {doc}\n")),
        (None, Some(default)) => text.push_str(&format!("# {name} = {default}  # {doc}\n")),
        (None, None) => text.push_str(&format!("# {name} =   # {doc}\n")),
    }
}
