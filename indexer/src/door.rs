//! The HTTP doors: `/v1/logs`, `/ingest/ndjson`, `/api/admin/seal`. What was typed into a request becomes a [`Delivery`]; what it
//! means is for the stages.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use locard_wire::{Ack, BATCH_HEADER, BatchId, Encoding};
use serde::Deserialize;

use crate::{Delivery, Door, Indexer, Permission, Principal, Problem, answer};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The indexer's routes. The caller's layers authenticate, limit concurrency and put a [`crate::Principal`] into every request.
pub fn router(indexer: Arc<Indexer>) -> Router {
    Router::new()
        .route("/v1/logs", post(otlp))
        .route("/ingest/ndjson", post(ndjson))
        .route("/api/admin/seal", post(seal))
        .with_state(indexer)
}

/// Parameters of `/ingest/ndjson`; lists are separated by commas.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NdjsonParams {
    time_field: Option<String>,
    message_field: Option<String>,
    stream_fields: Option<String>,
    dataset: Option<String>,
    #[serde(default)]
    keep_original: bool,
}

async fn otlp(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    principal.require(Permission::Ingest)?;
    let door = otlp_door(&headers)?;
    let json = door == Door::OtlpJson;
    let ack = deliver(&indexer, &principal, door, &headers, body).await?;
    Ok(if json {
        ([(header::CONTENT_TYPE, JSON)], locard_wire::encode_answer_json(&ack)).into_response()
    } else {
        ([(header::CONTENT_TYPE, PROTOBUF)], locard_wire::encode_answer(&ack)).into_response()
    })
}

fn otlp_door(headers: &HeaderMap) -> Result<Door, Problem> {
    let text = text(headers, header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    match text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        PROTOBUF | "application/protobuf" => Ok(Door::Otlp),
        JSON => Ok(Door::OtlpJson),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("send OTLP logs as {PROTOBUF} or {JSON}"),
        )),
    }
}

async fn ndjson(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    params: Result<Query<NdjsonParams>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    principal.require(Permission::Ingest)?;
    let Query(params) = params.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    let ack = deliver(&indexer, &principal, ndjson_door(params)?, &headers, body).await?;
    if let (0, Some(first)) = (ack.accepted, ack.rejected.first()) {
        let rejected = serde_json::from_str::<serde_json::Value>(&answer::print(&ack)).unwrap_or_default();
        let detail = format!("no line could be read; line {}: {}", first.line, first.reason);
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail)
            .with("line", first.line)
            .with("accepted", 0)
            .with("rejected", rejected.get("rejected").cloned().unwrap_or_default()));
    }
    Ok(([(header::CONTENT_TYPE, JSON)], answer::print(&ack)).into_response())
}

fn ndjson_door(params: NdjsonParams) -> Result<Door, Problem> {
    let mut door = Door::ndjson();
    if let Door::Ndjson { time_fields, message_fields, stream_fields, dataset, keep_original } = &mut door {
        let chosen = [
            (time_fields, params.time_field),
            (message_fields, params.message_field),
            (stream_fields, params.stream_fields),
        ];
        for (names, text) in chosen {
            if let Some(text) = text {
                *names = text
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
        }
        if let Some(name) = params.dataset {
            *dataset = valid_dataset(name)?;
        }
        *keep_original = params.keep_original;
    }
    Ok(door)
}

/// A dataset follows Elasticsearch's rules for index names.
fn valid_dataset(name: String) -> Result<String, Problem> {
    let bad =
        |c: char| c.is_uppercase() || c.is_whitespace() || c.is_control() || r#"/\*?"<>|,#:"#.contains(c);
    let reserved = name.is_empty() || name == "." || name == ".." || name.starts_with(['-', '_', '+']);
    if reserved || name.len() > 255 || name.contains(bad) {
        let detail = "`dataset` is 1 to 255 bytes in lower case, without spaces and any of / \\ * ? \" < > | , # :, \
                      not beginning with - _ +, and not . or ..";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(name)
}

async fn seal(principal: Principal, State(indexer): State<Arc<Indexer>>) -> Result<Response, Problem> {
    principal.require(Permission::Admin)?;
    indexer.seal().await.map_err(|error| {
        tracing::error!(%error, "sealing by hand failed");
        Problem::from(error)
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn deliver(
    indexer: &Indexer,
    principal: &Principal,
    door: Door,
    headers: &HeaderMap,
    body: Body,
) -> Result<Ack, Problem> {
    let encoding = encoding(headers)?;
    let batch = batch(headers)?;
    let body = read_body(headers, body, indexer.max_body_bytes()).await?;
    let delivery = Delivery { door, encoding, batch, body };
    indexer.ingest(principal, delivery).await.map_err(Problem::from)
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let text = text(headers, header::CONTENT_ENCODING.as_str())?.unwrap_or_default();
    Encoding::parse(text).ok_or_else(|| {
        let detail = "the content encodings are identity, gzip and zstd";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    })
}

fn batch(headers: &HeaderMap) -> Result<Option<BatchId>, Problem> {
    let Some(text) = text(headers, BATCH_HEADER)? else { return Ok(None) };
    let bad = |error: locard_wire::ParseBatchIdError| {
        Problem::new(StatusCode::BAD_REQUEST, format!("X-Locard-Batch: {error}"))
    };
    text.parse().map(Some).map_err(bad)
}

/// A header's only value.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    let problem = |what: &str| Problem::new(StatusCode::BAD_REQUEST, format!("the header {name} {what}"));
    if values.next().is_some() {
        return Err(problem("is there more than once"));
    }
    first.map(|value| value.to_str().map_err(|_| problem("is not visible ASCII"))).transpose()
}

async fn read_body(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("the body is larger than {max_bytes} bytes; send several smaller ones");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).with("max_bytes", max_bytes)
    };
    let said = text(headers, header::CONTENT_LENGTH.as_str())?.and_then(|text| text.parse::<u64>().ok());
    if said.is_some_and(|length| length > max_bytes as u64) {
        return Err(too_large());
    }
    match Limited::new(body, max_bytes).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "the body ended early")),
    }
}
