//! Rows to values and back: SQL's integers are signed.

use locard_event::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{BatchRow, Partition};
use crate::{Class, Error, SplitMeta};

/// A number as SQL holds it.
pub(super) fn whole(number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(|_| Error::Conflict(format!("{number} is beyond what the catalog holds")))
}

pub(super) fn unsigned<T: TryFrom<i64>>(number: i64) -> Result<T, Error> {
    T::try_from(number).map_err(|_| Error::Conflict(format!("the catalog holds {number} where it cannot be")))
}

/// A number that counts.
pub(super) fn count(number: i64) -> Result<u64, Error> {
    unsigned(number)
}

pub(super) fn partition((partition, tenant, published): (i64, String, i64)) -> Result<Partition, Error> {
    Ok(Partition { partition: unsigned(partition)?, tenant, published: unsigned(published)? })
}

pub(super) fn batch(row: (i64, String, String, i64)) -> Result<BatchRow, Error> {
    let (partition, batch, answer, accepted) = row;
    Ok(BatchRow { partition: unsigned(partition)?, batch, answer, accepted: Timestamp::from_nanos(accepted) })
}

pub(super) fn split(row: &SqliteRow) -> Result<SplitMeta, Error> {
    let whole = |column: &str| row.try_get::<i64, _>(column);
    let time = |column: &str| whole(column).map(Timestamp::from_nanos);
    let text = |column: &str| row.try_get::<String, _>(column);
    let id = text("id")?;
    Ok(SplitMeta {
        id: Uuid::try_parse(&id).map_err(|_| Error::Conflict(format!("the catalog holds a split {id:?}")))?,
        partition: unsigned(whole("partition")?)?,
        sequences: unsigned(whole("first_sequence")?)?..unsigned(whole("end_sequence")?)?,
        events: unsigned(whole("events")?)?,
        filed: (time("first_filed")?, time("last_filed")?),
        bytes: unsigned(whole("bytes")?)?,
        created: time("created")?,
        level: unsigned(whole("level")?)?,
        class: Class { rule: text("rule")?.into(), rules: text("rules")?.into() },
    })
}
