//! The configuration to start from: every setting with its meaning, its range and its default.

use nas_plugin_api::component::{ComponentInfo, ComponentKind};
use serde_json::Value;

use crate::configuration::settings_schema;
use crate::schema::{Setting, settings, target};

/// What is set in a starter, so that it runs as it is; everything else is a comment.
const ACTIVE: [(&str, &str); 9] = [
    ("space.channels", "8"),
    ("space.cells", "1"),
    ("population", "10"),
    ("sample_size", "4"),
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
        "# A search. A line like `#key = value` shows what holds where nothing is said: take the `#`\n\
         # away to change it. `…` stands for nothing, or for no limit.\n\n",
    );
    let top = all.iter().filter(|one| !one.key.contains('.') && is_value(one));
    top.for_each(|setting| push(&mut text, "", setting));
    choices.iter().for_each(|choice| push_component(&mut text, choice, &all));
    let is_one_shot = choices.iter().any(|one| one.kind == ComponentKind::OneShotStrategy);
    for table in
        ["supernet", "data", "training", "budget", "holdout", "controls", "execution", "stop"]
    {
        if table == "supernet" && !is_one_shot {
            continue;
        }
        let doc = description(&schema, table);
        text.push_str(&format!("\n# {doc}\n[{table}]\n"));
        let prefix = format!("{table}.");
        let own = all.iter().filter(|one| one.key.starts_with(&prefix));
        own.for_each(|setting| push(&mut text, &prefix, setting));
    }
    text
}

/// What a table is for: as the key says or, where it says nothing, as its type does.
fn description<'a>(schema: &'a Value, table: &str) -> &'a str {
    let key = schema.pointer(&format!("/properties/{table}"));
    [key, key.map(|key| target(schema, key))]
        .into_iter()
        .flatten()
        .find_map(|one| one.get("description")?.as_str())
        .and_then(|doc| doc.lines().next())
        .unwrap_or_default()
}

fn push_component(text: &mut String, choice: &Choice, all: &[Setting]) {
    /// Keys of the scale, which stand before a space's own of the same name.
    const SCALE: [&str; 2] = ["channels", "cells"];
    let Choice { kind, info } = choice;
    let header = match kind {
        ComponentKind::Policy => "[[policy]]".to_owned(),
        ComponentKind::OneShotStrategy => "[strategy]".to_owned(),
        kind => format!("[{}]", kind.name()),
    };
    let (name, summary) = (&info.name, &info.summary);
    text.push_str(&format!("\n# {name}: {summary}.\n{header}\nname = \"{name}\"\n"));
    let is_space = *kind == ComponentKind::Space;
    if is_space {
        let scale =
            all.iter().filter(|one| one.key.starts_with("space.") && one.key != "space.name");
        scale.for_each(|setting| push(text, "space.", setting));
    }
    settings(&info.schema, &info.defaults)
        .iter()
        .filter(|setting| !is_space || !SCALE.contains(&setting.key.as_str()))
        .for_each(|setting| push(text, "", setting));
    if *kind == ComponentKind::Policy {
        push_comment(text, "\"observe\" only writes down what it would have done.");
        text.push_str("#mode = \"enforce\"\n");
    }
}

/// Lists of tables have sections of their own.
fn is_value(setting: &Setting) -> bool {
    setting.kind != "list of table" && setting.kind != "table"
}

fn push(text: &mut String, prefix: &str, setting: &Setting) {
    let Setting { key, kind, range, default, doc, words, .. } = setting;
    let name = key.strip_prefix(prefix).unwrap_or(key);
    let details = match range.is_empty() {
        true => kind.clone(),
        false => format!("{kind}, {range}"),
    };
    let doc = if doc.is_empty() { details } else { format!("{doc} ({details})") };
    push_comment(text, &doc);
    words.iter().for_each(|(word, doc)| push_comment(text, &format!("  \"{word}\": {doc}")));
    let active = ACTIVE.iter().find(|(active, _)| active == key).map(|(_, value)| *value);
    match (active, default) {
        (Some(value), _) => text.push_str(&format!("{name} = {value}\n")),
        (None, Some(default)) => text.push_str(&format!("#{name} = {default}\n")),
        (None, None) => text.push_str(&format!("#{name} = …\n")),
    }
}

/// A comment, wrapped.
fn push_comment(text: &mut String, comment: &str) {
    /// Longest line of a comment, without its `# `.
    const WIDTH: usize = 96;
    let mut line = String::new();
    for word in comment.split(' ') {
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&format!("# {line}\n"));
            line.clear();
        } else if !line.is_empty() || word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    text.push_str(&format!("# {line}\n"));
}
