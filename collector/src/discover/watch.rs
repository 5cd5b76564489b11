//! [`Watch`]: inotify on directories. Says that something changed somewhere, never what is in a file.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask, Watches};
use tokio::io::unix::AsyncFd;

/// A busy directory gives one event a write: they are collected this long.
const GATHER: Duration = Duration::from_millis(20);
const BUFFER_BYTES: usize = 64 << 10;

/// Adds directories. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    watches: Watches,
    directories: Arc<Mutex<HashMap<WatchDescriptor, PathBuf>>>,
}

/// Reads what happened.
#[derive(Debug)]
pub(crate) struct Events {
    inotify: AsyncFd<Inotify>,
    directories: Arc<Mutex<HashMap<WatchDescriptor, PathBuf>>>,
}

/// What happened since the last time.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Names appeared, vanished or moved, or events were lost: scan.
    pub(crate) names: bool,
    /// Directories in which a file was written.
    pub(crate) written: HashSet<PathBuf>,
}

/// Starts watching; nothing is watched yet.
///
/// # Errors
/// The system has no inotify instance left. The periodic scan then works alone.
pub(crate) fn watch() -> io::Result<(Watch, Events)> {
    let inotify = Inotify::init()?;
    let watches = inotify.watches();
    let directories = Arc::default();
    #[expect(
        deprecated,
        reason = "sound here: an inotify owns one descriptor for its life; the replacement is unsafe"
    )]
    let inotify = AsyncFd::new(inotify)?;
    let events = Events { inotify, directories: Arc::clone(&directories) };
    Ok((Watch { watches, directories }, events))
}

impl Watch {
    /// Watches a directory, once. A directory that cannot be watched is still scanned.
    pub(crate) fn add(&self, directory: &Path) {
        let mask = WatchMask::CREATE
            | WatchMask::MOVE
            | WatchMask::DELETE
            | WatchMask::DELETE_SELF
            | WatchMask::MODIFY;
        match self.watches.clone().add(directory, mask | WatchMask::ONLYDIR | WatchMask::DONT_FOLLOW) {
            Ok(descriptor) => {
                let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
                directories.insert(descriptor, directory.to_owned());
            }
            Err(error) => tracing::debug!(directory = %directory.display(), %error, "not watched"),
        }
    }
}

impl Events {
    /// Waits for something to happen. Cancel safe.
    ///
    /// # Errors
    /// inotify cannot be read any more.
    pub(crate) async fn next(&mut self) -> io::Result<Changes> {
        let mut guard = self.inotify.readable_mut().await?;
        tokio::time::sleep(GATHER).await;
        let mut changes = Changes::default();
        let mut buffer = vec![0; BUFFER_BYTES];
        let read =
            guard.try_io(|inotify| collect(inotify.get_mut(), &mut buffer, &self.directories, &mut changes));
        match read {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Ok(changes),
        }
    }
}

/// Reads until nothing is left, so that the readiness can be cleared.
fn collect(
    inotify: &mut Inotify,
    buffer: &mut [u8],
    directories: &Mutex<HashMap<WatchDescriptor, PathBuf>>,
    changes: &mut Changes,
) -> io::Result<()> {
    let mut any = false;
    loop {
        let events = match inotify.read_events(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && any => return Ok(()),
            other => other?,
        };
        any = true;
        let mut directories = directories.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if event.mask == EventMask::MODIFY {
                changes.written.extend(directories.get(&event.wd).cloned());
            } else {
                changes.names = true;
            }
            if event.mask.contains(EventMask::IGNORED) {
                directories.remove(&event.wd);
            }
        }
    }
}
