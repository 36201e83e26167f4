//! The one error that a plugin reports.

use serde::{Deserialize, Serialize};

/// Why a component could not answer. It ends the search (or refuses the configuration): a bad
/// candidate is an outcome, not an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct PluginError {
    /// What kind of error.
    pub code: ErrorCode,
    /// What happened, as a fragment that reads after "failed to …".
    pub message: String,
    /// What to do about it, if there is something.
    #[serde(default)]
    pub help: Option<String>,
    /// Whether trying again makes sense.
    #[serde(default)]
    pub retry: Retry,
}

/// Kinds of errors. The numbers cross the ABI and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i32)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The configuration is wrong.
    Configuration = 1,
    /// The component panicked.
    Panic = 2,
    /// The component panicked before and is not called any more.
    Poisoned = 3,
    /// The component can't do what was asked.
    Unsupported = 4,
    /// What was passed can't be read.
    Message = 5,
    /// Anything else.
    Internal = 6,
    /// There is no component of this name.
    UnknownComponent = 7,
    /// The search space has nothing (more) that could be proposed.
    Exhausted = 8,
}

/// Whether an operation that failed may be tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i32)]
pub enum Retry {
    /// It will fail again.
    #[default]
    Never = 0,
    /// The same call may succeed later.
    Same = 1,
    /// Another way may succeed.
    Fallback = 2,
}

impl PluginError {
    /// An error of any kind.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, retry: Retry::Never }
    }

    /// The configuration is wrong.
    #[must_use]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Configuration, message)
    }

    /// The component can't do what was asked.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unsupported, message)
    }

    /// Anything else.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl ErrorCode {
    /// The kind with this number; an unknown one, from a newer plugin, is `Internal`.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Configuration,
            2 => Self::Panic,
            3 => Self::Poisoned,
            4 => Self::Unsupported,
            5 => Self::Message,
            7 => Self::UnknownComponent,
            8 => Self::Exhausted,
            _ => Self::Internal,
        }
    }
}

impl Retry {
    /// The answer with this number; an unknown one is `Never`.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Same,
            2 => Self::Fallback,
            _ => Self::Never,
        }
    }
}

impl From<crate::template::TemplateError> for PluginError {
    fn from(error: crate::template::TemplateError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<crate::graph::GraphError> for PluginError {
    fn from(error: crate::graph::GraphError) -> Self {
        Self::internal(error.to_string())
    }
}
