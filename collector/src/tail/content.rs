//! [`Content`]: the bytes of a generation by offset, plain or out of gzip. Does not know lines.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An open generation.
#[derive(Debug)]
pub(crate) struct Content {
    file: Arc<File>,
    gzip: Option<Gzip>,
}

/// A file's size and names at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    /// Device and inode.
    pub(crate) inode: (u64, u64),
    /// Bytes on disk.
    pub(crate) size: u64,
    /// Names; 0 once deleted.
    pub(crate) links: u64,
    /// Last change of the content, nanoseconds since the epoch.
    pub(crate) modified: i64,
}

impl Stat {
    /// From what the system says.
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        let modified = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        Self {
            inode: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            links: metadata.nlink(),
            modified,
        }
    }
}

impl Content {
    /// Tells gzip by its first bytes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let mut content = Self { file: Arc::new(file), gzip: None };
        content.detect()?;
        Ok(content)
    }

    /// Looks at the first bytes again: the file may have been empty before. Only before anything was read.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn detect(&mut self) -> io::Result<()> {
        let mut magic = [0; 2];
        let is_gzip = self.file.read_at(&mut magic, 0)? == magic.len() && magic == GZIP_MAGIC;
        self.gzip = is_gzip.then(Gzip::default);
        Ok(())
    }

    /// Whether it is compressed, and so will never grow.
    pub(crate) fn is_gzip(&self) -> bool {
        self.gzip.is_some()
    }

    /// Size and names now.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        self.file.metadata().map(|metadata| Stat::of(&metadata))
    }

    /// Whether nothing follows the first `length` bytes. What cannot be read is not known to end.
    pub(crate) fn ends_at(&mut self, length: u64) -> bool {
        self.read_at(length, &mut [0]).is_ok_and(|count| count == 0)
    }

    /// Fills `buffer` from `offset` (of the decompressed bytes); fewer only at the end.
    ///
    /// # Errors
    /// What the system says; for gzip also `UnexpectedEof` or `InvalidData` when it is incomplete or damaged, and not one byte
    /// could be read.
    pub(crate) fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.gzip {
            Some(gzip) => gzip.read_at(&self.file, offset, buffer),
            None => read_full(buffer, |done, rest| self.file.read_at(rest, offset + done as u64)),
        }
    }
}

fn read_full(
    buffer: &mut [u8],
    mut read: impl FnMut(usize, &mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match read(done, rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// A decoder and where it stands. Going back means starting over: gzip has no index.
#[derive(Debug, Default)]
struct Gzip {
    decoder: Option<MultiGzDecoder<BufReader<Positioned>>>,
    position: u64,
}

impl Gzip {
    fn read_at(&mut self, file: &Arc<File>, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.decoder.is_none() || offset < self.position {
            let raw = Positioned { file: Arc::clone(file), position: 0 };
            self.decoder = Some(MultiGzDecoder::new(BufReader::with_capacity(64 << 10, raw)));
            self.position = 0;
        }
        let result = self.skip_and_read(offset, buffer);
        if result.is_err() {
            self.decoder = None;
        }
        result
    }

    fn skip_and_read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else { return Ok(0) };
        let skipped = io::copy(&mut decoder.by_ref().take(offset - self.position), &mut io::sink())?;
        self.position += skipped;
        if self.position < offset {
            return Ok(0);
        }
        let mut failed = false;
        let count = read_full(buffer, |_, rest| decoder.read(rest).inspect_err(|_| failed = true))?;
        self.position += count as u64;
        if failed {
            // The error comes again, alone, when the bytes after these are asked for.
            self.decoder = None;
        }
        Ok(count)
    }
}

/// Reads on from a position of its own, so that several readers of one file do not disturb each other.
#[derive(Debug)]
struct Positioned {
    file: Arc<File>,
    position: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
