//! `/api/searches`: searches that people keep under a name and share with their tenant. What a name holds is a query, its range of time,
//! and whatever else a client wants to find again.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use locard_indexer::{Permission, Principal, Problem};
use locard_store::{Document, Error};
use serde_json::{Map, Value, json};

use super::Api;
use super::problem::problem;
use crate::search::clock;

/// The kind of document they are.
const KIND: &str = "search";
/// Longest name, in characters.
const MAX_NAME: usize = 120;
/// Largest document, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// Answers all searches that are kept.
pub(super) async fn list(State(api): State<Api>, principal: Principal) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let catalog = api.searcher.indexer.catalog();
    let kept = catalog.documents(principal.tenant.as_str(), KIND, true).await.map_err(failed)?;
    let searches: Vec<Value> = kept.iter().map(shown).collect();
    Ok(Json(json!({"searches": searches})).into_response())
}

/// Answers one.
pub(super) async fn read(
    State(api): State<Api>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let catalog = api.searcher.indexer.catalog();
    let kept = catalog.document(principal.tenant.as_str(), KIND, &name).await.map_err(failed)?;
    let kept = kept.ok_or_else(absent)?;
    Ok(([(header::ETAG, etag(kept.version))], Json(shown(&kept))).into_response())
}

/// Keeps one. With `If-Match` only in the place of that version, so that two people do not overwrite each other; `If-None-Match: *` only
/// where there is none.
pub(super) async fn write(
    State(api): State<Api>,
    principal: Principal,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    check_name(&name)?;
    let document = Document {
        body: checked(&body)?,
        name: name.clone(),
        changed_by: principal.name.to_string(),
        changed_at: clock(),
        version: 0,
    };
    let expected = expected(&headers)?;
    let catalog = api.searcher.indexer.catalog();
    let version = catalog.put_document(principal.tenant.as_str(), KIND, &document, expected).await;
    let version = version.map_err(failed)?;
    tracing::info!(principal = %principal.name, search = name, version, "saved_search.write");
    let kept = Document { version, ..document };
    Ok(([(header::ETAG, etag(version))], Json(shown(&kept))).into_response())
}

/// Deletes one.
pub(super) async fn delete(
    State(api): State<Api>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let catalog = api.searcher.indexer.catalog();
    let deleted = catalog.delete_document(principal.tenant.as_str(), KIND, &name).await.map_err(failed)?;
    if !deleted {
        return Err(absent());
    }
    tracing::info!(principal = %principal.name, search = name, "saved_search.delete");
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=MAX_NAME).contains(&name.chars().count())
        && name.trim() == name
        && !name.contains(|char: char| char.is_control() || char == '/');
    if fits {
        return Ok(());
    }
    Err(Problem::new(StatusCode::BAD_REQUEST, "this is no name for a search")
        .with("hint", format!("1 to {MAX_NAME} characters without `/`, no space around them")))
}

/// The body as it is kept: an object whose `q` is a query.
fn checked(body: &[u8]) -> Result<Vec<u8>, Problem> {
    if body.len() > MAX_BYTES {
        let detail = format!("it has {} bytes, the limit is {MAX_BYTES}", body.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let read = serde_json::from_slice::<Map<String, Value>>(body);
    let members = read.map_err(|error| bad(format!("the body is no JSON object: {error}")))?;
    let Some(q) = members.get("q").and_then(Value::as_str) else {
        return Err(bad("the body must have the query in `q`".into()));
    };
    crate::pipe::parse(q).map_err(|error| problem(error.into(), q))?;
    let kept: Map<String, Value> =
        members.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
    serde_json::to_vec(&kept).map_err(|error| bad(error.to_string()))
}

/// What the server says of a search.
const OWN: [&str; 4] = ["name", "changed_by", "changed_at", "version"];

fn shown(document: &Document) -> Value {
    let mut members: Map<String, Value> = serde_json::from_slice(&document.body).unwrap_or_default();
    members.insert("name".into(), json!(document.name));
    members.insert("changed_by".into(), json!(document.changed_by));
    members.insert("changed_at".into(), json!(document.changed_at.to_string()));
    members.insert("version".into(), json!(document.version));
    Value::Object(members)
}

fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

fn expected(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*") {
        return Ok(Some(0));
    }
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|value| value.trim_matches('"').parse().ok());
    version.map(Some).ok_or_else(|| bad("`If-Match` must be the ETag of an answer".into()))
}

fn bad(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

fn absent() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such search")
        .with("hint", "GET /api/searches lists them")
}

fn failed(error: Error) -> Problem {
    match error {
        Error::Conflict(reason) => Problem::new(StatusCode::CONFLICT, reason).with("hint", "read it again"),
        error => {
            tracing::error!(%error, "saved_search failed");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the catalog cannot be reached; the log says why")
                .retry_after(5)
        }
    }
}
