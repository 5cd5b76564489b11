//! Splunk's HTTP event collector: its routes, its answers and its errors, all of them `{"text":…,"code":…}`.
//!
//! What is answered is durable already, so an `ackId` is the sequence number of the request's first event, and `/ack` says whether
//! there is one: nothing is remembered for it, and a restart changes no answer.
//! Source: Splunk, *HTTP Event Collector: Troubleshoot, possible error codes*.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use locard_wire::{Ack, REPEATED_HEADER};
use serde::{Deserialize, Serialize};

use super::{delivery, encoding, text};
use crate::{Door, Error, HecFault, HecOrigin, Indexer, Permission, Principal, Problem};

const CHANNEL: &str = "x-splunk-request-channel";
/// Bytes of a question about acknowledgements.
const MAX_ACK_BYTES: usize = 1 << 20;

pub(super) fn router() -> Router<Arc<Indexer>> {
    Router::new()
        .route("/services/collector", post(event))
        .route("/services/collector/event", post(event))
        .route("/services/collector/event/1.0", post(event))
        .route("/services/collector/raw", post(raw))
        .route("/services/collector/raw/1.0", post(raw))
        .route("/services/collector/ack", post(ack))
        .route("/services/collector/ack/1.0", post(ack))
        .route("/services/collector/health", get(health))
        .route("/services/collector/health/1.0", get(health))
}

/// An answer in Splunk's shape.
#[derive(Debug, Serialize)]
struct Answer {
    text: &'static str,
    code: u8,
    #[serde(rename = "invalid-event-number", skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(rename = "ackId", skip_serializing_if = "Option::is_none")]
    ack_id: Option<u64>,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after: bool,
}

impl Answer {
    const fn new(status: StatusCode, code: u8, text: &'static str) -> Self {
        Self { text, code, number: None, ack_id: None, status, retry_after: false }
    }

    const fn later(status: StatusCode, code: u8, text: &'static str) -> Self {
        Self { retry_after: true, ..Self::new(status, code, text) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        if retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        match error {
            Error::BadEvent { number, fault } => {
                let (code, text) = match fault {
                    HecFault::NoData => return Self::new(StatusCode::BAD_REQUEST, 5, "No data"),
                    HecFault::Format => (6, "Invalid data format"),
                    HecFault::Index => (7, "Incorrect index"),
                    HecFault::Missing => (12, "Event field is required"),
                    HecFault::Blank => (13, "Event field cannot be blank"),
                    HecFault::Fields => (15, "Error in handling indexed fields"),
                };
                Self { number: Some(number), ..Self::new(StatusCode::BAD_REQUEST, code, text) }
            }
            Error::Malformed { .. } => Self::new(StatusCode::BAD_REQUEST, 6, "Invalid data format"),
            Error::TooLarge { .. } | Error::TooLong { .. } | Error::TooMany { .. } => too_large(),
            Error::Busy { .. } => Self::later(StatusCode::TOO_MANY_REQUESTS, 9, "Server is busy"),
            Error::NoSpace | Error::Store(locard_store::Error::NoSpace) => {
                Self::later(StatusCode::INSUFFICIENT_STORAGE, 8, "Internal server error")
            }
            Error::Log(_) | Error::Store(_) => {
                Self::later(StatusCode::SERVICE_UNAVAILABLE, 8, "Internal server error")
            }
            Error::Closed => Self::later(StatusCode::SERVICE_UNAVAILABLE, 23, "Server is shutting down"),
        }
    }
}

/// What was refused before the body was read.
impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        match problem.status() {
            StatusCode::FORBIDDEN => Self::new(StatusCode::FORBIDDEN, 1, "Token disabled"),
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            StatusCode::TOO_MANY_REQUESTS => Error::BUSY.into(),
            StatusCode::SERVICE_UNAVAILABLE => Error::Closed.into(),
            status => Self::new(status, 6, "Invalid data format"),
        }
    }
}

const fn too_large() -> Answer {
    Answer::new(StatusCode::PAYLOAD_TOO_LARGE, 27, "Request entity too large")
}

type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// What the query string says; what is not known here is for Splunk alone.
#[derive(Default)]
struct Asked {
    origin: HecOrigin,
    channel: Option<String>,
}

impl Asked {
    fn read(parameters: Parameters, headers: &HeaderMap) -> Result<Self, Answer> {
        let Ok(Query(parameters)) = parameters else {
            return Err(Answer::new(StatusCode::BAD_REQUEST, 6, "Invalid data format"));
        };
        let mut asked = Self::default();
        for (name, value) in parameters {
            let place = match name.as_str() {
                "host" => &mut asked.origin.host,
                "source" => &mut asked.origin.source,
                "sourcetype" => &mut asked.origin.sourcetype,
                "index" => &mut asked.origin.index,
                "channel" => &mut asked.channel,
                _ => continue,
            };
            *place = Some(value).filter(|value| !value.is_empty());
        }
        if let Some(channel) = text(headers, CHANNEL)? {
            asked.channel = Some(channel.to_owned());
        }
        let is_bad = |channel: &String| uuid::Uuid::try_parse(channel).is_err();
        if asked.channel.as_ref().is_some_and(is_bad) {
            return Err(Answer::new(StatusCode::BAD_REQUEST, 11, "Invalid data channel"));
        }
        Ok(asked)
    }
}

async fn event(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Answer> {
    let asked = Asked::read(parameters, &headers)?;
    accept(&indexer, &principal, Door::Hec(asked.origin), asked.channel, &headers, body).await
}

async fn raw(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Answer> {
    let asked = Asked::read(parameters, &headers)?;
    accept(&indexer, &principal, Door::HecRaw(asked.origin), asked.channel, &headers, body).await
}

async fn accept(
    indexer: &Indexer,
    principal: &Principal,
    door: Door,
    channel: Option<String>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Answer> {
    principal.require(Permission::Ingest)?;
    let encoding = encoding(headers)?;
    let (delivery, permit) = delivery(indexer, door, encoding, headers, body).await?;
    let ack = indexer.ingest_reserved(principal, delivery, permit).await?.ack;
    Ok(success(&ack, channel.is_some()))
}

fn success(ack: &Ack, wants_id: bool) -> Response {
    let ack_id = ack.first.filter(|_| wants_id);
    let mut response = Answer { ack_id, ..Answer::new(StatusCode::OK, 0, "Success") }.into_response();
    if ack.repeated {
        response.headers_mut().insert(REPEATED_HEADER, HeaderValue::from_static("true"));
    }
    response
}

#[derive(Deserialize)]
struct Question {
    acks: Vec<u64>,
}

async fn ack(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Answer> {
    principal.require(Permission::Ingest)?;
    if Asked::read(parameters, &headers)?.channel.is_none() {
        return Err(Answer::new(StatusCode::BAD_REQUEST, 10, "Data channel is missing"));
    }
    let body = axum::body::to_bytes(body, MAX_ACK_BYTES).await.map_err(|_| too_large())?;
    let bad = |_| Answer::new(StatusCode::BAD_REQUEST, 6, "Invalid data format");
    let Question { acks } = serde_json::from_slice(&body).map_err(bad)?;
    let next = indexer.next_sequence(&principal.tenant);
    let acks: BTreeMap<String, bool> = acks.into_iter().map(|id| (id.to_string(), id < next)).collect();
    Ok(Json(BTreeMap::from([("acks", acks)])).into_response())
}

async fn health(principal: Principal, State(indexer): State<Arc<Indexer>>) -> Result<Response, Answer> {
    principal.require(Permission::Ingest)?;
    Ok(match indexer.reserve(0).await {
        Ok(_) => Answer::new(StatusCode::OK, 17, "HEC is healthy"),
        Err(Error::Closed) => Error::Closed.into(),
        Err(_) => Answer::later(StatusCode::SERVICE_UNAVAILABLE, 18, "HEC is unhealthy, queues are full"),
    }
    .into_response())
}
