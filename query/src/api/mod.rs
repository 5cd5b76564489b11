//! The HTTP API under `/api`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use locard_indexer::Indexer;

/// Limits of searches, resolved.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest a search may run.
    pub deadline: Duration,
    /// Most memory one search may hold, in bytes.
    pub memory_bytes: usize,
    /// Most searches at once; more are refused with 429.
    pub concurrency: usize,
    /// Largest `limit`.
    pub max_limit: usize,
}

/// What every handler can reach.
#[derive(Clone, Debug)]
pub struct Context {
    /// The events.
    pub indexer: Arc<Indexer>,
    /// The limits.
    pub limits: Limits,
}

/// The query server's routes. The caller's layers put a [`locard_indexer::Principal`] into every request.
pub fn router(_context: Context) -> Router {
    Router::new()
}
