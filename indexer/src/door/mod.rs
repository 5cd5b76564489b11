//! The HTTP doors: `/v1/logs`, `/ingest/*`, those that other senders know, and `/api/admin/seal`. What was typed into a request
//! becomes a [`Delivery`]; what it means is for the stages.

mod bulk;
mod hec;
mod push;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use locard_event::name;
use locard_wire::{Ack, BATCH_HEADER, BatchId, Encoding, REPEATED_HEADER};

pub use bulk::{BulkAnswer, BulkItem, deliver_bulk};

use crate::background::chain;
use crate::budget::Permit;
use crate::{Delivery, Door, Indexer, Permission, Principal, Problem, answer};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The indexer's routes. The caller's layers authenticate, limit concurrency and put a [`crate::Principal`] into every request.
pub fn router(indexer: Arc<Indexer>) -> Router {
    Router::new()
        .route("/v1/logs", post(otlp))
        .route("/ingest/ndjson", post(ndjson))
        .route("/ingest/k8s-audit", post(push::k8s_audit))
        .route("/loki/api/v1/push", post(push::loki))
        .route("/api/admin/seal", post(seal))
        .merge(hec::router())
        .with_state(indexer)
}

/// Parameters of `/ingest/ndjson`; lists are separated by commas.
type Parameters = Query<Vec<(String, String)>>;
const PARAMETERS: [&str; 5] = ["time_field", "message_field", "stream_fields", "dataset", "keep_original"];

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
        answered(&ack, JSON, locard_wire::encode_answer_json(&ack))
    } else {
        answered(&ack, PROTOBUF, locard_wire::encode_answer(&ack))
    })
}

/// A repeat gets the body that the first of its name got, and a header that tells them apart.
fn answered(ack: &Ack, kind: &'static str, body: impl IntoResponse) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    if ack.repeated {
        response.headers_mut().insert(REPEATED_HEADER, HeaderValue::from_static("true"));
    }
    response
}

/// The content type in lower case, without its parameters.
fn content_type(headers: &HeaderMap) -> Result<String, Problem> {
    let text = text(headers, header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    Ok(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn otlp_door(headers: &HeaderMap) -> Result<Door, Problem> {
    match content_type(headers)?.as_str() {
        PROTOBUF | "application/protobuf" => Ok(Door::Otlp),
        JSON => Ok(Door::OtlpJson),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("send OTLP logs as {PROTOBUF} or {JSON}"),
        )),
    }
}

/// What was accepted, and which lines were not; a body of which none could be read is refused as a whole.
fn listed(ack: &Ack, what: &str) -> Result<Response, Problem> {
    if let (0, Some(first)) = (ack.accepted, ack.rejected.first()) {
        let rejected = serde_json::from_str::<serde_json::Value>(&answer::print(ack)).unwrap_or_default();
        let detail = format!("no {what} could be read; {what} {}: {}", first.line, first.reason);
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail)
            .with("line", first.line)
            .with("accepted", 0)
            .with("rejected", rejected.get("rejected").cloned().unwrap_or_default()));
    }
    Ok(answered(ack, JSON, answer::print(ack)))
}

async fn ndjson(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    parameters: Result<Parameters, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    principal.require(Permission::Ingest)?;
    let unreadable = |_| Problem::new(StatusCode::BAD_REQUEST, "the query string cannot be read");
    let Query(parameters) = parameters.map_err(unreadable)?;
    let door = ndjson_door(parameters)?;
    let ack = deliver(&indexer, &principal, door, &headers, body).await?;
    listed(&ack, "line")
}

fn ndjson_door(parameters: Vec<(String, String)>) -> Result<Door, Problem> {
    let mut door = Door::ndjson();
    let Door::Ndjson { time_fields, message_fields, stream_fields, dataset, keep_original } = &mut door
    else {
        return Ok(door);
    };
    for (name, value) in known(parameters)? {
        match name {
            "time_field" => *time_fields = names(&value),
            "message_field" => *message_fields = names(&value),
            "stream_fields" => *stream_fields = names(&value),
            "dataset" if name::is_dataset(&value) => *dataset = value,
            "dataset" => return Err(bad_value(name, name::DATASET_RULE)),
            _ => *keep_original = value.parse().map_err(|_| bad_value(name, "true or false"))?,
        }
    }
    Ok(door)
}

/// The parameters, each known and there once.
fn known(parameters: Vec<(String, String)>) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for (name, value) in parameters {
        let Some(known) = PARAMETERS.into_iter().find(|known| *known == name) else {
            return Err(unknown_parameter(&name));
        };
        if found.iter().any(|(before, _)| *before == known) {
            return Err(bad_parameter(known, format!("the parameter `{known}` is given twice")));
        }
        found.push((known, value));
    }
    Ok(found)
}

fn unknown_parameter(name: &str) -> Problem {
    let nearest = PARAMETERS.iter().map(|known| (strsim::damerau_levenshtein(known, name), known)).min();
    let hint = match nearest {
        Some((distance, known)) if distance <= name.len().div_ceil(3) => format!("did you mean `{known}`?"),
        _ => format!("it takes {}", PARAMETERS.join(", ")),
    };
    let detail = format!("there is no parameter `{}`; {hint}", name.escape_debug());
    bad_parameter(name, detail).with("hint", hint)
}

fn bad_value(name: &str, must_be: &str) -> Problem {
    bad_parameter(name, format!("`{name}` must be {must_be}"))
}

fn bad_parameter(name: &str, detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail).with("parameter", name)
}

/// Names separated by commas.
fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

async fn seal(principal: Principal, State(indexer): State<Arc<Indexer>>) -> Result<Response, Problem> {
    principal.require(Permission::Admin)?;
    indexer.seal().await.map_err(|error| {
        tracing::error!(error = %chain(&error), "sealing by hand failed");
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
    let (delivery, permit) = delivery(indexer, door, encoding, headers, body).await?;
    Ok(indexer.ingest_reserved(principal, delivery, permit).await?.ack)
}

async fn delivery(
    indexer: &Indexer,
    door: Door,
    encoding: Encoding,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Delivery, Permit), Problem> {
    let batch = batch(headers)?;
    let (body, permit) = read_body(indexer, headers, body).await?;
    Ok((Delivery { door, encoding, batch, body }, permit))
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let text = text(headers, header::CONTENT_ENCODING.as_str())?.unwrap_or_default();
    Encoding::parse(text).ok_or_else(|| {
        let detail = "the content encodings are identity, gzip, zstd, deflate and snappy (raw)";
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

/// Reads a body, under a permit for the memory it takes: for all of it at once where its length is said, else as it grows.
async fn read_body(
    indexer: &Indexer,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<(Bytes, Permit), Problem> {
    let max_bytes = indexer.max_body_bytes();
    let said = text(headers, header::CONTENT_LENGTH.as_str())?.and_then(|text| text.parse::<u64>().ok());
    let said = usize::try_from(said.unwrap_or(0)).unwrap_or(usize::MAX);
    if said > max_bytes {
        return Err(too_large(max_bytes));
    }
    let mut permit = indexer.reserve(said).await?;
    let mut read = Vec::with_capacity(said);
    while let Some(frame) = body.frame().await {
        let ended_early = |_| Problem::new(StatusCode::BAD_REQUEST, "the body ended early");
        let Ok(data) = frame.map_err(ended_early)?.into_data() else { continue };
        let needed = read.len() + data.len();
        if needed > max_bytes {
            return Err(too_large(max_bytes));
        }
        if needed > read.capacity() {
            let capacity = needed.max(2 * read.capacity()).min(max_bytes);
            indexer.grow(&mut permit, capacity)?;
            read.reserve_exact(capacity - read.len());
        }
        read.extend_from_slice(&data);
    }
    Ok((read.into(), permit))
}

fn too_large(max_bytes: usize) -> Problem {
    let detail = format!("the body is larger than {max_bytes} bytes; send several smaller ones");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).with("max_bytes", max_bytes)
}
