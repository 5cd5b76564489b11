//! Points in time, under Elasticsearch's path and under OpenSearch's. Each holds the instant it was opened, no copy of anything.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use locard_event::Timestamp;
use locard_indexer::{Permission, Principal};
use serde_json::{Value as Json, json};

use super::context::Kept;
use super::error::Error;
use super::params::Params;
use super::request::keep_alive;
use super::search::{ids, scope_of, shards};
use super::{Es, answer, body};

/// Answers `{index}/_pit`.
pub(super) async fn open_pit(
    State(es): State<Es>,
    principal: Principal,
    Path(index): Path<String>,
    params: Params,
) -> Result<Response, Error> {
    let (id, _) = open(&es, &principal, &index, &params).await?;
    Ok(answer::ok(&json!({"id": id, "_shards": shards(None, false)})))
}

/// Opens a point in time; gives its id and when that is.
async fn open(
    es: &Es,
    principal: &Principal,
    index: &str,
    params: &Params,
) -> Result<(String, Timestamp), Error> {
    principal.require(Permission::Read)?;
    let keep = params.text("keep_alive").map(keep_alive).transpose()?;
    let keep: Duration = keep.ok_or_else(|| {
        Error::new(
            StatusCode::BAD_REQUEST,
            "action_request_validation_exception",
            "Validation Failed: 1: [keep_alive] is not specified;",
        )
    })?;
    let indices = scope_of(es, principal, index, params).await?;
    let opened: Timestamp = crate::now();
    let id = es.contexts.open(principal, Kept { indices, opened, scroll: None }, keep)?;
    Ok((id, opened))
}

/// Answers OpenSearch's `{index}/_search/point_in_time`.
pub(super) async fn open_named_pit(
    es: State<Es>,
    principal: Principal,
    index: Path<String>,
    params: Params,
) -> Result<Response, Error> {
    let (id, opened) = open(&es, &principal, &index, &params).await?;
    let created = opened.nanos() / 1_000_000;
    Ok(answer::ok(&json!({"pit_id": id, "_shards": shards(None, false), "creation_time": created})))
}

/// Answers OpenSearch's `DELETE _search/point_in_time`.
pub(super) async fn close_named_pits(
    State(es): State<Es>,
    principal: Principal,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    let ids = ids(&body, "pit_id", &None, &params);
    let closed = |id: &String| es.contexts.close(&principal, std::slice::from_ref(id)) > 0;
    let pits: Vec<Json> = ids.iter().map(|id| json!({"pit_id": id, "successful": closed(id)})).collect();
    Ok(answer::ok(&json!({"pits": pits})))
}

/// Answers OpenSearch's `DELETE _search/point_in_time/_all`.
pub(super) async fn close_all_named_pits(
    State(es): State<Es>,
    principal: Principal,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let ids = es.contexts.close_pits(&principal);
    let pits: Vec<Json> = ids.iter().map(|id| json!({"pit_id": id, "successful": true})).collect();
    Ok(answer::ok(&json!({"pits": pits})))
}

/// Answers OpenSearch's `GET _search/point_in_time/_all`.
pub(super) async fn named_pits(State(es): State<Es>, principal: Principal) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let open = es.contexts.pits(&principal);
    let pits: Vec<Json> = open
        .iter()
        .map(|(id, opened, keep)| {
            let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
            json!({"pit_id": id, "creation_time": opened.nanos() / 1_000_000, "keep_alive": keep})
        })
        .collect();
    Ok(answer::ok(&json!({"pits": pits})))
}

/// Answers `DELETE _pit`.
pub(super) async fn close_pit(
    State(es): State<Es>,
    principal: Principal,
    params: Params,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let body = body::json(&headers, bytes)?.unwrap_or_default();
    let freed = es.contexts.close(&principal, &ids(&body, "id", &None, &params));
    let status = if freed > 0 { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok(answer::json(status, &json!({"succeeded": freed > 0, "num_freed": freed})))
}
