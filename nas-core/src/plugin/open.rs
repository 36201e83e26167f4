//! Opening a library in this process, for good.

use std::path::Path;

use libloading::os::unix::{Library as Opened, RTLD_LOCAL, RTLD_NOW};
use nas_plugin_api::abi::AbiHeaderRef;
use nas_plugin_api::adapter::Library;

use super::PluginLoadError;

/// Loads a library. It stays loaded for ever: threads, thread-local destructors and objects of a
/// plugin may outlive any moment at which it could be closed.
///
/// `original` is the file that messages name; `copy` the one that is loaded.
///
/// # Safety
/// Runs the library's constructors with the rights of this process: the caller trusts the file, or
/// this process is one that may be lost.
pub(super) unsafe fn open(
    original: &Path,
    copy: &Path,
    root_symbol: &str,
) -> Result<AbiHeaderRef, PluginLoadError> {
    let failed = |error: libloading::Error| PluginLoadError::Open {
        path: original.to_owned(),
        // What the loader says is the cause of what the crate says.
        reason: std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string),
    };
    // Sound: the caller's contract. All symbols are resolved at once, so that a missing one is an
    // error here and not a crash in a later call.
    let opened = unsafe { Opened::open(Some(copy), RTLD_NOW | RTLD_LOCAL) }.map_err(failed)?;
    let opened: &'static Opened = Box::leak(Box::new(opened));
    // Sound: the symbol is the header that `export_plugin!` writes, and the header checks itself
    // before anything else of it is read.
    let header = unsafe { opened.get::<AbiHeaderRef>(root_symbol.as_bytes()) }.map_err(failed)?;
    Ok(*header)
}

/// Checks the interface of a library that was just opened.
///
/// # Safety
/// `header` is what [`open`] returned.
pub(super) unsafe fn check_interface(
    original: &Path,
    header: AbiHeaderRef,
) -> Result<Library, PluginLoadError> {
    // Sound: `open` leaks every library.
    unsafe { Library::from_header(header) }
        .map_err(|source| PluginLoadError::Interface { path: original.to_owned(), source })
}
