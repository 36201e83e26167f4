//! Signed policy files.

use std::path::Path;

use super::error::{OrganisationError, read};
use crate::minisign;

/// Checks that these bytes of a policy file were signed by the trusted key. Gives the comment that
/// the signature covers.
pub(super) fn verify(
    policy: &Path,
    bytes: &[u8],
    key_file: &Path,
) -> Result<String, OrganisationError> {
    let key = read("the trusted key", key_file)?;
    let key = minisign::public_key(&String::from_utf8_lossy(&key))
        .map_err(|message| OrganisationError::Key { path: key_file.to_owned(), message })?;
    let path = minisign::signature_file(policy);
    let refused = |message: String| OrganisationError::Signature {
        policy: policy.to_owned(),
        signature: path.clone(),
        key: key_file.to_owned(),
        message,
    };
    let signature = std::fs::read_to_string(&path)
        .map_err(|error| refused(format!("the signature can't be read: {error}")))?;
    minisign::verify(bytes, &signature, &key).map_err(refused)
}
