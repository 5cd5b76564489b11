//! Single documents: `_doc/{id}`, `_source/{id}`, `_mget`. What the principal may not see is not there.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use locard_event::{Event, EventId};
use locard_indexer::{Permission, Principal};
use serde_json::{Map, Value as Json, json};

use super::error::Error;
use super::index::{Indices, Missing, resolve};
use super::params::Params;
use super::run::{Wish, hits, prepare};
use super::search::{Index, expression};
use super::source::SourceFilter;
use super::{Es, answer, body, dsl, hit};
use crate::search::Run;

/// Most documents in one `_mget`.
const MAX_DOCUMENTS: usize = 1_000;

/// Finds a document. What was not looked at is no answer: it may be there.
async fn find(es: &Es, principal: &Principal, index: &str, id: &str) -> Result<Option<Event>, Error> {
    let indices = resolve(es, principal, index, Missing::strict()).await?;
    if let Some(event) = by_index(es, principal, &indices, id).await? {
        return Ok(Some(event));
    }
    // An id that a document says of itself is known to a search alone.
    let scope = indices.filter();
    let searcher = &es.searcher;
    let mut run = Run::begin(&searcher.gate, &searcher.metrics, searcher.limits.deadline).await?;
    let (view, wanted) = prepare(&mut run, es, principal, scope.and(dsl::id(id))).await?;
    let wish = Wish { sorting: Arc::default(), after: None, limit: 1, count: false };
    let found = hits(&mut run, &view, wanted, wish, searcher.limits.memory_bytes).await?;
    let because = searcher.conclude(&mut run, &found.coverage);
    match (found.hits.into_iter().next(), because) {
        (Some(hit), _) => Ok(Some(hit.event)),
        (None, None) => Ok(None),
        (None, Some(because)) => {
            Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "no_shard_available_action_exception", because))
        }
    }
}

/// Finds a document by its event's id, or by the index of ids that clients gave.
async fn by_index(
    es: &Es,
    principal: &Principal,
    indices: &Indices,
    id: &str,
) -> Result<Option<Event>, Error> {
    let mut found = id.parse::<EventId>().ok();
    for name in indices.names.keys() {
        let given = es.searcher.indexer.document(&principal.tenant, name, id).await;
        let given = given.map_err(|error| {
            tracing::error!(%error, "the index of documents' ids cannot be read");
            Error::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "no_shard_available_action_exception",
                "the index of ids cannot be read",
            )
        })?;
        found = given.and_then(|event| event.id).or(found);
    }
    let Some(found) = found else { return Ok(None) };
    match es.searcher.event(principal, found).await {
        Ok(event) if hit::id(&event) == id && indices.names.contains_key(&*hit::index(&event)) => {
            Ok(Some(event))
        }
        // The search that follows says what cannot be read.
        _ => Ok(None),
    }
}

fn shown(event: &Event, source: &SourceFilter) -> Json {
    let mut shown = hit::whole(event, source);
    for (name, value) in [
        ("_version", json!(1)),
        ("_seq_no", json!(hit::sequence(event))),
        ("_primary_term", json!(1)),
        ("found", json!(true)),
    ] {
        shown.insert(name.into(), value);
    }
    Json::Object(shown)
}

/// Answers `{index}/_doc/{id}`.
pub(super) async fn get(
    State(es): State<Es>,
    principal: Principal,
    Path((index, id)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let source = SourceFilter::default().or_params(&params);
    Ok(match find(&es, &principal, &index, &id).await? {
        Some(event) => answer::ok(&shown(&event, &source)),
        None => answer::json(StatusCode::NOT_FOUND, &json!({"_index": index, "_id": id, "found": false})),
    })
}

/// Answers `{index}/_source/{id}`.
pub(super) async fn source(
    State(es): State<Es>,
    principal: Principal,
    Path((index, id)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let filter = SourceFilter::default().or_params(&params);
    let event = find(&es, &principal, &index, &id).await?;
    let missing = || {
        let reason = format!("Document not found [{index}]/[{id}]");
        Error::new(StatusCode::NOT_FOUND, "resource_not_found_exception", reason)
    };
    let event = event.ok_or_else(missing)?;
    let source = filter.apply(|| hit::source(&event));
    Ok(answer::ok(&source.unwrap_or_else(|| Json::Object(Map::new()))))
}

/// Answers `_mget`.
pub(super) async fn mget(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    let filter = SourceFilter::default().or_params(&params);
    let wanted = documents(&body, expression(&index))?;
    let mut docs = Vec::new();
    for Document { index, id, source } in wanted {
        let filter = source.unwrap_or_else(|| filter.clone());
        docs.push(match find(&es, &principal, &index, &id).await {
            Ok(Some(event)) => shown(&event, &filter),
            Ok(None) => json!({"_index": index, "_id": id, "found": false}),
            Err(error) if error.status == StatusCode::NOT_FOUND => {
                json!({"_index": index, "_id": id, "error": error.cause()})
            }
            Err(error) => return Err(error),
        });
    }
    Ok(answer::ok(&json!({"docs": docs})))
}

/// A document that `_mget` asks for.
struct Document {
    index: String,
    id: String,
    source: Option<SourceFilter>,
}

fn documents(body: &Json, default: &str) -> Result<Vec<Document>, Error> {
    let invalid = |reason: &str| {
        let reason = format!("Validation Failed: 1: {reason};");
        Error::new(StatusCode::BAD_REQUEST, "action_request_validation_exception", reason)
    };
    let text = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut wanted = Vec::new();
    if let Some(Json::Array(ids)) = body.get("ids") {
        let of = |id: String| Document { index: default.to_owned(), id, source: None };
        wanted.extend(ids.iter().filter_map(text).map(of));
    }
    for doc in body.get("docs").and_then(Json::as_array).into_iter().flatten() {
        let id = doc.get("_id").and_then(text).ok_or_else(|| invalid("id is missing for doc 0"))?;
        let index = doc.get("_index").and_then(Json::as_str).unwrap_or(default).to_owned();
        let source = doc.get("_source").map(SourceFilter::of_body).transpose()?;
        wanted.push(Document { index, id, source });
    }
    if wanted.iter().any(|doc| doc.index.is_empty()) {
        return Err(invalid("index is missing for doc 0"));
    }
    match wanted.len() {
        0 => Err(invalid("no documents to get")),
        count if count > MAX_DOCUMENTS => {
            Err(Error::illegal(format!("at most {MAX_DOCUMENTS} documents in one [_mget]")))
        }
        _ => Ok(wanted),
    }
}
