//! [`Input`]: a file or standard input, decompressed by what its first bytes say.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

use crate::cli::Error;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes of a log, decompressed.
pub(super) struct Input(Box<dyn BufRead + Send>);

impl Input {
    /// Opens a file, or standard input for `-`. Progress counts the bytes of the file itself.
    pub(super) fn open(path: &Path, progress: &ProgressBar) -> Result<Self, Error> {
        let opened = if path == Path::new("-") {
            Self::of(Box::new(progress.wrap_read(io::stdin())))
        } else {
            Self::open_file(path, progress)
        };
        opened.map_err(|source| Error::Read { path: path.to_owned(), source })
    }

    fn open_file(path: &Path, progress: &ProgressBar) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        if metadata.is_file() {
            progress.set_length(metadata.len());
        }
        Self::of(Box::new(progress.wrap_read(file)))
    }

    fn of(raw: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut raw = BufReader::with_capacity(256 << 10, raw);
        let head = raw.fill_buf()?;
        if head.starts_with(&GZIP) {
            return Ok(Self(Box::new(BufReader::new(MultiGzDecoder::new(raw)))));
        }
        if head.starts_with(&ZSTD) {
            return Ok(Self(Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(raw)?))));
        }
        Ok(Self(Box::new(raw)))
    }

    #[cfg(test)]
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self::of(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap()
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}
