//! One document: `_doc`, `_create`; and what cannot be done to one, because events are never changed.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use locard_indexer::{Action, Form, Permission, Principal};
use serde_json::{Value as Json, json};

use super::super::Es;
use super::super::answer::json;
use super::super::error::Error;
use super::super::params::Params;
use super::answered;
use super::bulk::write;

/// `POST /es/{index}/_doc`.
pub(super) async fn add(
    State(es): State<Es>,
    principal: Principal,
    Path(index): Path<String>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    one(&es, &principal, (index, None), action(&params), &headers, body).await
}

/// `PUT|POST /es/{index}/_doc/{id}`.
pub(super) async fn put(
    State(es): State<Es>,
    principal: Principal,
    Path((index, id)): Path<(String, String)>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    one(&es, &principal, (index, Some(id)), action(&params), &headers, body).await
}

/// `PUT|POST /es/{index}/_create/{id}`.
pub(super) async fn create(
    State(es): State<Es>,
    principal: Principal,
    Path((index, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    one(&es, &principal, (index, Some(id)), Ok(Action::Create), &headers, body).await
}

fn action(params: &Params) -> Result<Action, Error> {
    let condition = ["if_seq_no", "if_primary_term", "version", "version_type"]
        .into_iter()
        .find(|name| params.text(name).is_some());
    if let Some(condition) = condition {
        return Err(Error::unsupported(condition));
    }
    match params.text("op_type") {
        None | Some("index") => Ok(Action::Index),
        Some("create") => Ok(Action::Create),
        Some(other) => Err(Error::illegal(format!("opType must be 'create' or 'index', found: [{other}]"))),
    }
}

async fn one(
    es: &Es,
    principal: &Principal,
    (index, id): (String, Option<String>),
    action: Result<Action, Error>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    let action = action.map_err(IntoResponse::into_response)?;
    let answer = write(es, principal, Form::One { action, id }, Some(index), headers, body).await?;
    let Some(item) = answer.items.first() else {
        return Err(Error::illegal("request body is required").into_response());
    };
    let (status, mut body) = answered::item(item);
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(Json::Object(mut error)) = body.get_mut("error").map(Json::take) {
        error.insert("root_cause".into(), json!([error.clone()]));
        body = json!({"error": error, "status": status});
    }
    Ok(json(code, &body))
}

/// `DELETE /es/{index}/_doc/{id}`.
pub(super) async fn delete(principal: Principal) -> Result<Response, Error> {
    refused(&principal, "deleting a document")
}

/// `POST /es/{index}/_update/{id}`.
pub(super) async fn update(principal: Principal) -> Result<Response, Error> {
    refused(&principal, "_update")
}

/// `POST /es/{index}/_update_by_query`.
pub(super) async fn update_by_query(principal: Principal) -> Result<Response, Error> {
    refused(&principal, "_update_by_query")
}

/// `POST /es/{index}/_delete_by_query`.
pub(super) async fn delete_by_query(principal: Principal) -> Result<Response, Error> {
    refused(&principal, "_delete_by_query")
}

fn refused(principal: &Principal, feature: &str) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    Err(Error::illegal(format!("events are never changed: [{feature}] is not supported")))
}
