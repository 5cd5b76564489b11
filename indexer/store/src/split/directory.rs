//! Where tantivy reads and writes: [`Scratch`], a folder that is thrown away, and [`Bundle`], the sections of an object.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::sync::atomic::{AtomicBool, Ordering};
use tantivy::{HasLen, TantivyError};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite, WatchCallback,
    WatchHandle, WritePtr,
};

use super::object::Object;
use crate::Error;
use crate::error::is_no_space;

/// A folder for the files tantivy makes before they are bundled. Nothing is synced: only the bundle has to last.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    folder: Arc<Path>,
    full: Full,
}

/// Remembers that the disk was full: tantivy may tell it as a text, or not at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Full(Arc<AtomicBool>);

impl Full {
    /// The error of a writer, told as what was behind it.
    pub(crate) fn explain(&self, error: TantivyError) -> Error {
        if self.0.load(Ordering::Relaxed) { Error::NoSpace } else { error.into() }
    }

    fn note<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &outcome
            && is_no_space(error)
        {
            self.0.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

impl Scratch {
    pub(crate) fn new(folder: &Path, full: &Full) -> Self {
        Self { folder: folder.into(), full: full.clone() }
    }

    fn path(&self, name: &Path) -> PathBuf {
        self.folder.join(name)
    }
}

impl Directory for Scratch {
    fn get_file_handle(&self, name: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let open = || {
            let file = File::open(self.path(name))?;
            let length = file.metadata()?.len() as usize;
            Ok(ScratchHandle { file, length })
        };
        open().map(|handle| Arc::new(handle) as Arc<dyn FileHandle>).map_err(|error| not_read(error, name))
    }

    fn delete(&self, name: &Path) -> Result<(), DeleteError> {
        fs::remove_file(self.path(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DeleteError::FileDoesNotExist(name.into()),
            _ => DeleteError::IoError { io_error: Arc::new(error), filepath: name.into() },
        })
    }

    fn exists(&self, name: &Path) -> Result<bool, OpenReadError> {
        self.path(name).try_exists().map_err(|error| not_read(error, name))
    }

    fn open_write(&self, name: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = self.full.note(File::options().write(true).create_new(true).open(self.path(name)));
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(name.into()),
            _ => OpenWriteError::wrap_io_error(error, name.into()),
        })?;
        Ok(BufWriter::new(Box::new(ScratchFile { file, full: self.full.clone() })))
    }

    fn atomic_read(&self, name: &Path) -> Result<Vec<u8>, OpenReadError> {
        fs::read(self.path(name)).map_err(|error| not_read(error, name))
    }

    fn atomic_write(&self, name: &Path, data: &[u8]) -> io::Result<()> {
        self.full.note(fs::write(self.path(name), data))
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

fn not_read(error: io::Error, name: &Path) -> OpenReadError {
    match error.kind() {
        io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(name.into()),
        _ => OpenReadError::wrap_io_error(error, name.into()),
    }
}

struct ScratchFile {
    file: File,
    full: Full,
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.full.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl TerminatingWrite for ScratchFile {
    fn terminate_ref(&mut self, _token: AntiCallToken) -> io::Result<()> {
        self.file.flush()
    }
}

#[derive(Debug)]
struct ScratchHandle {
    file: File,
    length: usize,
}

impl HasLen for ScratchHandle {
    fn len(&self) -> usize {
        self.length
    }
}

impl FileHandle for ScratchHandle {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let mut buffer = vec![0; range.len()];
        self.file.read_exact_at(&mut buffer, range.start as u64)?;
        Ok(OwnedBytes::new(buffer))
    }
}

/// The tantivy files inside an object, read by ranges.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    object: Arc<Object>,
}

/// What the name of a section that holds a tantivy file begins with.
pub(crate) const INDEX_PREFIX: &str = "index/";

impl Bundle {
    pub(crate) fn new(object: Arc<Object>) -> Self {
        Self { object }
    }

    fn section(&self, name: &Path) -> Option<Range<u64>> {
        self.object.section(&format!("{INDEX_PREFIX}{}", name.to_str()?))
    }
}

impl Directory for Bundle {
    fn get_file_handle(&self, name: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let range = self.section(name).ok_or_else(|| OpenReadError::FileDoesNotExist(name.into()))?;
        Ok(Arc::new(BundleHandle { object: Arc::clone(&self.object), range }))
    }

    fn delete(&self, name: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: Arc::new(read_only()), filepath: name.into() })
    }

    fn exists(&self, name: &Path) -> Result<bool, OpenReadError> {
        Ok(self.section(name).is_some())
    }

    fn open_write(&self, name: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(read_only(), name.into()))
    }

    fn atomic_read(&self, name: &Path) -> Result<Vec<u8>, OpenReadError> {
        let range = self.section(name).ok_or_else(|| OpenReadError::FileDoesNotExist(name.into()))?;
        self.object.read(range).map_err(|error| OpenReadError::wrap_io_error(error, name.into()))
    }

    fn atomic_write(&self, _name: &Path, _data: &[u8]) -> io::Result<()> {
        Err(read_only())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    /// Nobody changes it, so everybody may have it.
    fn acquire_lock(&self, _lock: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a split is never written again")
}

#[derive(Debug)]
struct BundleHandle {
    object: Arc<Object>,
    range: Range<u64>,
}

impl HasLen for BundleHandle {
    fn len(&self) -> usize {
        (self.range.end - self.range.start) as usize
    }
}

impl FileHandle for BundleHandle {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let start = self.range.start.saturating_add(range.start as u64);
        let end = self.range.start.saturating_add(range.end as u64);
        if end > self.range.end {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a range beyond the file"));
        }
        self.object.read(start..end).map(OwnedBytes::new)
    }
}
