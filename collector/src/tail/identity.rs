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

/// The bytes that a fingerprint hashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    prefix: Vec<u8>,
    suffix: Vec<u8>,
}

impl Sample {
    /// Those of the first `offset` bytes; `None` if there are fewer.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(content: &mut Content, offset: u64) -> io::Result<Option<Self>> {
        let Some(prefix) = bytes(content, 0, offset.min(PREFIX_BYTES))? else { return Ok(None) };
        let length = offset.min(SUFFIX_BYTES);
        let Some(suffix) = bytes(content, offset - length, length)? else { return Ok(None) };
        Ok(Some(Self { prefix, suffix }))
    }

    /// Those after `taken` was consumed too.
    pub(crate) fn grow(mut self, taken: &[u8]) -> Self {
        let missing = (PREFIX_BYTES as usize).saturating_sub(self.prefix.len()).min(taken.len());
        self.prefix.extend_from_slice(taken.get(..missing).unwrap_or_default());
        let tail = taken.get(taken.len().saturating_sub(SUFFIX_BYTES as usize)..).unwrap_or_default();
        self.suffix.extend_from_slice(tail);
        let excess = self.suffix.len().saturating_sub(SUFFIX_BYTES as usize);
        self.suffix.drain(..excess);
        self
    }

    /// Their hashes.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { prefix: digest(&self.prefix), suffix: digest(&self.suffix) }
    }
}

impl Fingerprint {
    /// Whether the first `offset` bytes of `content` are those that were consumed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn matches(&self, content: &mut Content, offset: u64) -> io::Result<bool> {
        if offset == 0 {
            return Ok(true);
        }
        Ok(Sample::read(content, offset)?.is_some_and(|sample| sample.fingerprint() == *self))
    }
}

fn bytes(content: &mut Content, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let count = content.read_at(offset, &mut bytes)?;
    Ok((count == bytes.len()).then_some(bytes))
}

fn digest(bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the bytes were consumed, the fingerprint is that of the file's first `offset` bytes.
    #[test]
    fn a_fingerprint_grows_as_the_offset_does() {
        let text: Vec<u8> = (0..3000u32).map(|number| (number % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &text).unwrap();
        let mut content = Content::new(file).unwrap();
        for step in [1, 7, 63, 64, 65, 1000, 1024, 3000] {
            let (mut sample, mut offset) = (Sample::default(), 0);
            for taken in text.chunks(step) {
                sample = sample.grow(taken);
                offset += taken.len() as u64;
                let expected = Sample::read(&mut content, offset).unwrap().unwrap().fingerprint();
                assert_eq!(sample.fingerprint(), expected, "step {step} offset {offset}");
            }
        }
        assert!(Sample::read(&mut content, 3001).unwrap().is_none());
    }
}
