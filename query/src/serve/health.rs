//! `/health/live` and `/health/ready`: open to everybody, say nothing but yes or no.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::gate::{Gate, starting};

/// The process runs.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// The log is replayed and a search would be complete.
pub(super) async fn ready(State(gate): State<Gate>) -> Response {
    if gate.is_open() { "ready\n".into_response() } else { starting() }
}
