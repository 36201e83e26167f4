//! Somebody who signs files with a key of minisign's.

use std::path::Path;

use minisign::KeyPair;

/// A key pair without a password.
pub(crate) struct Signer(KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    /// The public key, as a policy names it.
    pub(crate) fn key(&self) -> String {
        self.0.pk.to_base64()
    }

    /// Leaves the signature of a file beside it, in a file of its name and `.minisig`.
    pub(crate) fn sign(&self, path: &Path) {
        let content = std::fs::read(path).unwrap();
        let signature = minisign::sign(None, &self.0.sk, content.as_slice(), None, None).unwrap();
        std::fs::write(format!("{}.minisig", path.display()), signature.into_string()).unwrap();
    }
}
