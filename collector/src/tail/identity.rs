//! [`Fingerprint`]: which file an offset belongs to, told by what was read of it.
//!
//! Inodes are reused at once (ext4: 200 of 200 times) and truncated files keep theirs, so the bytes decide: the first ones,
//! and the last ones before the offset. Both are hashed over exactly what was consumed, so the fingerprint grows with the file.

use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::content::Content;

/// Most bytes hashed at the start.
const PREFIX_BYTES: u64 = 1024;
/// Most bytes hashed before the offset.
const SUFFIX_BYTES: u64 = 64;

/// Hashes of the bytes at the start of a file and before an offset in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    /// Hex of the first `min(offset, 1024)` bytes' hash.
    prefix: String,
    /// Hex of the hash of up to 64 bytes before the offset.
    suffix: String,
}

impl Fingerprint {
    /// The fingerprint of the first `offset` bytes; `None` if there are fewer.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn of(content: &mut Content, offset: u64) -> io::Result<Option<Self>> {
        let Some(prefix) = hash(content, 0, offset.min(PREFIX_BYTES))? else { return Ok(None) };
        let length = offset.min(SUFFIX_BYTES);
        let Some(suffix) = hash(content, offset - length, length)? else { return Ok(None) };
        Ok(Some(Self { prefix, suffix }))
    }

    /// The fingerprint after `taken` was read at `offset`, from those bytes alone where they suffice: a compressed file can only be
    /// read forwards.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn grow(&self, offset: u64, taken: &[u8], content: &mut Content) -> io::Result<Option<Self>> {
        let last = offset + taken.len() as u64;
        let length = usize::try_from(last.min(SUFFIX_BYTES)).unwrap_or_default();
        let Some(suffix) = taken.len().checked_sub(length).and_then(|start| taken.get(start..)) else {
            return Self::of(content, last);
        };
        let prefix = match taken.get(..taken.len().min(PREFIX_BYTES as usize)) {
            _ if offset >= PREFIX_BYTES => self.prefix.clone(),
            Some(prefix) if offset == 0 => digest(prefix),
            _ => return Self::of(content, last),
        };
        Ok(Some(Self { prefix, suffix: digest(suffix) }))
    }

    /// Whether the first `offset` bytes of `content` are those that were consumed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn matches(&self, content: &mut Content, offset: u64) -> io::Result<bool> {
        Ok(offset == 0 || Self::of(content, offset)?.as_ref() == Some(self))
    }
}

fn hash(content: &mut Content, offset: u64, length: u64) -> io::Result<Option<String>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    if content.read_at(offset, &mut bytes)? < bytes.len() {
        return Ok(None);
    }
    Ok(Some(digest(&bytes)))
}

fn digest(bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
