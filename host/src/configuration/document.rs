//! TOML as data, with the place of every key.

use std::path::Path;

use nas_core::launch::Problem;
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::fault::{Fault, Faults};
use super::origins::{Origins, Source};
use crate::exit_code::ExitCode;

/// A configuration as it was written, before anything is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Document {
    /// The tables and values.
    pub(super) table: Map<String, Value>,
    /// Where each was written.
    pub(super) origins: Origins,
}

impl Document {
    /// Parses a file's text.
    ///
    /// # Errors
    /// Every place that is no TOML.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Faults> {
        let mut origins = Origins::default();
        let file = Source::File { path: path.to_owned(), text: text.to_owned() };
        let source = origins.add_source(file.clone());
        let (parsed, errors) = DeTable::parse_recoverable(text);
        let mut faults = Vec::new();
        let mut last_line = None;
        for error in &errors {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            // What follows a mistake on the same line is mostly its consequence.
            let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count();
            if last_line.replace(line) != Some(line) {
                let problem = Problem::new("", format!("this is no TOML: {}", error.message()));
                let end = error.span().map_or(start + 1, |span| span.end.max(start + 1));
                faults.push(Fault { problem, place: Some((file.clone(), start..end)) });
            }
        }
        let mut reader = Reader { source, origins: &mut origins, problems: Vec::new() };
        let table = reader.table("", parsed.get_ref());
        let problems = std::mem::take(&mut reader.problems);
        faults.extend(problems.into_iter().map(|problem| Fault::at(problem, &origins)));
        match faults.is_empty() {
            true => Ok(Self { table, origins }),
            false => Err(Faults::new(faults, ExitCode::Configuration)),
        }
    }
}

struct Reader<'a> {
    source: usize,
    origins: &'a mut Origins,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) -> Map<String, Value> {
        let mut map = Map::new();
        for (key, value) in table {
            let path = join(prefix, key.get_ref());
            let (key_span, value_span) = (key.span(), value.span());
            // A table's own span is its header, which may stand before or after the key's.
            let span = match value.get_ref() {
                DeValue::Table(_) => key_span,
                _ => key_span.start.min(value_span.start)..value_span.end,
            };
            self.origins.add(&path, self.source, span);
            map.insert(key.get_ref().to_string(), self.value(&path, value));
        }
        map
    }

    fn array(&mut self, prefix: &str, array: &DeArray<'_>) -> Vec<Value> {
        let mut all = Vec::with_capacity(array.len());
        for (index, value) in array.iter().enumerate() {
            let path = join(prefix, &index.to_string());
            self.origins.add(&path, self.source, value.span());
            all.push(self.value(&path, value));
        }
        all
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Array(array) => Value::Array(self.array(path, array)),
            DeValue::Table(table) => Value::Object(self.table(path, table)),
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                let whole = match i64::from_str_radix(&digits, number.radix()) {
                    Ok(whole) => Some(Number::from(whole)),
                    Err(_) => u64::from_str_radix(&digits, number.radix()).ok().map(Number::from),
                };
                self.number(path, &digits, whole)
            }
            DeValue::Float(number) => {
                let digits = number.as_str().replace('_', "");
                let real = digits.parse().ok().and_then(Number::from_f64);
                self.number(path, &digits, real)
            }
        }
    }

    fn number(&mut self, path: &str, digits: &str, number: Option<Number>) -> Value {
        number.map(Value::Number).unwrap_or_else(|| {
            let problem = Problem::new(path, format!("{digits} is no number that can be used"));
            self.problems.push(problem.expecting("a finite number of at most 64 bits"));
            Value::Null
        })
    }
}

/// A key within a table, as a dotted path.
pub(super) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}
