//! [`Catalog`]: which splits there are, and how far they cover the write-ahead log, in SQL.

use std::path::Path;

use locard_event::Timestamp;
use uuid::Uuid;

use crate::{Error, SplitMeta};

/// One tenant's sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, the first half of an event id.
    pub partition: u32,
    /// Whose it is.
    pub tenant: String,
    /// Sequence numbers below this are in splits (or were retained away); the log holds those from here on.
    pub published: u64,
}

/// The answer that a named batch got, so that a repeat gets the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// Whose batch.
    pub partition: u32,
    /// `source/first-last`.
    pub batch: String,
    /// The answer, as the caller encodes it.
    pub answer: String,
    /// When it was accepted.
    pub accepted: Timestamp,
}

/// What becomes true in one transaction when a part of the log is published as a split.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The new split.
    pub split: SplitMeta,
    /// Named batches whose frames the split covers.
    pub batches: Vec<BatchRow>,
}

/// The catalog. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {}

impl Catalog {
    /// Opens or creates the catalog file (SQLite, `synchronous=FULL`).
    ///
    /// # Errors
    /// The file cannot be opened, or a newer Locard wrote it.
    pub async fn open(_path: &Path) -> Result<Self, Error> {
        Ok(Self {})
    }

    /// Every partition.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn partitions(&self) -> Result<Vec<Partition>, Error> {
        Ok(Vec::new())
    }

    /// The partition of `tenant`, made if there is none. The first is 0.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn partition_of(&self, _tenant: &str) -> Result<Partition, Error> {
        Err(Error::NotFound)
    }

    /// Every published split.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn splits(&self) -> Result<Vec<SplitMeta>, Error> {
        Ok(Vec::new())
    }

    /// Publishes a split, its batches and the log position it reaches (`split.sequences.end`) in one transaction. The split must
    /// begin where the partition's published part ends.
    ///
    /// # Errors
    /// The catalog cannot be written, or the split does not continue the published part.
    pub async fn publish(&self, _publication: &Publication) -> Result<(), Error> {
        Ok(())
    }

    /// Replaces splits by the one they were merged into, in one transaction.
    ///
    /// # Errors
    /// The catalog cannot be written, or a source is no longer published.
    pub async fn replace(&self, _sources: &[Uuid], _merged: &SplitMeta) -> Result<(), Error> {
        Ok(())
    }

    /// Takes splits out (retention).
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn remove(&self, _splits: &[Uuid]) -> Result<(), Error> {
        Ok(())
    }

    /// Named batches accepted at or after `since`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn batches(&self, _since: Timestamp) -> Result<Vec<BatchRow>, Error> {
        Ok(Vec::new())
    }

    /// Forgets named batches accepted before `before`.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn forget_batches(&self, _before: Timestamp) -> Result<u64, Error> {
        Ok(0)
    }
}
