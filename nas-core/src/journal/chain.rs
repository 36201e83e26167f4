//! The hash chain: each event's hash covers everything before it.

use sha2::{Digest, Sha256};

/// A link of the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What the first event is chained to.
    pub const GENESIS: Self = Self([0; 32]);

    /// `sha256(this hash ‖ seq ‖ time_ms ‖ body)`, numbers as 64-bit little-endian.
    #[must_use]
    pub fn next(&self, seq: u64, time_ms: u64, body: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(seq.to_le_bytes());
        hasher.update(time_ms.to_le_bytes());
        hasher.update(body);
        Self(hasher.finalize().into())
    }
}

impl std::fmt::Display for ChainHash {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl std::fmt::Debug for ChainHash {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, out)
    }
}

/// The end of a chain: where the next event is appended. A copy of it outside the run's folder
/// shows later whether the chain was cut or written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last event's number; 0 where there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: ChainHash,
}

impl Head {
    /// The head of an empty journal.
    pub const EMPTY: Self = Self { seq: 0, hash: ChainHash::GENESIS };

    /// The head after one more event.
    #[must_use]
    pub fn next(&self, time_ms: u64, body: &str) -> Self {
        let seq = self.seq + 1;
        Self { seq, hash: self.hash.next(seq, time_ms, body) }
    }
}
