//! `/api/events/{id}` and what surrounds it.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use locard_event::EventId;
use locard_indexer::{Permission, Principal, Problem};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::params::Params;
use super::problem::problem;
use super::search::{millis, scanned};
use crate::json::{EventJson, ValueJson};
use crate::search::{Surrounded, Surroundings};

/// How many neighbours there are on each side unless asked otherwise.
const NEIGHBOURS: usize = 50;

/// Answers one event.
pub(super) async fn event(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    params.known(&[])?;
    let event = api.searcher.event(&principal, read_id(&id)?).await.map_err(|error| problem(error, ""))?;
    Ok(Json(EventJson::whole(&event)).into_response())
}

/// Answers an event among its neighbours.
pub(super) async fn context(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let params = params.known(&["before", "after", "by", "q"])?;
    let most = api.searcher.limits.max_limit;
    let ask = Surroundings {
        before: params.count("before", NEIGHBOURS.min(most), most)?,
        after: params.count("after", NEIGHBOURS.min(most), most)?,
        by: params.list("by"),
        q: params.text("q").unwrap_or_default().to_owned(),
    };
    let found = api.searcher.context(&principal, read_id(&id)?, &ask).await;
    let found = found.map_err(|error| problem(error, &ask.q))?;
    Ok(Json(surrounded(&found)).into_response())
}

/// What is no id names no event.
fn read_id(text: &str) -> Result<EventId, Problem> {
    let absent = Problem::new(StatusCode::NOT_FOUND, "there is no such event");
    text.parse().map_err(|_| absent.with("hint", "an event's id looks like 0-184467"))
}

#[derive(Serialize)]
struct Context<'a> {
    events: Vec<EventJson<'a>>,
    index: usize,
    more_before: bool,
    more_after: bool,
    by: Map<String, Value>,
    complete: bool,
    incomplete_because: Option<&'a str>,
    took_ms: u64,
    scanned: Value,
}

fn surrounded(found: &Surrounded) -> Context<'_> {
    let by = found.by.iter().map(|(name, value)| (name.clone(), json!(ValueJson(value))));
    Context {
        events: found.events.iter().map(EventJson::whole).collect(),
        index: found.index,
        more_before: found.more_before,
        more_after: found.more_after,
        by: by.collect(),
        complete: found.incomplete_because.is_none(),
        incomplete_because: found.incomplete_because.as_deref(),
        took_ms: millis(found.took),
        scanned: scanned(found.scanned),
    }
}
