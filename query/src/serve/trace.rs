//! One debug line and one metric a request. Paths only: queries and headers may hold what is nobody's business.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Peer;
use super::metrics::Metrics;

/// Whose request an answer belongs to.
#[derive(Clone, Debug)]
pub(super) struct Who(pub(super) Arc<str>);

/// Layer: notes what was asked and how it went.
pub(super) async fn trace(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.to_string());
    let response = next.run(request).await;
    let status = response.status();
    metrics.answered(status, started.elapsed());
    let who = response.extensions().get::<Who>().map_or("", |Who(name)| name);
    let took_ms = started.elapsed().as_millis();
    tracing::debug!(%method, path, status = status.as_u16(), took_ms, who, peer, "http.request");
    response
}
