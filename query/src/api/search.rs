//! `/api/search`.

use std::ops::Range;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use locard_event::Timestamp;
use locard_indexer::{Permission, Principal, Problem};
use locard_store::Order;
use serde::Serialize;
use serde_json::{Value, json};

use super::params::Params;
use super::problem::problem;
use super::{Api, lines};
use crate::json::EventJson;
use crate::pipe::{Outcome, Table};
use crate::search::{Answer, Explained, Matched, Scanned, Warning};

/// Answers a page of events, or streams events when the client asks for a line each.
pub(super) async fn search(
    State(api): State<Api>,
    principal: Principal,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let names: Vec<&str> = Params::ASK.into_iter().chain(["explain"]).collect();
    let params = params.known(&names)?;
    let ask = params.ask()?;
    let explains = params.parse("explain", "write true or false")?.unwrap_or(false);
    if lines::wanted(&headers) && !explains {
        return lines::stream(api.searcher, principal, ask).await;
    }
    let refused = |error| problem(error, &ask.q);
    let explained = match explains {
        true => Some(api.searcher.explain(&principal, &ask).await.map_err(refused)?),
        false => None,
    };
    let answer = api.searcher.search(&principal, &ask).await.map_err(refused)?;
    let page = Page { explain: explained.as_ref().map(explanation), ..page(&answer) };
    Ok(Json(page).into_response())
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
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Value>,
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
        explain: None,
    }
}

fn explanation(explained: &Explained) -> Value {
    let pipes = explained.pipes.iter().map(|(pipe, runs)| json!({"pipe": pipe, "runs": runs}));
    let Range { start, end } = explained.filed;
    json!({
        "filter": explained.filter.to_string(),
        "searched": explained.searched.as_ref().map(ToString::to_string),
        "start": (start > Timestamp::MIN).then(|| start.to_string()),
        "end": (end < Timestamp::MAX).then(|| end.to_string()),
        "order": if explained.order == Order::Ascending { "asc" } else { "desc" },
        "now": explained.now.to_string(),
        "pipes": pipes.collect::<Vec<_>>(),
        "extent": explained.extent.map(|extent| json!({
            "splits": extent.splits,
            "splits_in_range": extent.splits_in_range,
            "splits_skipped": extent.splits - extent.splits_in_range,
            "splits_unreadable": extent.splits_unreadable,
            "events_in_range": extent.events_in_range,
            "events_hot": extent.events_hot,
        })),
    })
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
