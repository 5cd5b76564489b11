//! [`Store`]: writes, opens, merges and removes splits.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use locard_event::{Event, Timestamp};

use crate::blob::{Blobs, LocalObject};
use crate::split::{self, Cache, Sift};
use crate::{Catalog, Class, Control, Error, Split, SplitMeta};

const CATALOG_FILE: &str = "catalog.sqlite";
const LOCK_FILE: &str = "lock";

/// Where the store lives.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Directory of the catalog, the split objects and scratch space.
    pub directory: PathBuf,
    /// Most memory for what was decoded of splits.
    pub cache_bytes: u64,
}

impl Settings {
    /// The defaults below a directory.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), cache_bytes: 256 << 20 }
    }
}

/// Splits and their catalog. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    catalog: Catalog,
    blobs: Blobs,
    cache: Cache,
    /// Ends what writes splits.
    stop: Arc<Control>,
    /// Held while any clone lives, so that no other process empties our scratch space.
    _lock: Arc<File>,
}

impl Store {
    /// Opens or creates the store, empties its scratch space and removes objects the catalog does not know.
    ///
    /// # Errors
    /// The directory cannot be used, another process uses it (`Busy`), or there are splits and the catalog is gone (`Conflict`), or
    /// it is older than they are (`Conflict`).
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        let Settings { directory, cache_bytes } = settings;
        let lock = Arc::new(lock(&directory)?);
        let blobs = Blobs::open(&directory)?;
        let catalog_file = directory.join(CATALOG_FILE);
        // A new catalog knows no split: it would have us remove every one of them.
        if !catalog_file.exists() && !blobs.is_empty().await? {
            return Err(Error::Conflict(format!("{} is gone and there are splits", catalog_file.display())));
        }
        let catalog = Catalog::open(&catalog_file).await?;
        blobs.sync_root()?;
        let removed = orphans::remove(&catalog, &blobs).await?;
        tracing::info!(removed, "store opened");
        Ok(Self { catalog, blobs, cache: Cache::new(cache_bytes), stop: Arc::default(), _lock: lock })
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Writes events of one partition, ids and ingest times given, in sequence order, as one durable object. It is not published:
    /// that takes [`Catalog::publish`]. Runs on a blocking thread.
    ///
    /// # Errors
    /// `NoSpace` or another failure to write; `Stopped` after [`Store::stop`].
    pub async fn write(&self, events: Vec<Arc<[Event]>>, created: Timestamp) -> Result<SplitMeta, Error> {
        self.write_class(events, None, Class::default(), created).await
    }

    /// As [`Store::write`], of one retention class. With `places`, only the events at these places, ascending, counted over all batches;
    /// the range of the split is that of all.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_class(
        &self,
        events: Vec<Arc<[Event]>>,
        places: Option<Vec<u32>>,
        class: Class,
        created: Timestamp,
    ) -> Result<SplitMeta, Error> {
        let stop = Arc::clone(&self.stop);
        self.make(move |path| split::write(path, &events, places.as_deref(), class, created, &stop)).await
    }

    /// Merges adjacent splits of one partition into one durable object, not yet published ([`Catalog::replace`]).
    ///
    /// # Errors
    /// As [`Store::write`], or a source is corrupt.
    pub async fn merge(&self, sources: &[Split], created: Timestamp) -> Result<SplitMeta, Error> {
        let (sources, stop) = (sources.to_vec(), Arc::clone(&self.stop));
        self.make(move |path| split::merge(path, &sources, created, &stop)).await
    }

    /// Ends what writes or merges splits, now and later, in all clones: it answers `Stopped` and leaves nothing behind.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Takes a split apart into durable objects, not yet published ([`Catalog::replace`]): one for each of `classes` that any event is
    /// of. `which` says of an event which that is; those it answers nothing for are left out. Ids and order stay. Holds some tens of
    /// MB of events at a time, and stops when `control` says so.
    ///
    /// # Errors
    /// As [`Store::merge`], or `Stopped`.
    pub async fn sift(
        &self,
        source: &Split,
        classes: Vec<Class>,
        which: impl Fn(&Event) -> Option<usize> + Send + 'static,
        created: Timestamp,
        control: Arc<Control>,
    ) -> Result<Vec<SplitMeta>, Error> {
        let (source, cache) = (source.clone(), self.cache.clone());
        self.make_all(move |folder| {
            split::sift(&Sift { folder, source: &source, classes, created, cache, control: &control }, &which)
        })
        .await
    }

    /// Opens a published split for reading.
    ///
    /// # Errors
    /// The object is missing or corrupt.
    pub async fn open_split(&self, meta: &SplitMeta) -> Result<Split, Error> {
        let (meta, object, cache) = (meta.clone(), self.blobs.get(meta.id), self.cache.clone());
        blocking(move || Split::open(&meta, object, &cache)).await
    }

    /// Marks a split that is no longer in the catalog: its object goes when the last clone of `split` is dropped.
    pub fn discard(&self, split: &Split) {
        split.discard();
    }

    /// Makes an object in scratch and moves it to its place. Nothing is left behind when that fails.
    async fn make(
        &self,
        write: impl FnOnce(&Path) -> Result<SplitMeta, Error> + Send + 'static,
    ) -> Result<SplitMeta, Error> {
        let one = move |folder: &Path| {
            let file = folder.join("object");
            Ok(vec![(write(&file)?, file)])
        };
        let made = self.make_all(one).await?;
        made.into_iter().next().ok_or_else(|| Error::Conflict("no split was made".into()))
    }

    /// As [`Store::make`], of several.
    async fn make_all(
        &self,
        write: impl FnOnce(&Path) -> Result<Vec<(SplitMeta, PathBuf)>, Error> + Send + 'static,
    ) -> Result<Vec<SplitMeta>, Error> {
        let scratch = self.blobs.scratch()?;
        let (scratch, made) = blocking(move || {
            let made = write(scratch.path())?;
            Ok((scratch, made))
        })
        .await?;
        let mut put = Ok(());
        for (meta, file) in &made {
            put = self.blobs.put(file, meta.id).await;
            if put.is_err() {
                break;
            }
        }
        // A folder is unlinked file by file: not on this thread.
        let objects: Vec<_> = made.iter().map(|(meta, _)| self.blobs.get(meta.id)).collect();
        let failed = put.is_err();
        let tidied = blocking(move || {
            drop(scratch);
            if failed {
                objects.iter().for_each(LocalObject::remove_if_there);
            }
            Ok(())
        });
        tidied.await?;
        put.map(|()| made.into_iter().map(|(meta, _)| meta).collect())
    }

    /// Removes the object of a split that was written and never published.
    pub async fn forget(&self, meta: &SplitMeta) {
        let object = self.blobs.get(meta.id);
        let removed = blocking(move || {
            object.remove_if_there();
            Ok(())
        });
        if let Err(error) = removed.await {
            tracing::warn!(split = %meta.id, %error, "a split that was not published stays until the next start");
        }
    }
}

/// Takes the store's lock. The operating system gives it back when the process ends, however it ends.
fn lock(directory: &Path) -> Result<File, Error> {
    let open = || {
        std::fs::create_dir_all(directory)?;
        File::options().create(true).truncate(false).write(true).open(directory.join(LOCK_FILE))
    };
    let file = open().map_err(|error| Error::io(format!("opening {}", directory.display()), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy),
        Err(TryLockError::Error(error)) => Err(Error::io("locking the store", error)),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::Conflict(format!("a writer or reader of splits ended: {error}"))),
    }
}

mod orphans;
#[cfg(test)]
mod tests;
