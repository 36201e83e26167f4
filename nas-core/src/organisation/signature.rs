//! Signed policy files: minisign's format, so that any organisation can sign with a tool that
//! exists.

use std::path::{Path, PathBuf};

use minisign_verify::{PublicKey, Signature};

use super::find::{OrganisationError, read};

/// The file with the signature of a policy file: the same name and `.minisig`.
pub(super) fn signature_file(policy: &Path) -> PathBuf {
    let mut name = policy.file_name().unwrap_or_default().to_owned();
    name.push(".minisig");
    policy.with_file_name(name)
}

/// Checks that these bytes of a policy file were signed by the trusted key. Gives the comment that
/// the signature covers.
pub(super) fn verify(
    policy: &Path,
    bytes: &[u8],
    key_file: &Path,
) -> Result<String, OrganisationError> {
    let key = read("the trusted key", key_file)?;
    let text = String::from_utf8_lossy(&key);
    let key = PublicKey::decode(text.trim()).or_else(|_| PublicKey::from_base64(text.trim()));
    let key = key.map_err(|error| OrganisationError::Key {
        path: key_file.to_owned(),
        message: error.to_string(),
    })?;
    let refused = |message: String| OrganisationError::Signature {
        policy: policy.to_owned(),
        signature: signature_file(policy),
        key: key_file.to_owned(),
        message,
    };
    let path = signature_file(policy);
    let signature = std::fs::read_to_string(&path)
        .map_err(|error| refused(format!("the signature can't be read: {error}")))?;
    let signature = Signature::decode(signature.trim())
        .map_err(|error| refused(format!("the signature is none of minisign's: {error}")))?;
    key.verify(bytes, &signature, false).map_err(|error| {
        refused(format!("the file was changed, or another key signed it ({error})"))
    })?;
    Ok(signature.trusted_comment().to_owned())
}
