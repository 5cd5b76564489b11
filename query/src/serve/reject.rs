//! Every error answer is `application/problem+json`, whoever made it.

use std::any::Any;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use locard_indexer::Problem;

/// The most of a plain-text error that becomes a detail.
const MAX_DETAIL_BYTES: usize = 4096;

/// Layer: turns the plain-text rejections of the framework into problems.
pub(super) async fn explain(State(max_body_bytes): State<usize>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if !is_plain_error(response.status(), response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, MAX_DETAIL_BYTES).await.unwrap_or_default();
    let detail = match parts.status {
        StatusCode::NOT_FOUND => format!("there is nothing at {path}"),
        StatusCode::METHOD_NOT_ALLOWED => format!("{path} does not take {method}"),
        StatusCode::PAYLOAD_TOO_LARGE => format!("the body is larger than {max_body_bytes} bytes"),
        _ => String::from_utf8_lossy(&text).into_owned(),
    };
    let mut problem = Problem::new(parts.status, detail).into_response();
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allow.clone());
    }
    problem
}

/// An error without a body of its own kind.
fn is_plain_error(status: StatusCode, headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let plain = content_type.is_none_or(|content_type| content_type.starts_with("text/plain"));
    plain && (status.is_client_error() || status.is_server_error())
}

/// The answer to a request whose handler panicked. What it panicked with stays in the log.
pub(super) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(panic = text, "a request handler panicked");
    let detail = "this is a defect in the server; its log says more";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
}
