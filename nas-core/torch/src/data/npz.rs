//! One NPZ file, the shortest way for a user's own data out of Python:
//! `numpy.savez_compressed("mine.npz", x_train=…, y_train=…)`.

use std::fs::File;
use std::io;
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;

use super::DataError;
use super::class_numbers::{self, NumberedImages};
use super::image_layout::Layout;
use super::images::{LARGEST_SOURCE_BYTES, Source};
use super::npy::{Element, Header, NpyError, Number, read_header};
use super::source_file::open;

/// What the path must be.
pub(super) const EXPECTED: &str = "an NPZ file with the arrays `x_train` and `y_train`, and \
    optionally `x_test` and `y_test`";

const PIXEL_TYPES: &str = "uint8 from 0 to 255 (x.astype(\"uint8\")), or float32 or float64 from 0 \
    to 1 (x.astype(\"float32\") / 255)";
const LABEL_TYPES: &str = "whole numbers (y.astype(\"int64\"))";
const IMAGE_SHAPES: &str = "[n, height, width], [n, height, width, channels] or \
    [n, channels, height, width], with at least one of each";
const LABEL_SHAPES: &str = "[n] (for one-hot labels: y.argmax(axis=1))";

/// How far rounding may carry a floating-point pixel out of 0 to 1.
const PIXEL_TOLERANCE: f64 = 1e-6;

/// Reads the arrays of one file.
///
/// # Shapes
/// `x_…`: `[n, height, width]`, `[n, height, width, channels]` or `[n, channels, height, width]`;
/// of the last two, channels are the axis that is the smaller. `y_…`: `[n]` or `[n, 1]`.
///
/// # Units
/// `x_…`: `uint8`, or floating-point numbers from 0 to 1, which are rounded to 256 levels. `y_…`:
/// whole numbers from 0 on; numbers that do not occur in `y_train` are no classes.
///
/// # Errors
/// `NotOfFormat`, `KeyMissing`, `WrongDtype`, `WrongShape`, `WrongLength`, `BadPixel`,
/// `CountMismatch`, `LabelOutOfRange`, `TooBig`, and those of opening the file.
pub(super) fn read(path: &Path) -> Result<Source, DataError> {
    let mut archive = Archive::open(path)?;
    let train = archive.part("x_train", "y_train")?;
    let has_test = archive.has("x_test") || archive.has("y_test");
    let test = if has_test { Some(archive.part("x_test", "y_test")?) } else { None };
    class_numbers::source(path.display().to_string(), train, test)
}

struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<File>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let file = open(path, EXPECTED)?;
        let zip = ZipArchive::new(file).map_err(|error| not_npz(path, error.to_string()))?;
        Ok(Self { path, zip })
    }

    fn has(&self, key: &str) -> bool {
        self.zip.index_for_name(&format!("{key}.npy")).is_some()
    }

    fn part(&mut self, x: &'static str, y: &'static str) -> Result<NumberedImages, DataError> {
        let (layout, pixels) = self.images(x)?;
        let [images, channels, height, width] = layout.sizes;
        let labels = self.labels(y)?;
        let from = |key| format!("{key} of {}", self.path.display());
        if images != labels.len() {
            return Err(DataError::CountMismatch {
                images_from: from(x),
                images,
                labels_from: from(y),
                labels: labels.len(),
            });
        }
        Ok(NumberedImages {
            shape: [channels, height, width],
            pixels: layout.arrange(pixels),
            labels,
            labels_from: from(y),
        })
    }

    /// The pixels as they are stored.
    fn images(&mut self, key: &'static str) -> Result<(Layout, Vec<u8>), DataError> {
        let mut array = self.array(key)?;
        let element = array
            .element()
            .filter(|element| element.is_byte() || element.is_float())
            .ok_or_else(|| array.wrong_dtype(PIXEL_TYPES))?;
        let layout = Layout::of(&array.header).ok_or_else(|| array.wrong_shape(IMAGE_SHAPES))?;
        let image_size = layout.sizes[1..].iter().product::<usize>();
        let mut pixels = Vec::new();
        let mut bad = None;
        array.read(element, |number| {
            let level = match number {
                Number::Int(level) => level as f64,
                Number::Float(value) => {
                    let in_range = (-PIXEL_TOLERANCE..=1.0 + PIXEL_TOLERANCE).contains(&value);
                    if !in_range && bad.is_none() {
                        bad = Some((pixels.len(), value));
                    }
                    (value * 255.0).round()
                }
            };
            // The cast saturates, and turns what is no number into 0; both are refused below.
            pixels.push(level as u8);
        })?;
        if let Some((position, value)) = bad {
            let stored_by_image = !array.header.fortran_order;
            let index =
                if stored_by_image { position / image_size } else { position % layout.sizes[0] };
            return Err(DataError::BadPixel { path: array.path.into(), key, index, value });
        }
        Ok((layout, pixels))
    }

    fn labels(&mut self, key: &'static str) -> Result<Vec<i64>, DataError> {
        let mut array = self.array(key)?;
        let element = array
            .element()
            .filter(|element| !element.is_float())
            .ok_or_else(|| array.wrong_dtype(LABEL_TYPES))?;
        if !matches!(array.header.shape[..], [_] | [_, 1]) {
            return Err(array.wrong_shape(LABEL_SHAPES));
        }
        let mut labels = Vec::new();
        array.read(element, |number| {
            if let Number::Int(label) = number {
                labels.push(label);
            }
        })?;
        Ok(labels)
    }

    fn array(&mut self, key: &'static str) -> Result<Array<'_>, DataError> {
        let Some(index) = self.zip.index_for_name(&format!("{key}.npy")) else {
            let mut names: Vec<_> = self
                .zip
                .file_names()
                .filter_map(Result::ok)
                .map(|name| name.trim_end_matches(".npy").to_owned())
                .collect();
            names.sort_unstable();
            return Err(DataError::KeyMissing {
                path: self.path.into(),
                key,
                found: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
            });
        };
        let path = self.path;
        let bad = |found: String| not_npz(path, format!("array `{key}`: {found}"));
        let mut stream = self.zip.by_index(index).map_err(|error| bad(error.to_string()))?;
        let header = read_header(&mut stream).map_err(|error| match error {
            NpyError::Io(cause) => bad(cause.to_string()),
            NpyError::Malformed(found) => bad(found.to_owned()),
        })?;
        Ok(Array { path, key, header, stream })
    }
}

fn not_npz(path: &Path, found: String) -> DataError {
    DataError::NotOfFormat {
        path: path.into(),
        expected: "an NPZ file".to_owned(),
        found,
        help: "save it again with numpy.savez",
    }
}

/// One array, its elements still to be read.
struct Array<'a> {
    path: &'a Path,
    key: &'static str,
    header: Header,
    stream: ZipFile<'a, File>,
}

impl Array<'_> {
    fn element(&self) -> Option<Element> {
        Element::named(&self.header.dtype)
    }

    fn wrong_dtype(&self, expected: &'static str) -> DataError {
        DataError::WrongDtype {
            path: self.path.into(),
            key: self.key,
            found: self.header.dtype.clone(),
            expected,
        }
    }

    fn wrong_shape(&self, expected: &str) -> DataError {
        DataError::WrongShape {
            path: self.path.into(),
            key: self.key,
            found: self.header.shape.clone(),
            expected: expected.to_owned(),
        }
    }

    /// Reads exactly the elements that the shape promises. What is allocated grows with what is
    /// really there, never with what a header promises.
    fn read(&mut self, element: Element, take: impl FnMut(Number)) -> Result<(), DataError> {
        let elements = self
            .header
            .shape
            .iter()
            .fold(1_u64, |product, size| product.saturating_mul(*size as u64));
        if elements > LARGEST_SOURCE_BYTES {
            return Err(DataError::TooBig {
                path: self.path.into(),
                limit_bytes: LARGEST_SOURCE_BYTES,
            });
        }
        let expected_bytes = elements * element.size() as u64;
        let mut limited = io::Read::take(&mut self.stream, expected_bytes + 1);
        let found_bytes = element.decode(&mut limited, take).map_err(|cause| {
            not_npz(self.path, format!("array `{}` breaks off: {cause}", self.key))
        })?;
        if found_bytes != expected_bytes {
            return Err(DataError::WrongLength {
                path: self.path.into(),
                header: format!("{} {:?} of {}", self.header.dtype, self.header.shape, self.key),
                expected_bytes,
                found_bytes,
            });
        }
        Ok(())
    }
}
