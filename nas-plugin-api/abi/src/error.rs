//! Errors on their way across.

use abi_stable::StableAbi;
use abi_stable::std_types::{RResult, RString, RVec};

/// A plugin's error; codes and retries are those of `nas_plugin_api::error`.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct AbiError {
    /// What kind of error.
    pub code: i32,
    /// Whether trying again makes sense.
    pub retry: i32,
    /// What happened.
    pub message: RString,
    /// What to do about it; empty if nothing.
    pub help: RString,
}

/// What every call returns.
pub type AbiResult<T> = RResult<T, AbiError>;

/// A CBOR message that is handed over.
pub type Bytes = RVec<u8>;
