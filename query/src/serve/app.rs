//! The routes and the layers around them, outermost last.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use prometheus_client::registry::Registry;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::gate::Gate;
use super::metrics::Metrics;
use super::{Authority, auth, console, guard, header, health, metrics, reject, trace};
use crate::config::HttpLimits;

/// What is there from the first moment: health and the console; everything else goes through the gate.
pub(super) fn outer(gate: &Gate, authority: &Authority, metrics: &Metrics, limits: &HttpLimits) -> Router {
    let passage = gate.clone();
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(gate.clone())
        .fallback(move |request| passage.pass(request))
        .layer(DefaultBodyLimit::max(limits.max_body_bytes))
        .layer(RequestBodyTimeoutLayer::new(limits.body_timeout))
        .layer(CatchPanicLayer::custom(reject::panicked))
        .layer(from_fn_with_state(limits.max_body_bytes, reject::explain))
        .layer(from_fn_with_state(authority.clone(), guard::guard))
        .layer(from_fn(crate::es::dress))
        .layer(CompressionLayer::new())
        .layer(from_fn(header::secure))
        .layer(from_fn_with_state(metrics.clone(), trace::trace))
}

/// What needs the indexer. Every route needs a credential; the console, which answers the rest, does not.
pub(super) fn inner(routes: Router, registry: Arc<Registry>, authority: &Authority) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics::show)).with_state(registry);
    routes
        .merge(metrics)
        .layer(from_fn_with_state(authority.clone(), auth::authenticate))
        .fallback(console::console)
}
