//! Reading the files that a component's configuration names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nas_plugin_api::component::{ComponentInfo, FileField};
use serde_json::Value;

use super::library_file::sha256;
use super::schema::{alternatives, target};
use crate::journal::FileRecord;

/// Why a file of a configuration can't be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFileError {
    /// It can't be read.
    #[error("read the file `{}` of `{component}`: {source}", path.display())]
    Read {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than what can be handed to a component.
    #[error("read the file `{}` of `{component}`: it has {bytes} bytes, more than {limit}", path.display())]
    TooLarge {
        /// The component.
        component: String,
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest that is handed over.
        limit: u64,
    },
}

/// A component gets a file's bytes in one piece, several times in memory.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Reads every file that a configuration names in a marked field, and puts its bytes there.
///
/// `config` is what [`super::check_config()`] returned; relative paths count from `folder`, where
/// the configuration lies. The records are for the journal.
///
/// # Errors
/// A file that can't be read.
pub fn read_config_files(
    info: &ComponentInfo,
    config: &mut Value,
    folder: &Path,
) -> Result<Vec<FileRecord>, ConfigFileError> {
    let mut records = Vec::new();
    visit(&info.schema, &info.schema, config, &mut |value| {
        let Some(written) = value.as_str().filter(|path| !path.is_empty()) else {
            return Ok(());
        };
        let path = folder.join(written);
        let bytes = read(&info.name, &path)?;
        records.push(FileRecord { path: path.display().to_string(), sha256: sha256(&bytes) });
        let field = FileField { path: written.to_owned(), bytes };
        // A path and bytes are always data.
        *value = serde_json::to_value(field).unwrap_or_default();
        Ok(())
    })?;
    Ok(records)
}

fn read(component: &str, path: &Path) -> Result<Vec<u8>, ConfigFileError> {
    let (component, path) = (component.to_owned(), path.to_owned());
    match fs::metadata(&path).map(|metadata| metadata.len()) {
        Ok(bytes) if bytes > MAX_FILE_BYTES => {
            Err(ConfigFileError::TooLarge { component, path, bytes, limit: MAX_FILE_BYTES })
        }
        Ok(_) => {
            fs::read(&path).map_err(|source| ConfigFileError::Read { component, path, source })
        }
        Err(source) => Err(ConfigFileError::Read { component, path, source }),
    }
}

/// Calls `read` with every value whose schema says that it is a file.
fn visit<E>(
    root: &Value,
    schema: &Value,
    value: &mut Value,
    read: &mut impl FnMut(&mut Value) -> Result<(), E>,
) -> Result<(), E> {
    for alternative in alternatives(root, schema) {
        let alternative = target(root, alternative);
        match value {
            Value::String(_) if alternative.get("format") == Some(&Value::from("file")) => {
                return read(value);
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    if let Some(schema) = alternative.get("properties").and_then(|all| all.get(key))
                    {
                        visit(root, schema, field, read)?;
                    }
                }
            }
            Value::Array(items) => {
                for (schema, item) in
                    alternative.get("items").into_iter().cycle().zip(items.iter_mut())
                {
                    visit(root, schema, item, read)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
