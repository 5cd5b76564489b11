//! [`Catalog`]: which splits there are, and how far they cover the write-ahead log, in SQL.

mod hold;
mod migrate;
mod row;

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use locard_event::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::{Class, Error, SplitMeta};

pub use hold::{Hold, Release};

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

    /// Publishes splits, batches and the log position they reach in one transaction. The splits hold together, each event once, what
    /// they all say is their sequence range; it must begin where the partition's published part ends.
    ///
    /// # Errors
    /// The catalog cannot be written, or the splits do not continue the published part (`Conflict`).
    pub async fn publish(&self, publication: &Publication) -> Result<(), Error> {
        let Publication { splits, batches } = publication;
        let (partition, sequences) = extent(splits)?;
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let advanced =
            sqlx::query("UPDATE partitions SET published = $1 WHERE partition = $2 AND published = $3")
                .bind(row::whole(sequences.end)?)
                .bind(i64::from(partition))
                .bind(row::whole(sequences.start)?)
                .execute(&mut *transaction)
                .await?;
        if advanced.rows_affected() != 1 {
            return Err(Error::Conflict(format!(
                "events {sequences:?} do not continue what is published of partition {partition}"
            )));
        }
        for split in splits {
            insert_split(&mut transaction, split).await?;
        }
        for batch in batches {
            insert_batch(&mut transaction, batch).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Replaces splits of one partition by others that hold the same events but for `dropped` of them, in one transaction.
    ///
    /// # Errors
    /// The catalog cannot be written, a source is no longer published, or the numbers of events do not fit (`Conflict`).
    pub async fn replace(&self, sources: &[Uuid], made: &[SplitMeta], dropped: u64) -> Result<(), Error> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let mut partitions: Vec<i64> = made.iter().map(|split| i64::from(split.partition)).collect();
        let mut events = 0u64;
        for source in sources {
            let removed: Option<(i64, i64)> =
                sqlx::query_as("DELETE FROM splits WHERE id = $1 RETURNING partition, events")
                    .bind(source.to_string())
                    .fetch_optional(&mut *transaction)
                    .await?;
            let (partition, held) =
                removed.ok_or_else(|| Error::Conflict(format!("split {source} is no longer published")))?;
            partitions.push(partition);
            events += row::unsigned::<u64>(held)?;
        }
        let kept: u64 = made.iter().map(|split| split.events).sum();
        if events != kept + dropped {
            return Err(Error::Conflict(format!("{events} events became {kept}, and {dropped} were to go")));
        }
        partitions.dedup();
        if partitions.len() > 1 {
            return Err(Error::Conflict("splits are not one partition's".into()));
        }
        for split in made {
            insert_split(&mut transaction, split).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Says anew of which class a split is.
    ///
    /// # Errors
    /// The catalog cannot be written, or the split is no longer published (`Conflict`).
    pub async fn reclassify(&self, split: Uuid, class: &Class) -> Result<(), Error> {
        let changed = sqlx::query("UPDATE splits SET rule = $1, rules = $2 WHERE id = $3")
            .bind(&*class.rule)
            .bind(&*class.rules)
            .bind(split.to_string())
            .execute(&self.pool)
            .await?;
        match changed.rows_affected() {
            1 => Ok(()),
            _ => Err(Error::Conflict(format!("split {split} is no longer published"))),
        }
    }

    /// Takes splits out (retention). Those that are not there are none of its business.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn remove(&self, splits: &[Uuid]) -> Result<(), Error> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        for split in splits {
            sqlx::query("DELETE FROM splits WHERE id = $1")
                .bind(split.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
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

/// The partition and the range of what splits publish together.
fn extent(splits: &[SplitMeta]) -> Result<(u32, Range<u64>), Error> {
    let first = splits.first().ok_or_else(|| Error::Conflict("there is nothing to publish".into()))?;
    let (partition, sequences) = (first.partition, first.sequences.clone());
    let agree = splits.iter().all(|split| split.partition == partition && split.sequences == sequences);
    let events: u64 = splits.iter().map(|split| split.events).sum();
    if !agree || events != sequences.end.saturating_sub(sequences.start) {
        return Err(Error::Conflict(format!("{events} events do not fill {sequences:?} of one partition")));
    }
    Ok((partition, sequences))
}

async fn insert_split(connection: &mut SqliteConnection, split: &SplitMeta) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO splits (id, partition, first_sequence, end_sequence, events, first_filed, last_filed, bytes, \
         created, level, rule, rules) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(split.id.to_string())
    .bind(i64::from(split.partition))
    .bind(row::whole(split.sequences.start)?)
    .bind(row::whole(split.sequences.end)?)
    .bind(row::whole(split.events)?)
    .bind(split.filed.0.nanos())
    .bind(split.filed.1.nanos())
    .bind(row::whole(split.bytes)?)
    .bind(split.created.nanos())
    .bind(i64::from(split.level))
    .bind(&*split.class.rule)
    .bind(&*split.class.rules)
    .execute(connection)
    .await?;
    Ok(())
}

/// A name that comes again after it was forgotten elsewhere gets the newer answer.
async fn insert_batch(connection: &mut SqliteConnection, batch: &BatchRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO batches (partition, batch, answer, accepted) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (partition, batch) DO UPDATE SET answer = excluded.answer, accepted = excluded.accepted",
    )
    .bind(i64::from(batch.partition))
    .bind(&batch.batch)
    .bind(&batch.answer)
    .bind(batch.accepted.nanos())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
