//! Signatures: minisign's format, so that any organisation can sign with a tool that exists.

use std::path::{Path, PathBuf};

use minisign_verify::{PublicKey, Signature};

/// A public key: a file of minisign's, or only its second line.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    let key = PublicKey::decode(text.trim()).or_else(|_| PublicKey::from_base64(text.trim()));
    key.map_err(|error| error.to_string())
}

/// Checks that these bytes were signed with a key. Gives the comment that the signature covers.
///
/// # Errors
/// What is wrong with the signature.
pub(crate) fn verify(bytes: &[u8], signature: &str, key: &PublicKey) -> Result<String, String> {
    let signature = Signature::decode(signature.trim())
        .map_err(|error| format!("the signature is none of minisign's: {error}"))?;
    key.verify(bytes, &signature, false).map_err(|error| {
        format!("what was signed was changed, or another key signed it ({error})")
    })?;
    Ok(signature.trusted_comment().to_owned())
}

/// The file with the signature of a file: the same name and `.minisig`.
pub(crate) fn signature_file(signed: &Path) -> PathBuf {
    let mut name = signed.file_name().unwrap_or_default().to_owned();
    name.push(".minisig");
    signed.with_file_name(name)
}
