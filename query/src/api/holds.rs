//! `/api/holds`: legal holds of the tenant, for administrators. The tenant comes from the credential, never from the request.

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use locard_event::Timestamp;
use locard_indexer::{HoldError, NewHold, Permission, Principal, Problem};
use locard_store::Hold;
use serde_json::{Value, json};

use super::Api;
use super::params::Params;
use super::problem::problem;
use super::search::matched;
use crate::search::Covered;

/// Answers every hold, released ones too, and how many events those in force cover now.
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, Problem> {
    principal.require(Permission::Admin)?;
    params.known(&[])?;
    let holds = api.searcher.indexer.holds(&principal.tenant).await?;
    // The counts share the time of one search.
    let until = Instant::now() + api.searcher.limits.deadline;
    let mut shown = Vec::with_capacity(holds.len());
    for hold in &holds {
        shown.push(show(hold, cover(&api, &principal, hold, until).await?));
    }
    Ok(Json(json!({"holds": shown})))
}

/// Places a hold.
pub(super) async fn place(
    State(api): State<Api>,
    principal: Principal,
    params: Params,
) -> Result<Json<Value>, Problem> {
    principal.require(Permission::Admin)?;
    let params = params.known(&["name", "filter", "start", "end", "reason"])?;
    let text = |name: &str| params.text(name).unwrap_or_default().to_owned();
    let (name, filter, reason) = (text("name"), text("filter"), text("reason"));
    let (start, end) = (params.time("start")?, params.time("end")?);
    let new = NewHold { name, filter, start, end, reason };
    let hold = api.searcher.indexer.place_hold(&principal, new).await.map_err(refused)?;
    Ok(Json(show(&hold, None)))
}

/// Releases a hold.
pub(super) async fn release(
    State(api): State<Api>,
    principal: Principal,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Value>, Problem> {
    principal.require(Permission::Admin)?;
    let params = params.known(&["reason"])?;
    let reason = params.text("reason").unwrap_or_default().to_owned();
    let hold = api.searcher.indexer.release_hold(&principal, &name, reason).await.map_err(refused)?;
    Ok(Json(show(&hold, None)))
}

/// What a hold in force covers now, as far as the principal may see it.
async fn cover(
    api: &Api,
    principal: &Principal,
    hold: &Hold,
    until: Instant,
) -> Result<Option<Value>, Problem> {
    if hold.released.is_some() {
        return Ok(None);
    }
    let Hold { filter, start, end, .. } = hold;
    let range = start.unwrap_or(Timestamp::MIN)..end.unwrap_or(Timestamp::MAX);
    let time = until.saturating_duration_since(Instant::now());
    if time.is_zero() {
        let because = "counting the others took all the time of a search";
        return Ok(Some(json!({"value": 0, "exact": false, "incomplete_because": because})));
    }
    let counted = api.searcher.covered(principal, filter, range, time).await;
    let Covered { matched: mut count, incomplete_because: mut because } =
        counted.map_err(|error| problem(error, filter))?;
    if principal.filter.is_some() {
        count.exact = false;
        because = because.or(Some("this credential may not see all events".into()));
    }
    let mut covers = matched(count);
    if let Some(members) = covers.as_object_mut() {
        members.insert("incomplete_because".into(), json!(because));
    }
    Ok(Some(covers))
}

fn show(hold: &Hold, covers: Option<Value>) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let released = hold.released.as_ref();
    json!({
        "name": hold.name,
        "filter": hold.filter,
        "start": time(hold.start),
        "end": time(hold.end),
        "reason": hold.reason,
        "created_by": hold.created_by,
        "created_at": hold.created.to_string(),
        "in_force": released.is_none(),
        "released_by": released.map(|release| &release.by),
        "released_at": released.map(|release| release.at.to_string()),
        "release_reason": released.map(|release| &release.reason),
        "covers": covers,
    })
}

fn refused(error: HoldError) -> Problem {
    let text = error.to_string();
    match error {
        HoldError::Invalid { what, .. } => {
            Problem::new(StatusCode::BAD_REQUEST, text).with("parameter", what)
        }
        HoldError::Taken => Problem::new(StatusCode::CONFLICT, text).with("parameter", "name"),
        HoldError::Released => Problem::new(StatusCode::CONFLICT, text),
        HoldError::Absent => Problem::new(StatusCode::NOT_FOUND, text),
        HoldError::Failed(error) => error.into(),
    }
}
