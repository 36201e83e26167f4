//! The whole way from a source to three files.

use nas_core::protocol::data::{DataRequest, DataSummary};

use super::normalization::Normalization;
use super::split::Plan;
use super::{DataError, duplicates, source, write};

/// Reads the source, splits it, and writes `train`, `validation` and `holdout` into the folder
/// asked for, which is made if need be.
///
/// The holdout is the source's own test set where it has one. The same source and settings give
/// files with the same bytes.
///
/// # Errors
/// A [`DataError`] that names the file, what was expected, what was found and what to do. Nothing
/// is written unless the whole source was read and split.
pub fn prepare(request: &DataRequest) -> Result<DataSummary, DataError> {
    let source = source::read(&request.config)?;
    let plan = Plan::of(&source, &request.config)?;
    let normalization = Normalization::of(&source.train, &plan.train);
    let (holdout_images, holdout) = match &source.test {
        Some(test) => (test, (0..test.len()).collect()),
        None => (&source.train, plan.holdout),
    };

    let folder = &request.output;
    std::fs::create_dir_all(folder)
        .map_err(|cause| DataError::Write { path: folder.clone(), cause })?;
    let write =
        |name, images, positions| write::write(folder, name, images, positions, &normalization);
    Ok(DataSummary {
        shape: source.train.shape.to_vec(),
        train: write("train", &source.train, &plan.train)?,
        validation: write("validation", &source.train, &plan.validation)?,
        holdout: write("holdout", holdout_images, &holdout)?,
        duplicates_across_splits: duplicates::across_splits(&[
            (&source.train, &plan.train),
            (&source.train, &plan.validation),
            (holdout_images, &holdout),
        ]),
        most_frequent: Some(source.train.most_frequent(&plan.validation)),
        classes: source.classes,
    })
}
