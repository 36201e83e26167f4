//! Events as JSON and back, without loss.
//!
//! JSON, because a journal outlives the program that wrote it: any SQLite client shows it, `jq`
//! reads an export, and the hash chain covers the very text that a person sees. What JSON lacks,
//! floats that are not finite, is marked text ([`super::non_finite`]); that floats come back to the
//! last bit is `serde_json`'s feature `float_roundtrip`.

use ciborium::Value;
use serde::Serialize;

use super::Event;
use super::non_finite::{MARK, Marking, QUOTED_MARK};

/// Appends the text of an event.
pub(super) fn write(event: &Event, text: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    event.serialize(Marking(&mut serde_json::Serializer::new(text)))
}

/// The event of a text, or what is wrong with it.
pub(super) fn read(text: &str) -> Result<Event, String> {
    // The usual event has no marked text, and the parser's fast path will do.
    if !text.contains(QUOTED_MARK) {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let mut tree: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    unmark(&mut tree)?;
    tree.deserialized().map_err(|error| error.to_string())
}

fn unmark(tree: &mut Value) -> Result<(), String> {
    match tree {
        Value::Text(text) => {
            let Some(rest) = text.strip_prefix(MARK) else { return Ok(()) };
            *tree = match rest {
                "NaN" => Value::Float(f64::NAN),
                "inf" => Value::Float(f64::INFINITY),
                "-inf" => Value::Float(f64::NEG_INFINITY),
                _ if rest.starts_with(MARK) => Value::Text(rest.to_owned()),
                _ => return Err(format!("`{text}` is neither a number nor a marked text")),
            };
            Ok(())
        }
        Value::Array(elements) => elements.iter_mut().try_for_each(unmark),
        Value::Map(entries) => entries.iter_mut().try_for_each(|(_, value)| unmark(value)),
        _ => Ok(()),
    }
}
