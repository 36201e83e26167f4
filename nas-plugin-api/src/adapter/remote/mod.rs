//! Components of a library in another process: each call of the binary interface is a message.
//!
//! Here, [`Remote`] is an ABI object whose methods are sent down a [`Line`]; there, [`Served`] calls
//! the object of the loaded library. What a call carries stays in the columns in which it crosses
//! the binary interface anyway, so neither side takes it apart.

mod benchmark;
mod component;
mod fitness;
mod message;
mod one_shot_strategy;
mod operations;
mod policy;
mod served;
mod space;
mod strategy;

use std::sync::Arc;

pub use message::{Call, Reply};
pub use served::Served;

pub(super) use message::Creation;
use message::{Answer, Method, Packed};
use nas_plugin_abi::{AbiResult, Bytes};

use super::cbor::send;
use crate::error::{ErrorCode, PluginError};

/// The way to a library in another process.
pub trait Line: Send + Sync {
    /// Has a call answered.
    ///
    /// # Errors
    /// No answer came, and none will come any more.
    fn call(&self, call: Call) -> Result<Reply, PluginError>;
}

/// An object of a library in another process.
pub(super) struct Remote(Arc<dyn Line>);

impl Remote {
    /// Has a component made; it is the only one of its process.
    pub(super) fn create(line: &Arc<dyn Line>, creation: Creation) -> Result<Self, PluginError> {
        let remote = Self(Arc::clone(line));
        match remote.ask(Method::Create(creation))? {
            Answer::Done => Ok(remote),
            _ => Err(unexpected()),
        }
    }

    fn ask(&self, method: Method) -> Result<Answer, PluginError> {
        self.0.call(Call(method))?.0
    }

    fn ask_for_nothing(&self, method: Method) -> AbiResult<()> {
        send(self.ask(method).and_then(|answer| match answer {
            Answer::Done => Ok(()),
            _ => Err(unexpected()),
        }))
    }

    fn ask_for_bytes(&self, method: Method) -> AbiResult<Bytes> {
        send(self.ask(method).and_then(|answer| match answer {
            Answer::Bytes(Packed(bytes)) => Ok(bytes.into()),
            _ => Err(unexpected()),
        }))
    }

    fn ask_for_numbers(&self, method: Method) -> AbiResult<nas_plugin_abi::RVec<f64>> {
        send(self.ask(method).and_then(|answer| match answer {
            Answer::Numbers(Packed(numbers)) => Ok(numbers.into()),
            _ => Err(unexpected()),
        }))
    }
}

fn unexpected() -> PluginError {
    PluginError::new(ErrorCode::Message, "answer: its process answers something else")
}
