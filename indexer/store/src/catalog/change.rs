//! What changes the splits of a catalog: each is one transaction that refuses what does not fit.

use std::ops::Range;

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{BEGIN_WRITE, BatchRow, Catalog, Publication, ids as client_ids, row};
use crate::{Class, Error, SplitMeta};

impl Catalog {
    /// Publishes splits, batches and the log position they reach in one transaction. The splits hold together, each event once, what
    /// they all say is their sequence range; it must begin where the partition's published part ends.
    ///
    /// # Errors
    /// The catalog cannot be written, or the splits do not continue the published part (`Conflict`).
    pub async fn publish(&self, publication: &Publication) -> Result<(), Error> {
        let Publication { splits, batches, ids } = publication;
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
        client_ids::insert(&mut transaction, partition, &sequences, ids).await?;
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
