//! [`Document`]: what people keep with a tenant, saved searches and lookup tables among them. What is in one is its kind's business.

use locard_event::Timestamp;

use super::{BEGIN_WRITE, Catalog, row};
use crate::Error;

/// Most documents of one kind that a tenant may have.
pub const MAX_DOCUMENTS: i64 = 10_000;

/// What people keep under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name among those of its kind.
    pub name: String,
    /// What is in it; empty in a list.
    pub body: Vec<u8>,
    /// Who wrote it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// One more with every change.
    pub version: u64,
}

type Row = (String, Vec<u8>, String, i64, i64);

impl Catalog {
    /// A tenant's document.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn document(&self, tenant: &str, kind: &str, name: &str) -> Result<Option<Document>, Error> {
        let found: Option<Row> = sqlx::query_as(
            "SELECT name, body, changed_by, changed_at, version FROM documents \
             WHERE tenant = $1 AND kind = $2 AND name = $3",
        )
        .bind(tenant)
        .bind(kind)
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        found.map(document).transpose()
    }

    /// A tenant's documents of a kind by name, with their bodies or without.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn documents(&self, tenant: &str, kind: &str, bodies: bool) -> Result<Vec<Document>, Error> {
        let body = if bodies { "body" } else { "X''" };
        let select = format!(
            "SELECT name, {body}, changed_by, changed_at, version FROM documents \
             WHERE tenant = $1 AND kind = $2 ORDER BY name"
        );
        let rows: Vec<Row> =
            sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(tenant).bind(kind).fetch_all(&self.pool).await?;
        rows.into_iter().map(document).collect()
    }

    /// Writes a document, and answers its version. With `expected` only if that is the version that it replaces; 0 is none.
    ///
    /// # Errors
    /// The catalog cannot be written; somebody else changed it, or there are too many (`Conflict`).
    pub async fn put_document(
        &self,
        tenant: &str,
        kind: &str,
        document: &Document,
        expected: Option<u64>,
    ) -> Result<u64, Error> {
        let mut transaction = self.pool.begin_with(BEGIN_WRITE).await?;
        let before: Option<i64> =
            sqlx::query_scalar("SELECT version FROM documents WHERE tenant = $1 AND kind = $2 AND name = $3")
                .bind(tenant)
                .bind(kind)
                .bind(&document.name)
                .fetch_optional(&mut *transaction)
                .await?;
        let version = before.unwrap_or(0);
        if expected.is_some_and(|expected| i64::try_from(expected) != Ok(version)) {
            return Err(Error::Conflict(format!(
                "`{}` was changed by somebody else meanwhile",
                document.name
            )));
        }
        if before.is_none() {
            let count: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM documents WHERE tenant = $1 AND kind = $2")
                    .bind(tenant)
                    .bind(kind)
                    .fetch_one(&mut *transaction)
                    .await?;
            if count >= MAX_DOCUMENTS {
                return Err(Error::Conflict(format!("there are {count} already: delete some")));
            }
        }
        sqlx::query(
            "INSERT INTO documents (tenant, kind, name, body, changed_by, changed_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, kind, name) DO UPDATE SET \
             body = excluded.body, changed_by = excluded.changed_by, changed_at = excluded.changed_at, \
             version = excluded.version",
        )
        .bind(tenant)
        .bind(kind)
        .bind(&document.name)
        .bind(&document.body)
        .bind(&document.changed_by)
        .bind(document.changed_at.nanos())
        .bind(version + 1)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row::count(version + 1)
    }

    /// Deletes a document, and answers whether there was one.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn delete_document(&self, tenant: &str, kind: &str, name: &str) -> Result<bool, Error> {
        let deleted = sqlx::query("DELETE FROM documents WHERE tenant = $1 AND kind = $2 AND name = $3")
            .bind(tenant)
            .bind(kind)
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(deleted.rows_affected() > 0)
    }
}

fn document((name, body, changed_by, changed_at, version): Row) -> Result<Document, Error> {
    Ok(Document {
        name,
        body,
        changed_by,
        changed_at: Timestamp::from_nanos(changed_at),
        version: row::count(version)?,
    })
}
