//! Messages as CBOR.

use nas_plugin_abi::{AbiError, AbiResult, Bytes, RErr, ROk, RResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ErrorCode, PluginError, Retry};

/// A message, encoded.
pub(super) fn encode(message: &impl Serialize) -> Result<Bytes, PluginError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(message, &mut bytes)
        .map_err(|error| PluginError::new(ErrorCode::Message, error.to_string()))?;
    Ok(bytes.into())
}

/// A message, decoded. Unknown fields are ignored, so either side may be newer.
pub(super) fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, PluginError> {
    ciborium::from_reader(bytes)
        .map_err(|error| PluginError::new(ErrorCode::Message, format!("read a message: {error}")))
}

/// A result on its way across.
pub(super) fn send<T>(result: Result<T, PluginError>) -> AbiResult<T> {
    match result {
        Ok(value) => ROk(value),
        Err(error) => RErr(AbiError {
            code: error.code as i32,
            retry: error.retry as i32,
            message: error.message.into(),
            help: error.help.unwrap_or_default().into(),
        }),
    }
}

/// A result that has come across.
pub(super) fn receive<T>(result: AbiResult<T>) -> Result<T, PluginError> {
    match result {
        RResult::ROk(value) => Ok(value),
        RResult::RErr(error) => Err(PluginError {
            code: ErrorCode::from_number(error.code),
            message: error.message.into(),
            help: (!error.help.is_empty()).then(|| error.help.into()),
            retry: Retry::from_number(error.retry),
        }),
    }
}
