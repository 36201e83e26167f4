//! A length of time as people write it: `30s`, `10m`, `2h`, `1d`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A whole number of one unit, above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeSpan {
    seconds: u32,
}

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no length of time; write a whole number and s, m, h or d, like `10m`")]
pub struct NoTimeSpan {
    text: String,
}

/// The units, the largest first, and their seconds.
const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

impl TimeSpan {
    /// How long it is.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

impl FromStr for TimeSpan {
    type Err = NoTimeSpan;

    fn from_str(text: &str) -> Result<Self, NoTimeSpan> {
        let read = || {
            let (last, unit) = UNITS.iter().find(|(unit, _)| text.ends_with(*unit))?;
            let number = text.strip_suffix(*last)?;
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            let count = number.parse::<u32>().ok().filter(|count| digits && *count > 0)?;
            Some(Self { seconds: count.checked_mul(*unit)? })
        };
        read().ok_or_else(|| NoTimeSpan { text: text.to_owned() })
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, unit)| self.seconds.is_multiple_of(*unit));
        let (letter, unit) = whole.copied().unwrap_or(('s', 1));
        write!(out, "{}{letter}", self.seconds / unit)
    }
}

impl TryFrom<String> for TimeSpan {
    type Error = NoTimeSpan;

    fn try_from(text: String) -> Result<Self, NoTimeSpan> {
        text.parse()
    }
}

impl From<TimeSpan> for String {
    fn from(span: TimeSpan) -> Self {
        span.to_string()
    }
}

impl JsonSchema for TimeSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[1-9][0-9]*[smhd]$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400)] {
            let span: TimeSpan = text.parse().unwrap();
            assert_eq!(span.duration(), Duration::from_secs(seconds));
            assert_eq!(span.to_string(), text);
        }
        assert_eq!("90s".parse::<TimeSpan>().unwrap().to_string(), "90s");
    }

    #[test]
    fn what_is_no_length_of_time_says_what_would_be() {
        for text in ["", "10", "m", "0s", "-5s", "+5s", "1.5h", "10 m", "5x", "99999999999d"] {
            let error = text.parse::<TimeSpan>().unwrap_err();
            assert!(error.to_string().contains("like `10m`"), "{text}: {error}");
        }
    }
}
