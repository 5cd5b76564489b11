//! `/health/live` and `/health/ready`: open to everybody, say yes or no, and why not.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use locard_indexer::Problem;

use super::gate::{Gate, starting};

/// The process runs.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// The log is replayed and a search would be complete.
pub(super) async fn ready(State(gate): State<Gate>) -> Response {
    match gate.unreadable() {
        None => starting(),
        Some(0) => "ready\n".into_response(),
        Some(count) => incomplete(count),
    }
}

/// The server answers, but not with everything it was given.
fn incomplete(unreadable: u64) -> Response {
    let detail = format!(
        "searches are incomplete: {unreadable} splits cannot be read; the server's log names them and says why"
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        .with("unreadable_splits", unreadable)
        .into_response()
}
