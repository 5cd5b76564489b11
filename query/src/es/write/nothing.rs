//! What needs nothing done: everything acked is searchable and durable already, and merging is not the clients' business.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use locard_indexer::Principal;
use serde_json::json;

use super::super::Es;
use super::super::answer::ok;
use super::super::error::Error;
use super::super::params::Params;
use super::{answered, index, kept};

/// `_refresh`, `_flush` and `_forcemerge`, of everything or of an index.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Es>)> {
    let all = || get(all).post(all);
    let of_index = || get(of_index).post(of_index);
    vec![
        ("/_refresh", all()),
        ("/_flush", all()),
        ("/_forcemerge", all()),
        ("/{index}/_refresh", of_index()),
        ("/{index}/_flush", of_index()),
        ("/{index}/_forcemerge", of_index()),
    ]
}

async fn all(principal: Principal) -> Result<Response, Error> {
    kept::may_read(&principal)?;
    Ok(ok(&json!({"_shards": answered::shards()})))
}

async fn of_index(
    State(es): State<Es>,
    principal: Principal,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, Error> {
    kept::may_read(&principal)?;
    if !params.flag("ignore_unavailable") {
        for name in name.split(',').filter(|name| !name.contains('*') && *name != "_all") {
            index::require(&es, &principal, name).await?;
        }
    }
    Ok(ok(&json!({"_shards": answered::shards()})))
}
