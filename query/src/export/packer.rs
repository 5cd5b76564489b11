//! [`Packer`]: what is handed over, made fewer bytes.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::format::Packing;

/// As `zstd` by itself: fast enough to keep up with what makes the lines.
const ZSTD_LEVEL: i32 = 3;

/// Packs a stream.
pub(crate) enum Packer {
    None,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(ZstdEncoder<'static, Vec<u8>>),
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl Packer {
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn new(packing: Packing) -> io::Result<Self> {
        Ok(match packing {
            Packing::None => Self::None,
            Packing::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Packing::Zstd => Self::Zstd(ZstdEncoder::new(Vec::new(), ZSTD_LEVEL)?),
        })
    }

    /// What there is to be sent after these pieces.
    ///
    /// # Errors
    /// The packer failed.
    pub(crate) fn pack(&mut self, pieces: Vec<Bytes>) -> io::Result<Vec<Bytes>> {
        let packed = match self {
            Self::None => return Ok(pieces),
            Self::Gzip(gzip) => {
                pieces.iter().try_for_each(|piece| gzip.write_all(piece))?;
                std::mem::take(gzip.get_mut())
            }
            Self::Zstd(zstd) => {
                pieces.iter().try_for_each(|piece| zstd.write_all(piece))?;
                std::mem::take(zstd.get_mut())
            }
        };
        Ok(vec![packed.into()])
    }

    /// What there is to be sent at the end.
    ///
    /// # Errors
    /// The packer failed.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::None => Bytes::new(),
            Self::Gzip(gzip) => gzip.finish()?.into(),
            Self::Zstd(zstd) => zstd.finish()?.into(),
        })
    }
}
