//! Reading the source that a configuration names.

use nas_core::protocol::data::{DataConfig, DataFormat};

use super::images::Source;
use super::{DataError, cifar_binary, digits, idx, image_folder, npz};

/// Reads the whole source that a configuration names.
///
/// # Errors
/// Any [`DataError`] of the format; also `NoPixels` and `TestShape`.
pub(super) fn read(config: &DataConfig) -> Result<Source, DataError> {
    let path = |format, expected| {
        config.path.as_deref().ok_or(DataError::PathMissing { format, expected })
    };
    let source = match config.format {
        DataFormat::Digits => match &config.path {
            None => digits::read(),
            Some(path) => return Err(DataError::PathUnwanted { path: path.clone() }),
        },
        DataFormat::Idx => idx::read(path("idx", idx::EXPECTED)?)?,
        DataFormat::CifarBinary => {
            cifar_binary::read(path("cifar-binary", cifar_binary::EXPECTED)?)?
        }
        DataFormat::Npz => npz::read(path("npz", npz::EXPECTED)?)?,
        DataFormat::ImageFolder => {
            image_folder::read(path("image-folder", image_folder::EXPECTED)?)?
        }
    };
    if source.train.shape.contains(&0) {
        return Err(DataError::NoPixels { from: source.name, shape: source.train.shape });
    }
    match &source.test {
        Some(test) if test.shape != source.train.shape => Err(DataError::TestShape {
            from: source.name,
            found: test.shape,
            expected: source.train.shape,
        }),
        _ => Ok(source),
    }
}
