//! Data sets: where they come from and how they are split.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[data]` table of a configuration: labelled images and how to split them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Where the images come from.
    pub format: DataFormat,
    /// File or folder; not for `digits`, which are built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Share of the training images that is set aside for validation, the search's signal.
    #[serde(default = "fifth")]
    #[schemars(range(min = 0.01, max = 0.9))]
    pub validation_fraction: f64,
    /// Share of all images that is sealed as holdout, where the source has no test set of its own.
    #[serde(default = "fifth")]
    #[schemars(range(min = 0.01, max = 0.9))]
    pub holdout_fraction: f64,
    /// Use at most this many images for training and validation together, drawn at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2))]
    pub limit: Option<usize>,
    /// Images that may be in more than one split, pixel for pixel, at most; more are refused, since
    /// they make scores look better than they are. Without it there is a warning only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duplicates: Option<usize>,
    /// Seed of the split; the same seed gives the same split whatever the run's own seed.
    #[serde(default)]
    pub split_seed: u64,
}

fn fifth() -> f64 {
    0.2
}

/// Kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataFormat {
    /// 1,797 handwritten digits of 8×8 pixels (UCI), built in; a demonstration, its holdout is not
    /// sealed.
    Digits,
    /// A folder with the four IDX files of the MNIST family, gzipped or not.
    Idx,
    /// A folder with CIFAR-10's binary batches (`data_batch_*.bin`, `test_batch.bin`), or any
    /// `*train*.bin` / `*test*.bin` of that form, gzipped or not.
    CifarBinary,
    /// One NPZ file with `x_train`, `y_train` and optionally `x_test`, `y_test`.
    Npz,
    /// A folder with one folder of images per class, or with `train/` and `test/` of that form.
    ImageFolder,
}

/// What a preparing worker is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRequest {
    /// The source and the split.
    pub config: DataConfig,
    /// The folder in which the prepared files are written, each renamed into place.
    pub output: PathBuf,
}

/// What a preparing worker made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Shape of one image, `[channels, height, width]`.
    pub shape: Vec<usize>,
    /// The classes' names, or numbers where they have none.
    pub classes: Vec<String>,
    /// The training split.
    pub train: SplitFile,
    /// The validation split.
    pub validation: SplitFile,
    /// The holdout, which no search worker is given.
    pub holdout: SplitFile,
    /// How many validation images equal a training image pixel for pixel, plus how many holdout
    /// images equal a training or validation image: they make a score look better than it is.
    #[serde(default)]
    pub duplicates_across_splits: usize,
    /// Accuracy on the validation split of always naming the class that it has most of, 0 to 1;
    /// absent in summaries of earlier versions.
    #[serde(default)]
    pub most_frequent: Option<f64>,
}

impl DataSummary {
    /// The accuracy that a network reaches which knows no more than how frequent classes are.
    #[must_use]
    pub fn chance(&self) -> f64 {
        self.most_frequent.unwrap_or(1.0 / self.classes.len().max(1) as f64)
    }
}

/// One prepared file (safetensors: `images` u8 `[n, channels, height, width]`, `labels` i64
/// `[n]`, `mean` and `std` f32 `[channels]` of the training split, in units of 0 to 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitFile {
    /// The file.
    pub path: PathBuf,
    /// How many images it has.
    pub images: usize,
    /// Hexadecimal sha256 of the file.
    pub sha256: String,
}
