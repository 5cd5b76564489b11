//! Legal holds: what retention may not touch, as recorded. What a hold means is the caller's business.

use locard_event::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{BEGIN_WRITE, Catalog, row};
use crate::Error;

/// A legal hold: events that match and are filed in the range stay until it is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose events.
    pub partition: u32,
    /// Its name, unique in the partition for ever.
    pub name: String,
    /// Which events.
    pub filter: String,
    /// By filed time, first instant inside; nothing: no bound.
    pub start: Option<Timestamp>,
    /// First instant after; nothing: no bound.
    pub end: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub created_by: String,
    /// When.
    pub created: Timestamp,
    /// How it ended, if it did.
    pub released: Option<Release>,
}

/// How a hold ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Who released it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Catalog {
    /// Every hold, released ones too, by partition and name.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn holds(&self) -> Result<Vec<Hold>, Error> {
        let rows = sqlx::query("SELECT * FROM holds ORDER BY partition, name").fetch_all(&self.pool).await?;
        rows.iter().map(hold).collect()
    }

    /// Records a hold; `false`: its name was given before.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn add_hold(&self, hold: &Hold) -> Result<bool, Error> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let added = sqlx::query(
            "INSERT INTO holds (partition, name, filter, first_filed, end_filed, reason, created_by, created) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (partition, name) DO NOTHING",
        )
        .bind(i64::from(hold.partition))
        .bind(&hold.name)
        .bind(&hold.filter)
        .bind(hold.start.map(Timestamp::nanos))
        .bind(hold.end.map(Timestamp::nanos))
        .bind(&hold.reason)
        .bind(&hold.created_by)
        .bind(hold.created.nanos())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(added.rows_affected() == 1)
    }

    /// Records that a hold ended; `false`: there is none of this name that is in force.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn release_hold(&self, partition: u32, name: &str, release: &Release) -> Result<bool, Error> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let released = sqlx::query(
            "UPDATE holds SET released_by = $1, released = $2, release_reason = $3 \
             WHERE partition = $4 AND name = $5 AND released IS NULL",
        )
        .bind(&release.by)
        .bind(release.at.nanos())
        .bind(&release.reason)
        .bind(i64::from(partition))
        .bind(name)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(released.rows_affected() == 1)
    }
}

fn hold(row: &SqliteRow) -> Result<Hold, Error> {
    let time = |column: &str| -> Result<_, Error> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_nanos))
    };
    let text = |column: &str| row.try_get::<Option<String>, _>(column);
    let released = match time("released")? {
        None => None,
        Some(at) => Some(Release {
            by: text("released_by")?.unwrap_or_default(),
            at,
            reason: text("release_reason")?.unwrap_or_default(),
        }),
    };
    Ok(Hold {
        partition: row::unsigned(row.try_get("partition")?)?,
        name: row.try_get("name")?,
        filter: row.try_get("filter")?,
        start: time("first_filed")?,
        end: time("end_filed")?,
        reason: row.try_get("reason")?,
        created_by: row.try_get("created_by")?,
        created: Timestamp::from_nanos(row.try_get("created")?),
        released,
    })
}
