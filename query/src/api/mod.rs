//! The HTTP API under `/api`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use locard_indexer::Indexer;
use tokio_util::sync::CancellationToken;

use crate::search::Metrics;

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
    /// Most live tails at once; more are refused with 429.
    pub tails: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            memory_bytes: 256 << 20,
            concurrency: 8,
            max_limit: 10_000,
            tails: 64,
        }
    }
}

/// What every handler can reach.
#[derive(Clone, Debug)]
pub struct Context {
    /// The events.
    pub indexer: Arc<Indexer>,
    /// The limits.
    pub limits: Limits,
    /// What searches cost; the server registers it.
    pub metrics: Metrics,
    /// Fires when the server begins to shut down, so that live tails end.
    pub shutdown: CancellationToken,
    /// How long and how much is kept, for `/api/status`.
    pub retention: Retention,
}

/// What `/api/status` says about retention; nothing means for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    /// Splits whose newest event is older than this are dropped.
    pub age: Option<Duration>,
    /// The oldest splits are dropped when all of them together are larger than this.
    pub bytes: Option<u64>,
}

/// The query server's routes. The caller's layers put a [`locard_indexer::Principal`] into every request.
pub fn router(_context: Context) -> Router {
    Router::new()
}
