//! Images that more than one split has: they make a score look better than it is.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_128;

use super::images::Images;

/// Counts the images of a later split that equal, pixel for pixel, an image of an earlier one.
/// Equal images within one split do not count.
pub(super) fn across_splits(splits: &[(&Images, &[usize])]) -> usize {
    let mut seen = HashSet::new();
    let mut duplicates = 0;
    for (images, positions) in splits {
        let hashes: Vec<_> =
            positions.iter().map(|position| xxh3_128(images.image(*position))).collect();
        duplicates += hashes.iter().filter(|hash| seen.contains(*hash)).count();
        seen.extend(hashes);
    }
    duplicates
}
