//! [`Catalog`]: which splits there are, and how far they cover the write-ahead log, in SQL.

mod change;
mod documents;
mod hold;
mod ids;
mod migrate;
mod row;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use locard_event::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{Error, SplitMeta};

pub use hold::{Hold, Release};

pub use ids::{IdRange, IdRow};

pub use documents::{Document, MAX_DOCUMENTS};

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

/// What becomes true in one transaction when a part of the log is published as splits.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The new splits, one of each class. All say the same sequence range, that of what is published.
    pub splits: Vec<SplitMeta>,
    /// Named batches whose frames the splits cover.
    pub batches: Vec<BatchRow>,
    /// Which of the events have an id from their client.
    pub ids: Vec<IdRow>,
}

/// A writer takes its turn at once, so that it never finds what it read overtaken. PostgreSQL says `BEGIN`.
const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
/// How long a writer waits for its turn.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_CONNECTIONS: u32 = 4;

/// The catalog. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    pool: SqlitePool,
}

impl Catalog {
    /// Opens or creates the catalog file (SQLite, `synchronous=FULL`).
    ///
    /// # Errors
    /// The file cannot be opened, or a newer Locard wrote it.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        // Full: a commit is on disk before it is answered. Write-ahead: readers do not wait for it.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS).connect_with(options).await?;
        migrate::migrate(&pool).await?;
        Ok(Self { pool })
    }

    /// Every partition, by number.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn partitions(&self) -> Result<Vec<Partition>, Error> {
        let rows = sqlx::query_as("SELECT partition, tenant, published FROM partitions ORDER BY partition")
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(row::partition).collect()
    }

    /// The partition of `tenant`, made if there is none. Partition 0 is that of the tenant `default`.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn partition_of(&self, tenant: &str) -> Result<Partition, Error> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        sqlx::query(
            "INSERT INTO partitions (partition, tenant, published) \
             SELECT COALESCE(MAX(partition) + 1, 0), $1, 0 FROM partitions WHERE TRUE \
             ON CONFLICT (tenant) DO NOTHING",
        )
        .bind(tenant)
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query_as("SELECT partition, tenant, published FROM partitions WHERE tenant = $1")
            .bind(tenant)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        row::partition(row)
    }

    /// Every published split, by partition and sequence.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn splits(&self) -> Result<Vec<SplitMeta>, Error> {
        let rows = sqlx::query("SELECT * FROM splits ORDER BY partition, first_sequence");
        rows.fetch_all(&self.pool).await?.iter().map(row::split).collect()
    }

    /// Shows named batches accepted at or after `since`, newest first and one by one, until `visit` has enough.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn newest_batches(
        &self,
        since: Timestamp,
        mut visit: impl FnMut(BatchRow) -> ControlFlow<()> + Send,
    ) -> Result<(), Error> {
        let mut rows = sqlx::query_as(
            "SELECT partition, batch, answer, accepted FROM batches WHERE accepted >= $1 ORDER BY accepted DESC",
        )
        .bind(since.nanos())
        .fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            if visit(row::batch(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// A named batch.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn batch(&self, partition: u32, name: &str) -> Result<Option<BatchRow>, Error> {
        let row = sqlx::query_as(
            "SELECT partition, batch, answer, accepted FROM batches WHERE partition = $1 AND batch = $2",
        )
        .bind(i64::from(partition))
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        row.map(row::batch).transpose()
    }

    /// Forgets named batches accepted before `before`, and answers how many.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn forget_batches(&self, before: Timestamp) -> Result<u64, Error> {
        let forgotten = sqlx::query("DELETE FROM batches WHERE accepted < $1")
            .bind(before.nanos())
            .execute(&self.pool)
            .await?;
        Ok(forgotten.rows_affected())
    }
}

#[cfg(test)]
mod tests;
