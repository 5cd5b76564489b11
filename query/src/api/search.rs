//! `/api/search`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use locard_indexer::{Permission, Principal, Problem};
use serde::Serialize;
use serde_json::{Value, json};

use super::params::Params;
use super::problem::problem;
use super::{Api, lines};
use crate::json::EventJson;
use crate::pipe::{Outcome, Table};
use crate::search::{Answer, Matched, Scanned, Warning};

/// Answers a page of events, or streams events when the client asks for a line each.
pub(super) async fn search(
    State(api): State<Api>,
    principal: Principal,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let ask = params.known(&Params::ASK)?.ask()?;
    if lines::wanted(&headers) {
        return lines::stream(api.searcher, principal, ask).await;
    }
    let answer = api.searcher.search(&principal, &ask).await.map_err(|error| problem(error, &ask.q))?;
    Ok(Json(page(&answer)).into_response())
}

#[derive(Serialize)]
struct Page<'a> {
    /// Empty beside a table.
    events: Vec<EventJson<'a>>,
    table: Option<TableJson<'a>>,
    matched: Value,
    complete: bool,
    incomplete_because: Option<&'a str>,
    cursor: Option<&'a str>,
    took_ms: u64,
    scanned: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Value>,
}

#[derive(Serialize)]
struct TableJson<'a> {
    columns: &'a [String],
    rows: &'a [Vec<Value>],
    #[serde(skip_serializing_if = "Option::is_none")]
    inexact_because: Option<&'a str>,
}

fn page(answer: &Answer) -> Page<'_> {
    let (events, table) = match &answer.outcome {
        Outcome::Events { events, shown, .. } => {
            (events.iter().map(|event| EventJson(event, shown)).collect(), None)
        }
        Outcome::Table(table) => (Vec::new(), Some(table_json(table))),
    };
    Page {
        events,
        table,
        matched: matched(answer.matched),
        complete: answer.incomplete_because.is_none(),
        incomplete_because: answer.incomplete_because.as_deref(),
        cursor: answer.cursor.as_deref(),
        took_ms: millis(answer.took),
        scanned: scanned(answer.scanned),
        warnings: answer.warnings.iter().map(warning).collect(),
    }
}

fn warning(warning: &Warning) -> Value {
    json!({"message": warning.message, "hint": warning.hint, "fix": warning.fix})
}

fn table_json(table: &Table) -> TableJson<'_> {
    TableJson {
        columns: &table.columns,
        rows: &table.rows,
        inexact_because: table.inexact_because.as_deref(),
    }
}

pub(super) fn matched(matched: Matched) -> Value {
    json!({"value": matched.value, "exact": matched.exact})
}

pub(super) fn scanned(scanned: Scanned) -> Value {
    json!({"splits": scanned.splits, "events": scanned.events, "bytes": scanned.bytes})
}

pub(super) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
