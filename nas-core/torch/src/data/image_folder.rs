//! A folder with one folder of images per class, or with `train/` and `test/` of that form.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::{ColorType, DynamicImage, ImageDecoder, ImageReader};

use super::DataError;
use super::images::{Images, LARGEST_SOURCE_BYTES, Source};
use super::source_file::{list, name, open};

/// What the path must be.
pub(super) const EXPECTED: &str =
    "a folder with one folder of images per class, or with `train/` and `test/` of that form";

/// Reads every image. Classes are the folders' names, sorted; files beside the class folders and
/// hidden files are ignored.
///
/// Images stay grey if all are; otherwise all become RGB. Images with a palette count as coloured.
/// Transparency is dropped, and 16-bit channels are cut to 8.
///
/// # Errors
/// `MixedSizes`, found before any image is decoded; `NotAnImage`, `EmptyClass`, `UnknownClass`,
/// `WrongKind` for folders that would be ignored, `TooBig`, and those of listing a folder.
pub(super) fn read(folder: &Path) -> Result<Source, DataError> {
    let folders = class_folders(folder)?;
    let is_split = folders.iter().any(|path| ["train", "test"].contains(&name(path).as_str()));
    if !is_split {
        let (classes, train) = labelled(&folders)?;
        let format = Format::of(folder, [&train[..]])?;
        let train = format.decode(&train)?;
        return Ok(Source { name: folder.display().to_string(), classes, train, test: None });
    }
    for path in &folders {
        if !["train", "test"].contains(&name(path).as_str()) {
            return Err(DataError::WrongKind {
                path: path.clone(),
                found: "a folder beside `train/` or `test/`",
                expected: "only these two; rename it to `test` if it is the holdout",
            });
        }
    }
    let (classes, train) = labelled(&class_folders(&folder.join("train"))?)?;
    let test_folder = folder.join("test");
    let test = if test_folder.exists() { labelled_as(&classes, &test_folder)? } else { Vec::new() };
    let format = Format::of(folder, [&train[..], &test[..]])?;
    Ok(Source {
        name: folder.display().to_string(),
        train: format.decode(&train)?,
        test: if test.is_empty() { None } else { Some(format.decode(&test)?) },
        classes,
    })
}

/// A file and its class.
type Labelled = (PathBuf, u32);

fn class_folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = list(folder, EXPECTED)?;
    paths.retain(|path| path.is_dir());
    if paths.is_empty() {
        return Err(DataError::WrongKind {
            path: folder.into(),
            found: "a folder without folders",
            expected: EXPECTED,
        });
    }
    Ok(paths)
}

fn labelled(folders: &[PathBuf]) -> Result<(Vec<String>, Vec<Labelled>), DataError> {
    let mut files = Vec::new();
    for (folder, label) in folders.iter().zip(0..) {
        let images = list(folder, EXPECTED)?;
        if images.is_empty() {
            return Err(DataError::EmptyClass { path: folder.clone() });
        }
        files.extend(images.into_iter().map(|path| (path, label)));
    }
    Ok((folders.iter().map(|path| name(path)).collect(), files))
}

/// The test images; a class may have none.
fn labelled_as(classes: &[String], test: &Path) -> Result<Vec<Labelled>, DataError> {
    let mut files = Vec::new();
    for folder in class_folders(test)? {
        let label = classes.iter().zip(0..).find(|(class, _)| **class == name(&folder));
        let Some((_, label)) = label else {
            return Err(DataError::UnknownClass { path: folder, known: classes.join(", ") });
        };
        files.extend(list(&folder, EXPECTED)?.into_iter().map(|path| (path, label)));
    }
    Ok(files)
}

/// What all images have in common.
struct Format {
    width: u32,
    height: u32,
    colour: bool,
}

impl Format {
    /// Reads only the headers, so that an odd image is found before the long work begins.
    fn of<'a>(
        folder: &Path,
        parts: impl IntoIterator<Item = &'a [Labelled]>,
    ) -> Result<Self, DataError> {
        let mut first: Option<(&Path, (u32, u32))> = None;
        let mut colour = false;
        let mut images = 0;
        for (path, _) in parts.into_iter().flatten() {
            let decoder = decoder(path)?;
            let size = decoder.dimensions();
            let grey = [ColorType::L8, ColorType::La8, ColorType::L16, ColorType::La16];
            colour |= !grey.contains(&decoder.color_type());
            images += 1;
            let (first_path, first_size) = *first.get_or_insert((path, size));
            if size != first_size {
                return Err(DataError::MixedSizes {
                    path: path.clone(),
                    found: format!("{}×{}", size.0, size.1),
                    first: first_path.into(),
                    expected: format!("{}×{}", first_size.0, first_size.1),
                });
            }
        }
        let (width, height) = first.map_or((0, 0), |(_, size)| size);
        let channels = if colour { 3 } else { 1 };
        let bytes = [u64::from(width), u64::from(height), channels]
            .iter()
            .fold(images, |bytes: u64, size| bytes.saturating_mul(*size));
        if bytes > LARGEST_SOURCE_BYTES {
            return Err(DataError::TooBig {
                path: folder.into(),
                limit_bytes: LARGEST_SOURCE_BYTES,
            });
        }
        Ok(Self { width, height, colour })
    }

    fn decode(&self, files: &[Labelled]) -> Result<Images, DataError> {
        let mut pixels = Vec::new();
        for (path, _) in files {
            let image = DynamicImage::from_decoder(decoder(path)?).map_err(|error| {
                DataError::NotAnImage { path: path.clone(), cause: error.to_string() }
            })?;
            if self.colour {
                let rgb = image.into_rgb8();
                for channel in 0..3 {
                    pixels.extend(rgb.pixels().map(|pixel| pixel.0[channel]));
                }
            } else {
                pixels.extend_from_slice(image.into_luma8().as_raw());
            }
        }
        Ok(Images {
            shape: [if self.colour { 3 } else { 1 }, self.height as usize, self.width as usize],
            pixels,
            labels: files.iter().map(|(_, label)| *label).collect(),
        })
    }
}

/// Reads one image's header; the kind is told by its bytes, not by its name.
fn decoder(path: &Path) -> Result<impl ImageDecoder, DataError> {
    let not_an_image = |cause: String| DataError::NotAnImage { path: path.into(), cause };
    let file: File = open(path, "an image, directly in its class's folder")?;
    ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(|cause| DataError::Read { path: path.into(), cause })?
        .into_decoder()
        .map_err(|error| not_an_image(error.to_string()))
}
