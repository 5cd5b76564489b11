//! The header of a segment file, and the file's name.

use std::path::{Path, PathBuf};

use locard_event::Timestamp;

use super::bytes::Reader;

/// Length of the header.
pub(super) const HEADER_BYTES: usize = 56;
/// The first seven bytes say what it is, the eighth which version.
const MAGIC: [u8; 7] = *b"LCRDWAL";
const VERSION: u8 = b'2';
/// The only other version there ever was; its frames say less about how their bodies were read.
const OLD_VERSION: u8 = b'1';
const NONE: u64 = u64::MAX;

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The segment's number; later segments have greater ones.
    pub(super) id: u64,
    /// Drawn at random; every frame of the segment repeats it. Who sends bodies cannot know it, so no body holds a frame.
    pub(super) nonce: u64,
    /// When it was begun.
    pub(super) created: Timestamp,
    /// The segment with the frames before, and how many of its bytes count: what is beyond was never acked.
    pub(super) previous: Option<(u64, u64)>,
}

/// What the first bytes of a file are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A header.
    Header(Header),
    /// One of a version that this program does not know.
    NewerVersion(u8),
    /// One of a version that this program reads no more.
    OldVersion,
    /// Not a header: torn or damaged.
    Damaged,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let (previous, valid) = self.previous.unwrap_or((NONE, NONE));
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.push(VERSION);
        for number in [self.id, self.nonce, self.created.nanos() as u64, previous, valid] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&0u32.to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Opening {
        if let (Some(magic), Some(&version)) = (bytes.get(..7), bytes.get(7))
            && magic == MAGIC
            && version > VERSION
        {
            return Opening::NewerVersion(version);
        }
        match Self::read(bytes) {
            Some((OLD_VERSION, _)) => Opening::OldVersion,
            Some((_, header)) => Opening::Header(header),
            None => Opening::Damaged,
        }
    }

    /// A sound header and its version.
    fn read(bytes: &[u8]) -> Option<(u8, Self)> {
        let (covered, checksum) = bytes.get(..HEADER_BYTES)?.split_at_checked(HEADER_BYTES - 4)?;
        let mut reader = Reader(covered);
        let sound = reader.take(MAGIC.len())? == MAGIC && Reader(checksum).u32()? == crc32c::crc32c(covered);
        let version = reader.u8()?;
        let (id, nonce, created) = (reader.u64()?, reader.u64()?, reader.i64()?);
        let (previous, valid) = (reader.u64()?, reader.u64()?);
        let previous = (previous != NONE).then_some((previous, valid));
        sound.then_some((version, Self { id, nonce, created: Timestamp::from_nanos(created), previous }))
    }
}

/// The file of segment `id`: twenty digits, so that names sort like numbers.
pub(super) fn path(directory: &Path, id: u64) -> PathBuf {
    directory.join(format!("{id:020}.wal"))
}

/// The file whose presence says that the damage of the segment at `path` may be read around.
pub(super) fn acceptance(path: &Path) -> PathBuf {
    path.with_extension("accept")
}

/// The number in a segment's file name; `None` for other files.
pub(super) fn id_of(path: &Path) -> Option<u64> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".wal")?;
    (stem.len() == 20 && stem.bytes().all(|b| b.is_ascii_digit())).then(|| stem.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(previous: Option<(u64, u64)>) -> Header {
        Header { id: 7, nonce: 0x1234_5678_9abc_def0, created: Timestamp::from_seconds(-1), previous }
    }

    #[test]
    fn a_header_round_trips_and_no_flipped_bit_passes() {
        for header in [header(None), header(Some((6, 4096)))] {
            let bytes = header.encode();
            assert_eq!(bytes.len(), HEADER_BYTES);
            assert_eq!(Header::decode(&bytes), Opening::Header(header));
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!matches!(Header::decode(&flipped), Opening::Header(_)), "bit {bit}");
            }
            for length in 0..HEADER_BYTES {
                assert_eq!(Header::decode(&bytes[..length]), Opening::Damaged);
            }
        }
    }

    #[test]
    fn other_versions_are_told_from_damage() {
        let mut bytes = header(None).encode();
        bytes[7] = b'3';
        assert_eq!(Header::decode(&bytes), Opening::NewerVersion(b'3'));
        bytes[7] = b'1';
        assert_eq!(Header::decode(&bytes), Opening::Damaged);
        let checksum = crc32c::crc32c(&bytes[..HEADER_BYTES - 4]);
        bytes[HEADER_BYTES - 4..].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Header::decode(&bytes), Opening::OldVersion);
    }

    #[test]
    fn only_segment_names_have_a_number() {
        assert_eq!(id_of(&path(Path::new("/x"), 42)), Some(42));
        for other in ["42.wal", "00000000000000000042.tmp", "lock", "0000000000000000004x.wal"] {
            assert_eq!(id_of(Path::new(other)), None, "{other}");
        }
    }
}
