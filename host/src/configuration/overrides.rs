//! What the command line sets: `--set KEY=VALUE` and its shorter relatives.

use nas_core::launch::Problem;
use serde_json::{Map, Value};

use super::document::{Document, join};
use super::fault::{Fault, Faults};
use super::origins::Source;
use crate::exit_code::ExitCode;

/// One key that the command line sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    /// The option as it was given, for messages.
    flag: String,
    /// `KEY=VALUE`
    assignment: String,
}

impl Override {
    /// What `--set` was given.
    pub(crate) fn set(assignment: &str) -> Self {
        Self { flag: format!("--set {assignment}"), assignment: assignment.to_owned() }
    }

    /// A number that another option sets (`--seed 3`).
    pub(crate) fn number(key: &str, number: u64) -> Self {
        Self { flag: format!("--{key} {number}"), assignment: format!("{key}={number}") }
    }

    /// A text that another option sets (`--name first`).
    pub(crate) fn text(key: &str, text: &str) -> Self {
        // JSON writes texts as TOML does.
        let quoted = Value::String(text.to_owned());
        Self { flag: format!("--{key} {text}"), assignment: format!("{key}={quoted}") }
    }

    /// The key that is set.
    pub(super) fn key(&self) -> &str {
        self.assignment.split('=').next().unwrap_or_default().trim()
    }

    /// A problem of this option.
    pub(super) fn fault(&self, problem: Problem) -> Fault {
        Fault { problem, place: Some((Source::Flag(self.flag.clone()), 0..0)) }
    }
}

/// Sets keys of a document; later ones win.
///
/// # Errors
/// Every option that can't be obeyed.
pub(super) fn apply(document: &mut Document, overrides: &[Override]) -> Result<(), Faults> {
    let mut faults = Vec::new();
    for each in overrides {
        if let Err(problem) = apply_one(document, each) {
            faults.push(each.fault(problem));
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Faults::new(faults, ExitCode::Configuration)),
    }
}

fn apply_one(document: &mut Document, each: &Override) -> Result<(), Problem> {
    let form = || Problem::new("", "this sets nothing").expecting("`KEY=VALUE`");
    let (key, text) = each.assignment.split_once('=').ok_or_else(form)?;
    let key = key.trim().replace('[', ".").replace(']', "");
    let steps: Vec<&str> = key.split('.').collect();
    if steps.iter().any(|step| step.is_empty()) {
        return Err(Problem::new("", format!("`{key}` is no key"))
            .expecting("words separated by dots, as in `training.epochs` or `policy.0.name`"));
    }
    let value = read_value(text.trim()).map_err(|message| {
        Problem::new(&key, format!("`{text}` is no TOML value: {message}"))
            .expecting("a number, true, false, a word, \"a text\", [a list] or {a = \"table\"}")
    })?;
    put(&mut document.table, &steps, value)?;
    let source = document.origins.add_source(Source::Flag(each.flag.clone()));
    document.origins.add(&key, source, 0..0);
    Ok(())
}

/// A TOML value, or a plain word, which needs no quotes on a command line.
fn read_value(text: &str) -> Result<Value, String> {
    let parsed = Document::parse("--set".as_ref(), &format!("value = {text}"));
    let is_word = text.starts_with(|first: char| first.is_alphanumeric() || "/._~".contains(first))
        && !text.contains(['"', '\'', '\n', '=', '[', '{']);
    match parsed {
        Ok(mut document) if document.table.len() == 1 => {
            Ok(document.table.shift_remove("value").unwrap_or_default())
        }
        _ if is_word => Ok(Value::String(text.to_owned())),
        _ => Err("it can't be read".to_owned()),
    }
}

/// Puts a value at a path, making the tables on the way.
fn put(table: &mut Map<String, Value>, steps: &[&str], value: Value) -> Result<(), Problem> {
    let Some((last, on_the_way)) = steps.split_last() else { return Ok(()) };
    let mut path = String::new();
    let mut here: Option<&mut Value> = None;
    for step in on_the_way {
        let inner = match here {
            None => table.entry(*step).or_insert_with(|| Value::Object(Map::new())),
            Some(outer) => descend(outer, step, &path)?,
        };
        path = join(&path, step);
        here = Some(inner);
    }
    match here {
        None => {
            table.insert((*last).to_owned(), value);
        }
        Some(outer) => *descend(outer, last, &path)? = value,
    }
    Ok(())
}

/// The value of a key in a table, made if it is new, or of an index in a list.
fn descend<'a>(outer: &'a mut Value, step: &str, path: &str) -> Result<&'a mut Value, Problem> {
    match outer {
        Value::Object(table) => Ok(table.entry(step).or_insert_with(|| Value::Object(Map::new()))),
        Value::Array(list) => {
            let length = list.len();
            step.parse().ok().and_then(|index: usize| list.get_mut(index)).ok_or_else(|| {
                let problem = Problem::new(path, format!("the list `{path}` has no `{step}`"));
                match length {
                    0 => problem.expecting("nothing: it is empty"),
                    length => problem.expecting(format!("0 to {}", length - 1)),
                }
            })
        }
        _ => Err(Problem::new(path, format!("`{path}` is one value and has no `{step}`"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(sets: &[&str], expected: Result<Value, &str>) {
        let text = "seed = 1\n[training]\nepochs = 2\n[[policy]]\nname = \"limits\"\n";
        let mut document = Document::parse("a.toml".as_ref(), text).expect("it is TOML");
        let overrides: Vec<Override> = sets.iter().map(|set| Override::set(set)).collect();
        let found = apply(&mut document, &overrides).map(|()| Value::Object(document.table));
        let plain = |faults: Faults| anstream::adapter::strip_str(&faults.to_string()).to_string();
        let found = found.map_err(plain);
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_key_is_set_wherever_it_is() {
        check(
            &["training.epochs=9", "policy[0].mode=observe", "space.name=nb201", "seed=0x10"],
            Ok(json!({
                "policy": [{"name": "limits", "mode": "observe"}], "seed": 16,
                "training": {"epochs": 9}, "space": {"name": "nb201"},
            })),
        );
    }

    #[test]
    fn what_sets_nothing_is_refused() {
        check(&["seed"], Err("error: --set seed: this sets nothing\n  expected: `KEY=VALUE`"));
        check(
            &["policy.1.name=x"],
            Err("error: --set policy.1.name=x: the list `policy` has no `1`\n  expected: 0 to 0"),
        );
        check(&["seed.x=1"], Err("error: --set seed.x=1: `seed` is one value and has no `x`"));
    }
}
