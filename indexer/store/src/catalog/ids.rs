//! Ids that clients gave to events: which keys there are, by ranges of sequence numbers, each with a filter that says "not here".
//!
//! A range takes what is sealed until it has [`RANGE_IDS`] keys, then the next one begins; so a look-up asks few filters, which the
//! caller keeps in memory (9 bits a key), and reads one row for what a filter lets through (one key in 256 that is not there).
//! What a key stands for is the caller's business.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{BEGIN_WRITE, Catalog, row};
use crate::Error;
use crate::split::{KeyFilter, build_filter};

/// A range with as many is not extended.
const RANGE_IDS: i64 = if cfg!(test) { 8 } else { 128 * 1024 };
/// Rows written at once; SQLite takes 32,766 values.
const ROWS: usize = 8000;
/// Keys asked for at once.
const KEYS: usize = 16_000;

/// The key of an id that a client gave, and the sequence number of its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdRow {
    /// Stands for the id.
    pub key: u64,
    /// Whose id it is.
    pub sequence: u64,
}

/// A range of sequence numbers in which events have clients' ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdRange {
    /// The first number.
    pub first: u64,
    /// One past the last.
    pub end: u64,
}

impl Catalog {
    /// The partition's ranges, in order.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn id_ranges(&self, partition: u32) -> Result<Vec<IdRange>, Error> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT first_sequence, end_sequence FROM client_id_ranges WHERE partition = $1 ORDER BY first_sequence",
        )
        .bind(i64::from(partition))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(first, end)| Ok(IdRange { first: row::unsigned(first)?, end: row::unsigned(end)? }))
            .collect()
    }

    /// The filter over the keys of the range that begins there; nothing if there is none any more.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn id_filter(&self, partition: u32, first: u64) -> Result<Option<KeyFilter>, Error> {
        let bytes: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT filter FROM client_id_ranges WHERE partition = $1 AND first_sequence = $2",
        )
        .bind(i64::from(partition))
        .bind(row::whole(first)?)
        .fetch_optional(&self.pool)
        .await?;
        let read = |bytes| {
            KeyFilter::read(bytes).ok_or_else(|| Error::Conflict("a filter of ids is damaged".into()))
        };
        bytes.map(read).transpose()
    }

    /// The events of the range that begins there with one of these keys.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn ids(&self, partition: u32, first: u64, keys: &[u64]) -> Result<Vec<IdRow>, Error> {
        let mut found = Vec::new();
        for keys in keys.chunks(KEYS) {
            let mut query =
                QueryBuilder::<Sqlite>::new("SELECT key, sequence FROM client_ids WHERE partition = ");
            query
                .push_bind(i64::from(partition))
                .push(" AND first_sequence = ")
                .push_bind(row::whole(first)?);
            let mut list = query.push(" AND key IN (").separated(", ");
            for key in keys {
                list.push_bind(key.cast_signed());
            }
            query.push(")");
            let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&self.pool).await?;
            for (key, sequence) in rows {
                found.push(IdRow { key: key.cast_unsigned(), sequence: row::unsigned(sequence)? });
            }
        }
        Ok(found)
    }

    /// Forgets ranges all whose events are gone, and answers how many.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn forget_ids(&self) -> Result<u64, Error> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let gone: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT r.partition, r.first_sequence FROM client_id_ranges r WHERE NOT EXISTS (SELECT 1 FROM splits s \
             WHERE s.partition = r.partition AND s.end_sequence > r.first_sequence \
             AND s.first_sequence < r.end_sequence)",
        )
        .fetch_all(&mut *transaction)
        .await?;
        for (partition, first) in &gone {
            for table in ["client_ids", "client_id_ranges"] {
                QueryBuilder::<Sqlite>::new("DELETE FROM ")
                    .push(table)
                    .push(" WHERE partition = ")
                    .push_bind(partition)
                    .push(" AND first_sequence = ")
                    .push_bind(first)
                    .build()
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await?;
        Ok(gone.len() as u64)
    }
}

/// Adds the ids of events that are published, the last of which is before `end`.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    partition: u32,
    sequences: &std::ops::Range<u64>,
    rows: &[IdRow],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let first = open_range(connection, partition, sequences.start).await?;
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    for rows in rows.chunks(ROWS) {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT INTO client_ids (partition, first_sequence, key, sequence) ");
        query.push_values(rows, |mut values, row| {
            values
                .push_bind(i64::from(partition))
                .push_bind(first)
                .push_bind(row.key.cast_signed())
                .push_bind(row.sequence.cast_signed());
        });
        query.build().execute(&mut *connection).await?;
    }
    let keys: Vec<i64> =
        sqlx::query_scalar("SELECT key FROM client_ids WHERE partition = $1 AND first_sequence = $2")
            .bind(i64::from(partition))
            .bind(first)
            .fetch_all(&mut *connection)
            .await?;
    let mut keys: Vec<u64> = keys.into_iter().map(i64::cast_unsigned).collect();
    let ids = i64::try_from(keys.len()).unwrap_or(i64::MAX);
    let filter = build_filter(&mut keys).map_err(|error| Error::Conflict(error.to_string()))?;
    sqlx::query(
        "INSERT INTO client_id_ranges (partition, first_sequence, end_sequence, ids, filter) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (partition, first_sequence) DO UPDATE SET \
         end_sequence = excluded.end_sequence, ids = excluded.ids, filter = excluded.filter",
    )
    .bind(i64::from(partition))
    .bind(first)
    .bind(row::whole(sequences.end)?)
    .bind(ids)
    .bind(filter)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Where the range begins that takes what is published from `start` on: the newest one if it has room.
async fn open_range(connection: &mut SqliteConnection, partition: u32, start: u64) -> Result<i64, Error> {
    let newest: Option<(i64, i64)> = sqlx::query_as(
        "SELECT first_sequence, ids FROM client_id_ranges WHERE partition = $1 ORDER BY first_sequence DESC LIMIT 1",
    )
    .bind(i64::from(partition))
    .fetch_optional(&mut *connection)
    .await?;
    match newest.filter(|(_, ids)| *ids < RANGE_IDS) {
        Some((first, _)) => Ok(first),
        None => row::whole(start),
    }
}
