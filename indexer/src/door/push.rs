//! Loki's push and the webhook of Kubernetes' API servers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode};
use locard_wire::{Encoding, REPEATED_HEADER};

use super::{JSON, content_type, deliver, delivery, encoding, listed};
use crate::{Door, Indexer, Permission, Principal, Problem};

/// `POST /ingest/k8s-audit`: an `EventList`, or events.
pub(super) async fn k8s_audit(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    principal.require(Permission::Ingest)?;
    let ack = deliver(&indexer, &principal, Door::K8sAudit, &headers, body).await?;
    listed(&ack, "item")
}

/// `POST /loki/api/v1/push`: JSON by its content type, else protobuf, which is always snappy's raw format whatever the encoding says.
pub(super) async fn loki(
    principal: Principal,
    State(indexer): State<Arc<Indexer>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    principal.require(Permission::Ingest)?;
    let (door, encoding) = match content_type(&headers)?.as_str() {
        JSON => (Door::LokiJson, encoding(&headers)?),
        "" | "application/x-protobuf" | "application/protobuf" => (Door::Loki, Encoding::Snappy),
        _ => {
            let detail = "send Loki's push request as application/json or application/x-protobuf";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
    };
    let (delivery, permit) = delivery(&indexer, door, encoding, &headers, body).await?;
    let ack = indexer.ingest_reserved(&principal, delivery, permit).await?.ack;
    if ack.rejected_count > 0 {
        return listed(&ack, "line");
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if ack.repeated {
        response.headers_mut().insert(REPEATED_HEADER, HeaderValue::from_static("true"));
    }
    Ok(response)
}
