//! `_bulk`: many documents in one body, each with an answer of its own.

use std::collections::BTreeMap;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use locard_indexer::{Bulk, BulkAnswer, Form, Principal, Problem};

use super::super::Es;
use super::super::error::Error;
use super::{alias, answered, apply};

/// `POST|PUT /es/_bulk`.
pub(super) async fn all(
    State(es): State<Es>,
    principal: Principal,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    many(&es, &principal, None, &headers, body).await
}

/// `POST|PUT /es/{index}/_bulk`.
pub(super) async fn of_index(
    State(es): State<Es>,
    principal: Principal,
    Path(index): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    many(&es, &principal, Some(index), &headers, body).await
}

async fn many(
    es: &Es,
    principal: &Principal,
    index: Option<String>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    let started = Instant::now();
    let answer = write(es, principal, Form::Many, index, headers, body).await?;
    let body = print(&answer, started.elapsed().as_millis());
    let mut response =
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response();
    if answer.repeated {
        response.headers_mut().insert(locard_wire::REPEATED_HEADER, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Hands a body to the receive path.
pub(super) async fn write(
    es: &Es,
    principal: &Principal,
    form: Form,
    index: Option<String>,
    headers: &HeaderMap,
    body: Body,
) -> Result<BulkAnswer, Response> {
    let aliases = targets(es, principal).await.map_err(IntoResponse::into_response)?;
    let bulk = Bulk { index, form, aliases, ..Bulk::default() };
    let has_templates = apply::before(es, principal).await.map_err(IntoResponse::into_response)?;
    let delivered = locard_indexer::deliver_bulk(&es.searcher.indexer, principal, bulk, headers, body).await;
    let answer = delivered.map_err(refuse)?;
    if has_templates && let Err(error) = apply::after(es, principal, &answer).await {
        // What is written is written: the next document in the index makes up for it.
        tracing::warn!(error = %error.body(), "templates could not be applied");
    }
    Ok(answer)
}

/// Where what is written to each alias goes.
async fn targets(es: &Es, principal: &Principal) -> Result<BTreeMap<String, Option<String>>, Error> {
    let aliases = alias::list(es, principal).await?;
    Ok(aliases.iter().map(|(name, alias)| (name.clone(), alias.target().map(str::to_owned))).collect())
}

/// A body that is refused as a whole. What is not about its content keeps its headers; the layer outside gives it this face's shape.
fn refuse(problem: Problem) -> Response {
    let reason = problem.detail().to_owned();
    if problem.status() != StatusCode::BAD_REQUEST {
        return problem.into_response();
    }
    let kind = match reason.as_str() {
        reason if reason.starts_with("Validation Failed") => "action_request_validation_exception",
        "request body is required" => "parse_exception",
        _ => "illegal_argument_exception",
    };
    Error::new(StatusCode::BAD_REQUEST, kind, reason).into_response()
}

/// Some shippers look for `"errors":false,"items":[` in the text.
fn print(answer: &BulkAnswer, took: u128) -> String {
    let errors = answer.items.iter().any(|item| item.fault.is_some());
    let mut text = String::with_capacity(64 + 200 * answer.items.len());
    text.push_str(&format!("{{\"took\":{took},\"errors\":{errors},\"items\":["));
    for (item, number) in answer.items.iter().zip(0..) {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&answered::bulk_item(item).to_string());
    }
    text.push_str("]}");
    text
}
