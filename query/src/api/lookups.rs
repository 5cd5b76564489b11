//! `/api/lookups`: the CSV tables that the pipe `lookup` looks into. Everybody of a tenant reads them; to change one takes `admin`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use locard_indexer::{Permission, Principal, Problem};
use serde_json::json;

use super::Api;
use super::problem::problem;

/// Answers which tables there are.
pub(super) async fn list(State(api): State<Api>, principal: Principal) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let tables = api.searcher.lookup_list(&principal).await.map_err(|error| problem(error, ""))?;
    let table = |table: crate::search::KeptTable| {
        json!({
            "name": table.name, "changed_by": table.changed_by,
            "changed_at": table.changed_at.to_string(), "version": table.version,
        })
    };
    Ok(Json(json!({"lookups": tables.into_iter().map(table).collect::<Vec<_>>()})).into_response())
}

/// Answers a table as it was written.
pub(super) async fn read(
    State(api): State<Api>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let text = api.searcher.lookup_text(&principal, &name).await.map_err(|error| problem(error, ""))?;
    let text = text.ok_or_else(absent)?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response())
}

/// Keeps a table.
pub(super) async fn write(
    State(api): State<Api>,
    principal: Principal,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    principal.require(Permission::Admin)?;
    let kept = api.searcher.put_lookup(&principal, &name, body.into()).await;
    let (rows, version) = kept.map_err(|error| problem(error, ""))?;
    tracing::info!(principal = %principal.name, lookup = name, rows, version, "lookup.write");
    Ok(Json(json!({"name": name, "rows": rows, "version": version})).into_response())
}

/// Deletes a table.
pub(super) async fn delete(
    State(api): State<Api>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    principal.require(Permission::Admin)?;
    let deleted = api.searcher.delete_lookup(&principal, &name).await.map_err(|error| problem(error, ""))?;
    if !deleted {
        return Err(absent());
    }
    tracing::info!(principal = %principal.name, lookup = name, "lookup.delete");
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn absent() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such lookup table")
        .with("hint", "GET /api/lookups lists them")
}
