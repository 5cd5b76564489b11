//! [`Disk`]: the file operations of the log, in one place so that tests can make each of them fail.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The operations that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Make a segment's file.
    Create,
    /// Write into it.
    Write,
    /// fdatasync it.
    Sync,
    /// Cut it.
    Truncate,
    /// fsync the directory.
    SyncDirectory,
    /// Unlink it.
    Remove,
}

/// The file system; in tests with a fault plan in front.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) fault: Option<std::sync::Arc<dyn Fn(Operation) -> Option<io::Error> + Send + Sync>>,
}

impl Disk {
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "in tests it asks the fault plan")]
    fn fails(&self, _operation: Operation) -> Option<io::Error> {
        None
    }

    #[cfg(test)]
    fn fails(&self, operation: Operation) -> Option<io::Error> {
        self.fault.as_ref().and_then(|fault| fault(operation))
    }

    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        match self.fails(Operation::Create) {
            Some(error) => Err(error),
            None => OpenOptions::new().write(true).create_new(true).open(path),
        }
    }

    /// Opens a segment that is there, to write into it.
    pub(super) fn reopen(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).open(path)
    }

    /// Writes all of `bytes`. A failure may leave a part of them written.
    pub(super) fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self.fails(Operation::Write) {
            Some(error) => {
                file.write_all_at(bytes.get(..bytes.len() / 2).unwrap_or_default(), offset)?;
                Err(error)
            }
            None => file.write_all_at(bytes, offset),
        }
    }

    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        match self.fails(Operation::Sync) {
            Some(error) => Err(error),
            None => file.sync_data(),
        }
    }

    pub(super) fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        match self.fails(Operation::Truncate) {
            Some(error) => Err(error),
            None => file.set_len(length),
        }
    }

    pub(super) fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        match self.fails(Operation::SyncDirectory) {
            Some(error) => Err(error),
            None => File::open(directory)?.sync_all(),
        }
    }

    /// Unlinks a file; one that is gone already is fine.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        if let Some(error) = self.fails(Operation::Remove) {
            return Err(error);
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}
