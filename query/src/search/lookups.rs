//! Lookup tables: CSV files that people keep with their tenant.

use std::collections::HashMap;
use std::sync::Arc;

use locard_event::Timestamp;
use locard_indexer::Principal;
use locard_store::Document;

use super::Error;
use super::searcher::{Searcher, clock};
use crate::pipe::{LookupTable, Pipe, PipeError};

/// The kind of document they are.
const KIND: &str = "lookup";

/// A table that is kept.
#[derive(Clone, Debug)]
pub struct KeptTable {
    /// Its name.
    pub name: String,
    /// Who wrote it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// One more with every change.
    pub version: u64,
}

impl Searcher {
    /// The tables that pipes look into. A name that is not there is refused when the pipes are made.
    pub(crate) async fn lookups(
        &self,
        principal: &Principal,
        pipes: &[Pipe],
    ) -> Result<HashMap<Box<str>, Arc<LookupTable>>, Error> {
        let mut tables = HashMap::new();
        for pipe in pipes {
            let Pipe::Lookup(lookup) = pipe else { continue };
            if tables.contains_key(&lookup.table) {
                continue;
            }
            let Some(text) = self.lookup_text(principal, &lookup.table).await? else {
                return Err(PipeError::Lookup { table: lookup.table.clone() }.into());
            };
            let read = tokio::task::spawn_blocking(move || LookupTable::read(&text));
            let table = read.await.map_err(|_| Error::Failed)?;
            tables.insert(lookup.table.clone(), Arc::new(table.map_err(kept_badly)?));
        }
        Ok(tables)
    }

    /// A table as it was written.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn lookup_text(&self, principal: &Principal, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let found = self.indexer.catalog().document(principal.tenant.as_str(), KIND, name).await;
        Ok(found.map_err(unreachable)?.map(|document| document.body))
    }

    /// The tables there are.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn lookup_list(&self, principal: &Principal) -> Result<Vec<KeptTable>, Error> {
        let listed = self.indexer.catalog().documents(principal.tenant.as_str(), KIND, false).await;
        let kept = |Document { name, changed_by, changed_at, version, .. }| KeptTable {
            name,
            changed_by,
            changed_at,
            version,
        };
        Ok(listed.map_err(unreachable)?.into_iter().map(kept).collect())
    }

    /// Keeps a table, and answers how many rows it has and its version.
    ///
    /// # Errors
    /// It is no table, or the catalog cannot be written.
    pub async fn put_lookup(
        &self,
        principal: &Principal,
        name: &str,
        text: Vec<u8>,
    ) -> Result<(usize, u64), Error> {
        if !is_name(name) {
            return Err(refused(format!("`{name}` is no name for a table"), NAME_HINT));
        }
        let reading = tokio::task::spawn_blocking(move || {
            LookupTable::read(&text).map(|table| (table.rows.len(), text))
        });
        let (rows, body) =
            reading.await.map_err(|_| Error::Failed)?.map_err(|reason| refused(reason, CSV_HINT))?;
        let document = Document {
            name: name.to_owned(),
            body,
            changed_by: principal.name.to_string(),
            changed_at: clock(),
            version: 0,
        };
        let tenant = principal.tenant.as_str();
        let version = self.indexer.catalog().put_document(tenant, KIND, &document, None).await;
        Ok((rows, version.map_err(unreachable)?))
    }

    /// Deletes a table, and answers whether there was one.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn delete_lookup(&self, principal: &Principal, name: &str) -> Result<bool, Error> {
        let deleted = self.indexer.catalog().delete_document(principal.tenant.as_str(), KIND, name).await;
        deleted.map_err(unreachable)
    }
}

const NAME_HINT: &str = "letters, digits, `_`, `-` and `.`, at most 64";
const CSV_HINT: &str = "a CSV file in UTF-8 whose first line names the columns";

/// Whether a document may be called so: it is written in queries and addresses.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('.')
}

fn refused(reason: String, hint: &str) -> Error {
    Error::Parameter { name: "lookup", reason, hint: hint.into() }
}

fn kept_badly(reason: String) -> Error {
    Error::Unreadable(format!("a lookup table cannot be read: {reason}"))
}

fn unreachable(error: locard_store::Error) -> Error {
    match error {
        locard_store::Error::Conflict(reason) => refused(reason, "look at what is there, then try again"),
        error => {
            tracing::error!(%error, "catalog.documents failed");
            Error::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_queries_and_addresses() {
        assert!(
            is_name("assets-2.v1") && !is_name("") && !is_name("a b") && !is_name("../x") && !is_name(".x")
        );
    }
}
