//! Metrics of the HTTP layer, and `/metrics`, which puts those of every part together.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use locard_indexer::{Permission, Principal, Problem};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    /// The first digit decides what it means; the exact code is one of a few dozen.
    status: u16,
}

/// Metrics of the HTTP layer.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    requests: Family<Labels, Counter>,
    seconds: Histogram,
    pub(super) connections: Gauge,
    pub(super) refused_connections: Counter,
    pub(super) refused_handshakes: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            connections: Gauge::default(),
            refused_connections: Counter::default(),
            refused_handshakes: Counter::default(),
        }
    }
}

impl Metrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let http = registry.sub_registry_with_prefix("http");
        http.register("requests", "Requests by the status of their answer", self.requests.clone());
        let help = "Time from the head of a request to the head of its answer";
        http.register_with_unit("duration", help, Unit::Seconds, self.seconds.clone());
        http.register("connections", "Connections open now", self.connections.clone());
        let help = "Connections that were closed because their address had its share already";
        http.register("refused_connections", help, self.refused_connections.clone());
        let help = "Connections that were closed because the TLS handshake failed or took too long";
        http.register("refused_handshakes", help, self.refused_handshakes.clone());
    }

    pub(super) fn answered(&self, status: StatusCode, took: Duration) {
        self.requests.get_or_create(&Labels { status: status.as_u16() }).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

/// `/metrics`: needs the permission `admin`, for its numbers are those of all tenants, whatever filter a credential has.
pub(super) async fn show(State(registry): State<Arc<Registry>>, principal: Principal) -> Response {
    if let Err(problem) = principal.require(Permission::Admin) {
        return problem.into_response();
    }
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be shown").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_in_the_manual() {
        let manual = include_str!("../../../docs/metrics.md");
        let mut registry = Registry::with_prefix("locard");
        let metrics = Metrics::default();
        metrics.register(&mut registry);
        metrics.answered(StatusCode::OK, Duration::ZERO);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let samples = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next());
        let mut names: Vec<&str> = samples
            .map(|name| name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count"))
            .collect();
        names.dedup();
        assert!(names.len() >= 4, "{names:?}");
        for name in names {
            assert!(manual.contains(&format!("`{name}`")), "{name} is not in docs/metrics.md");
        }
    }
}
