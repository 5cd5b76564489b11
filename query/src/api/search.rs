//! `/api/search`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use locard_indexer::{Permission, Principal, Problem};
use serde::Serialize;
use serde_json::json;

use super::json::EventJson;
use super::params::Params;
use super::problem::problem;
use crate::search::{Answer, Searcher};

/// Answers a page of events.
pub(super) async fn search(
    State(searcher): State<Searcher>,
    principal: Principal,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let ask = params.known(&Params::ASK)?.ask()?;
    let _ = headers;
    let answer = searcher.search(&principal, &ask).await.map_err(|error| problem(error, &ask.q))?;
    Ok(Json(page(&answer)).into_response())
}

#[derive(Serialize)]
struct Page<'a> {
    events: Vec<EventJson<'a>>,
    matched: serde_json::Value,
    complete: bool,
    incomplete_because: Option<&'a str>,
    cursor: Option<&'a str>,
    took_ms: u64,
    scanned: serde_json::Value,
}

fn page(answer: &Answer) -> Page<'_> {
    let scanned = &answer.scanned;
    Page {
        events: answer.events.iter().map(EventJson).collect(),
        matched: json!({"value": answer.matched.value, "exact": answer.matched.exact}),
        complete: answer.incomplete_because.is_none(),
        incomplete_because: answer.incomplete_because.as_deref(),
        cursor: answer.cursor.as_deref(),
        took_ms: u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
        scanned: json!({"splits": scanned.splits, "events": scanned.events, "bytes": scanned.bytes}),
    }
}
