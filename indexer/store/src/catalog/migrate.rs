//! Brings a catalog to the version this program knows. A newer one is refused: an older program would misread it.

use sqlx::SqlitePool;

use super::BEGIN_WRITE;
use crate::Error;

/// Version n is reached by script n - 1. A script that was ever released is never changed.
pub(super) const SCRIPTS: [&str; 4] =
    [include_str!("1.sql"), include_str!("2.sql"), include_str!("3.sql"), include_str!("4.sql")];

pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), Error> {
    let mut transaction = pool.begin_with(BEGIN_WRITE).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS catalog_version (version BIGINT NOT NULL)")
        .execute(&mut *transaction)
        .await?;
    let version: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM catalog_version").fetch_one(&mut *transaction).await?;
    let version = version.unwrap_or(0);
    let known = SCRIPTS.len();
    let done = usize::try_from(version).ok().filter(|done| *done <= known).ok_or_else(|| {
        Error::Conflict(format!(
            "the catalog has version {version}, this Locard knows {known}: use a newer one"
        ))
    })?;
    for (script, version) in SCRIPTS.iter().zip(1i64..).skip(done) {
        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO catalog_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}
