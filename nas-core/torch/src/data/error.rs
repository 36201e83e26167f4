//! What can be wrong with a source or a prepared file: where, what was expected, what was found,
//! and what to do.

use std::io;
use std::path::PathBuf;

/// Why data can't be prepared or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A format that reads files was given no path.
    #[error("data format `{format}` needs `data.path`: set it to {expected}")]
    PathMissing {
        /// The format's name in a configuration.
        format: &'static str,
        /// What the path must be.
        expected: &'static str,
    },
    /// The built-in digits were given a path.
    #[error(
        "data format `digits` is built in and reads no file: remove `data.path = \"{}\"`, or choose \
         the format of that file",
        path.display()
    )]
    PathUnwanted {
        /// The path given.
        path: PathBuf,
    },
    /// Nothing lies at a path.
    #[error("`{}` does not exist: expected {expected}", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
        /// What should lie there.
        expected: &'static str,
    },
    /// A folder where a file is needed, or the other way round.
    #[error("`{}` is {found}: expected {expected}", path.display())]
    WrongKind {
        /// The path.
        path: PathBuf,
        /// What lies there.
        found: &'static str,
        /// What should lie there.
        expected: &'static str,
    },
    /// The operating system refuses to read.
    #[error("can't read `{}`: {cause}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// The operating system refuses to write.
    #[error("can't write `{}`: {cause}; choose another run folder or free some space", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// A gzip stream that ends early or does not match its checksum.
    #[error("`{}` is a broken gzip file ({cause}): copy or fetch it again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder found.
        cause: io::Error,
    },
    /// More bytes than one source may have.
    #[error(
        "`{}` holds more than {limit_bytes} bytes of images, the most that is read: use fewer or \
         smaller images",
        path.display()
    )]
    TooBig {
        /// The file or folder.
        path: PathBuf,
        /// Most bytes of one source.
        limit_bytes: u64,
    },
    /// Not the kind of file that the format reads.
    #[error("`{}` is not {expected}: found {found}; {help}", path.display())]
    NotOfFormat {
        /// The file.
        path: PathBuf,
        /// What the format reads.
        expected: String,
        /// How the file begins, or what is wrong.
        found: String,
        /// What to do.
        help: &'static str,
    },
    /// A header that promises another number of bytes than there are.
    #[error(
        "`{}` has {found_bytes} bytes of data where its header ({header}) needs {expected_bytes}: it \
         is truncated or damaged; copy or fetch it again",
        path.display()
    )]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// What the header says, in words.
        header: String,
        /// Bytes that the header needs.
        expected_bytes: u64,
        /// Bytes that are there; one more than needed stands for any larger number.
        found_bytes: u64,
    },
    /// A size that no whole number of records has.
    #[error(
        "`{}` has {found_bytes} bytes, not a whole number of records of {record_bytes} ({} left \
         over): {help}",
        path.display(),
        found_bytes % record_bytes
    )]
    PartialRecord {
        /// The file.
        path: PathBuf,
        /// Size of one record.
        record_bytes: usize,
        /// Size of the (unpacked) file.
        found_bytes: usize,
        /// What it may be and what to do.
        help: &'static str,
    },
    /// A folder without a file that the format needs.
    #[error("`{}` has no {expected}; it holds {found}", folder.display())]
    FileMissing {
        /// The folder.
        folder: PathBuf,
        /// The names that would have served.
        expected: String,
        /// The folder's files, or the first of them.
        found: String,
    },
    /// Two files that could both be the one needed.
    #[error(
        "`{}` has both `{first}` and `{second}` as {wanted}: leave only the one to use",
        folder.display()
    )]
    Ambiguous {
        /// The folder.
        folder: PathBuf,
        /// What is looked for.
        wanted: &'static str,
        /// A candidate.
        first: String,
        /// Another candidate.
        second: String,
    },
    /// Images without labels or labels without images.
    #[error(
        "{images} images in `{images_from}` but {labels} labels in `{labels_from}`: take both from \
         the same data set"
    )]
    CountMismatch {
        /// File or array of the images.
        images_from: String,
        /// How many images.
        images: usize,
        /// File or array of the labels.
        labels_from: String,
        /// How many labels.
        labels: usize,
    },
    /// A label that is no class.
    #[error("label {label} of image {index} in `{from}` is out of range: expected {expected}")]
    LabelOutOfRange {
        /// File or array.
        from: String,
        /// Position of the image, from 0.
        index: usize,
        /// The label.
        label: i64,
        /// Which labels there may be.
        expected: String,
    },
    /// A file that can't be decoded as an image.
    #[error(
        "`{}` is not a readable image ({cause}): expected PNG, JPEG, BMP or PNM; convert, replace or \
         remove it",
        path.display()
    )]
    NotAnImage {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        cause: String,
    },
    /// Images of two sizes.
    #[error(
        "all images must have one size, but `{}` has {found} and `{}` has {expected} (width×height): \
         resize the images first",
        path.display(),
        first.display()
    )]
    MixedSizes {
        /// The odd one.
        path: PathBuf,
        /// Its width×height.
        found: String,
        /// The first image read.
        first: PathBuf,
        /// Its width×height.
        expected: String,
    },
    /// A class folder without any image.
    #[error("class folder `{}` has no image: add some or remove the folder", path.display())]
    EmptyClass {
        /// The folder.
        path: PathBuf,
    },
    /// A test class that is not trained on.
    #[error(
        "`{}` is no class of the training images (known: {known}): rename or remove the folder",
        path.display()
    )]
    UnknownClass {
        /// The test folder.
        path: PathBuf,
        /// The training classes.
        known: String,
    },
    /// An NPZ file without an array that is needed.
    #[error(
        "`{}` has no array `{key}` (found: {found}): save with numpy.savez(…, x_train=…, y_train=…) \
         and optionally x_test=…, y_test=…",
        path.display()
    )]
    KeyMissing {
        /// The file.
        path: PathBuf,
        /// The array's name.
        key: &'static str,
        /// The arrays that are there.
        found: String,
    },
    /// An array of the wrong element type.
    #[error("array `{key}` of `{}` has dtype `{found}`: expected {expected}", path.display())]
    WrongDtype {
        /// The file.
        path: PathBuf,
        /// The array's name.
        key: &'static str,
        /// NumPy's name of the type found.
        found: String,
        /// What would be read, and how to convert.
        expected: &'static str,
    },
    /// An array of the wrong shape.
    #[error("array `{key}` of `{}` has shape {found:?}: expected {expected}", path.display())]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// The array's name.
        key: &'static str,
        /// The shape found.
        found: Vec<usize>,
        /// What would be read.
        expected: String,
    },
    /// A pixel that is no number between 0 and 1.
    #[error(
        "array `{key}` of `{}` has the value {value} in image {index}: floating-point pixels must be \
         between 0 and 1; scale and clean them, or save 0..255 as uint8",
        path.display()
    )]
    BadPixel {
        /// The file.
        path: PathBuf,
        /// The array's name.
        key: &'static str,
        /// Position of the image, from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Test images of another shape than the training images.
    #[error(
        "test images of `{from}` have shape {found:?} but training images {expected:?} (channels, \
         height, width): convert one to the other"
    )]
    TestShape {
        /// The source.
        from: String,
        /// Shape of a test image.
        found: [usize; 3],
        /// Shape of a training image.
        expected: [usize; 3],
    },
    /// Images without a pixel.
    #[error("the images of `{from}` have no pixels (shape {shape:?}: channels, height, width)")]
    NoPixels {
        /// The source.
        from: String,
        /// The shape.
        shape: [usize; 3],
    },
    /// Nothing to tell apart.
    #[error(
        "`{from}` has {found} training images in {classes} classes: expected at least 2 classes"
    )]
    TooFewClasses {
        /// The source.
        from: String,
        /// How many images.
        found: usize,
        /// How many classes have one.
        classes: usize,
    },
    /// A split without images.
    #[error("the {split} split of `{from}` would be empty: {why}; {help}")]
    EmptySplit {
        /// `train`, `validation` or `holdout`.
        split: &'static str,
        /// The source.
        from: String,
        /// How many images there are of how many classes.
        why: String,
        /// What to change.
        help: &'static str,
    },
    /// Fewer images asked for than there are classes.
    #[error(
        "`data.limit = {limit}` is fewer than the {classes} classes of `{from}`: every class needs an \
         image, raise the limit"
    )]
    LimitTooSmall {
        /// The limit.
        limit: usize,
        /// How many classes there are.
        classes: usize,
        /// The source.
        from: String,
    },
    /// A share that is none.
    #[error("`data.{name} = {value}` is not between 0 and 1: both ends are excluded")]
    BadFraction {
        /// The setting's name.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A prepared file that is damaged or not one.
    #[error("`{}` is not a prepared split: {found}; prepare the data again", path.display())]
    BadSplitFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        found: String,
    },
}
