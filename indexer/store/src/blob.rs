//! [`Blobs`]: where split objects are kept. A thin face of `object_store`, durable on a local disk.
//!
//! An object is written under scratch, synced, and renamed to its place: what has its name is whole. Does not know what an
//! object holds.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use uuid::Uuid;

use crate::Error;

const FOLDER: &str = "splits";
const SCRATCH: &str = "scratch";
const SUFFIX: &str = ".split";

/// The objects of one store.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    /// With `fsync`: a rename is on disk before it returns.
    store: std::sync::Arc<LocalFileSystem>,
}

impl Blobs {
    /// Opens the blobs below `root` and empties scratch.
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        // Scratch folders have absolute names, and `put` must find the root in them.
        let absolute = std::path::absolute(root);
        let root = &absolute.map_err(|error| Error::io(format!("finding {}", root.display()), error))?;
        let scratch = root.join(SCRATCH);
        let prepare = || {
            match std::fs::remove_dir_all(&scratch) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => std::fs::create_dir_all(&scratch)?,
            }
            std::fs::create_dir_all(root.join(FOLDER))
        };
        prepare().map_err(|error| Error::io(format!("preparing {}", root.display()), error))?;
        let store = LocalFileSystem::new_with_prefix(root)?.with_fsync(true);
        Ok(Self { root: root.into(), store: std::sync::Arc::new(store) })
    }

    /// Makes what was created directly below the root durable: the folders, and whatever the caller put beside them.
    pub(crate) fn sync_root(&self) -> Result<(), Error> {
        let synced = std::fs::File::open(&self.root).and_then(|root| root.sync_all());
        synced.map_err(|error| Error::io(format!("syncing {}", self.root.display()), error))
    }

    /// Whether there is no object.
    pub(crate) async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.store.list(Some(&Key::from(FOLDER))).try_next().await?.is_none())
    }

    /// A new empty folder that goes when dropped.
    pub(crate) fn scratch(&self) -> Result<tempfile::TempDir, Error> {
        let folder = tempfile::Builder::new().prefix("split-").tempdir_in(self.root.join(SCRATCH));
        folder.map_err(|error| Error::io("making a scratch folder", error))
    }

    /// Moves a synced file of scratch to its place as object `id`, durably.
    pub(crate) async fn put(&self, file: &Path, id: Uuid) -> Result<(), Error> {
        let from = file.strip_prefix(&self.root).map_err(|_| Error::Conflict("not a scratch file".into()))?;
        let from = Key::from_iter(from.iter().map(|part| part.to_string_lossy().into_owned()));
        Ok(self.store.rename(&from, &key(id)).await?)
    }

    /// The object `id`, for reading.
    pub(crate) fn get(&self, id: Uuid) -> LocalObject {
        LocalObject { path: self.root.join(FOLDER).join(format!("{id}{SUFFIX}")) }
    }

    /// Every object. Other files are not ours.
    pub(crate) async fn list(&self) -> Result<Vec<Uuid>, Error> {
        let found: Vec<_> = self.store.list(Some(&Key::from(FOLDER))).try_collect().await?;
        let id = |name: &str| name.strip_suffix(SUFFIX)?.parse().ok();
        Ok(found.iter().filter_map(|object| id(object.location.filename()?)).collect())
    }

    /// Removes an object.
    pub(crate) async fn remove(&self, id: Uuid) -> Result<(), Error> {
        Ok(self.store.delete(&key(id)).await?)
    }
}

fn key(id: Uuid) -> Key {
    Key::from(format!("{FOLDER}/{id}{SUFFIX}"))
}

/// An object that is read through the file system.
#[derive(Clone, Debug)]
pub(crate) struct LocalObject {
    path: PathBuf,
}

impl LocalObject {
    /// What stands at `path`.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it unless it is not there.
    pub(crate) fn remove_if_there(&self) {
        if self.path.exists() {
            self.remove();
        }
    }

    /// Removes it, on another thread if this one drives a runtime: unlinking a large file takes a while, and whoever was the last to
    /// search it must not hold up others.
    pub(crate) fn remove_elsewhere(&self) {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let object = self.clone();
                drop(runtime.spawn_blocking(move || object.remove()));
            }
            Err(_) => self.remove(),
        }
    }

    /// Removes it. What cannot be removed now goes when the store is opened next.
    pub(crate) fn remove(&self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a discarded split stays until the next start");
        }
    }
}
