//! Small JSON documents of a tenant in the catalog, by kind and name: what describes indices.

use std::collections::BTreeMap;

use http::StatusCode;
use locard_indexer::{Permission, Principal};
use locard_store::{Document, Error as StoreError};
use serde_json::Value as Json;

use super::super::Es;
use super::super::error::Error;

/// Largest body of such a document.
const MAX_BYTES: usize = 1 << 20;
/// Longest name.
const MAX_NAME_BYTES: usize = 255;
/// How often a change that somebody else overtook is tried.
const ATTEMPTS: usize = 5;

/// Reading what is kept needs some permission; shippers that may only write look too.
pub(super) fn may_read(principal: &Principal) -> Result<(), Error> {
    let either = principal.require(Permission::Ingest).or_else(|_| principal.require(Permission::Read));
    Ok(either?)
}

/// A body that is an object; nothing stands for an empty one.
pub(super) fn object(body: &[u8]) -> Result<Json, Error> {
    if body.len() > MAX_BYTES {
        let reason = format!("the body is larger than {MAX_BYTES} bytes");
        return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, "content_too_large_exception", reason));
    }
    if body.trim_ascii().is_empty() {
        return Ok(Json::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(object @ Json::Object(_)) => Ok(object),
        Ok(_) => Err(Error::parsing("the body is not a JSON object")),
        Err(error) => Err(Error::parsing(format!("the body is not valid JSON: {error}"))),
    }
}

pub(super) async fn get(
    es: &Es,
    principal: &Principal,
    kind: &str,
    name: &str,
) -> Result<Option<Json>, Error> {
    let catalog = es.searcher.indexer.catalog();
    let found = catalog.document(principal.tenant.as_str(), kind, name).await.map_err(failed)?;
    found.map(|document| read(&document)).transpose()
}

/// Every document of a kind, by name.
pub(super) async fn list(es: &Es, principal: &Principal, kind: &str) -> Result<Vec<(String, Json)>, Error> {
    let catalog = es.searcher.indexer.catalog();
    let found = catalog.documents(principal.tenant.as_str(), kind, true).await.map_err(failed)?;
    found.into_iter().map(|document| Ok((document.name.clone(), read(&document)?))).collect()
}

/// The names of a kind's documents, and the version of each.
pub(super) async fn versions(
    es: &Es,
    principal: &Principal,
    kind: &str,
) -> Result<BTreeMap<String, u64>, Error> {
    let catalog = es.searcher.indexer.catalog();
    let found = catalog.documents(principal.tenant.as_str(), kind, false).await.map_err(failed)?;
    Ok(found.into_iter().map(|document| (document.name, document.version)).collect())
}

/// Writes what `change` makes of a document, or of none; tried again where somebody else changed it meanwhile.
pub(super) async fn change(
    es: &Es,
    principal: &Principal,
    (kind, name): (&str, &str),
    change: impl Fn(Option<Json>) -> Result<Json, Error>,
) -> Result<(), Error> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(Error::illegal(format!("a name has 1 to {MAX_NAME_BYTES} bytes")));
    }
    let (catalog, tenant) = (es.searcher.indexer.catalog(), principal.tenant.as_str());
    let mut outcome = Ok(());
    for _ in 0..ATTEMPTS {
        let before = catalog.document(tenant, kind, name).await.map_err(failed)?;
        let version = before.as_ref().map_or(0, |document| document.version);
        let body = change(before.as_ref().map(read).transpose()?)?;
        let document = Document {
            name: name.to_owned(),
            body: body.to_string().into_bytes(),
            changed_by: principal.name.to_string(),
            changed_at: crate::now(),
            version,
        };
        match catalog.put_document(tenant, kind, &document, Some(version)).await {
            Ok(_) => return Ok(()),
            Err(error) => outcome = Err(failed(error)),
        }
    }
    outcome
}

/// Deletes a document, and says whether there was one.
pub(super) async fn delete(es: &Es, principal: &Principal, kind: &str, name: &str) -> Result<bool, Error> {
    let catalog = es.searcher.indexer.catalog();
    catalog.delete_document(principal.tenant.as_str(), kind, name).await.map_err(failed)
}

fn read(document: &Document) -> Result<Json, Error> {
    serde_json::from_slice(&document.body).map_err(|error| {
        tracing::error!(name = document.name, %error, "a kept document cannot be read");
        Error::new(StatusCode::INTERNAL_SERVER_ERROR, "exception", "what is kept cannot be read")
    })
}

fn failed(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(reason) => Error::illegal(reason),
        error => {
            tracing::error!(%error, "the catalog failed");
            Error::new(StatusCode::SERVICE_UNAVAILABLE, "cluster_block_exception", "the catalog failed")
        }
    }
}

/// Lays `over` on `under`: objects member by member, anything else in its place.
pub(super) fn merge(under: &mut Json, over: Json) {
    match (under, over) {
        (Json::Object(under), Json::Object(over)) => {
            for (name, value) in over {
                merge(under.entry(name).or_insert(Json::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
