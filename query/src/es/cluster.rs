//! `_cluster/health` and `_cat/health`: green while every split can be read, yellow otherwise.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use locard_indexer::{Permission, Principal};
use serde_json::{Value as Json, json};

use super::Es;
use super::answer::{json, ok, text};
use super::error::Error;
use super::index::{Missing, resolve};
use super::params::Params;
use super::search::{Index, expression};

/// How this tenant's events are. Says nothing about others.
fn status(es: &Es, principal: &Principal) -> &'static str {
    if es.searcher.indexer.view(&principal.tenant).unreadable.is_empty() { "green" } else { "yellow" }
}

fn health_body(status: &str, timed_out: bool) -> Json {
    json!({
        "cluster_name": "locard",
        "status": status,
        "timed_out": timed_out,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": 1,
        "active_shards": 1,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 0,
        "unassigned_primary_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": 100.0,
    })
}

/// Answers `_cluster/health`. Nothing changes by waiting, so a status that is not reached is told at once, as a time-out is: 408.
pub(super) async fn health(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
) -> Result<Response, Error> {
    let status = status(&es, &principal);
    let there = named(&es, &principal, expression(&index), &params).await?;
    let reached = match params.text("wait_for_status") {
        None | Some("red" | "yellow") => true,
        Some("green") => status == "green",
        Some(other) => return Err(Error::illegal(format!("unknown cluster health status [{other}]"))),
    };
    let reached = reached && there.is_some();
    let code = if reached { StatusCode::OK } else { StatusCode::REQUEST_TIMEOUT };
    let mut body = health_body(if there.is_some() { status } else { "red" }, !reached);
    if let (Some("indices" | "shards"), Some(names), Some(members)) =
        (params.text("level"), there, body.as_object_mut())
    {
        let one = json!({
            "status": status, "number_of_shards": 1, "number_of_replicas": 0, "active_primary_shards": 1,
            "active_shards": 1, "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
        });
        let indices = names.into_iter().map(|name| (name, one.clone()));
        members.insert("indices".into(), Json::Object(indices.collect()));
    }
    Ok(json(code, &body))
}

/// The indices that are meant; nothing if one of them is not there, which is waited for in vain.
async fn named(
    es: &Es,
    principal: &Principal,
    expression: &str,
    params: &Params,
) -> Result<Option<Vec<String>>, Error> {
    let is_wanted = !expression.is_empty() || params.text("level").is_some_and(|level| level != "cluster");
    // Shippers that may only write ask how the cluster is.
    if !is_wanted || principal.require(Permission::Read).is_err() {
        return Ok(Some(Vec::new()));
    }
    match resolve(es, principal, expression, Missing::of(params)?).await {
        Ok(found) => Ok(Some(found.names.into_keys().collect())),
        Err(error) if error.status == StatusCode::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

/// Answers `_cat/health`.
pub(super) async fn cat_health(State(es): State<Es>, principal: Principal, params: Params) -> Response {
    let status = status(&es, &principal);
    let now = crate::now();
    let seconds = now.nanos() / 1_000_000_000;
    let clock = now.to_string().get(11..19).unwrap_or_default().to_owned();
    if params.text("format") == Some("json") {
        return ok(&json!([{
            "epoch": seconds.to_string(), "timestamp": clock, "cluster": "locard", "status": status,
            "node.total": "1", "node.data": "1", "shards": "1", "pri": "1", "relo": "0", "init": "0", "unassign": "0",
            "pending_tasks": "0", "max_task_wait_time": "-", "active_shards_percent": "100.0%",
        }]));
    }
    let heading = "epoch timestamp cluster status node.total node.data shards pri relo init unassign pending_tasks \
                   max_task_wait_time active_shards_percent\n";
    let line = format!("{seconds} {clock} locard {status} 1 1 1 1 0 0 0 0 - 100.0%\n");
    text(if params.flag("v") { format!("{heading}{line}") } else { line })
}
