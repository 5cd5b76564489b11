//! The HTTP API under `/api`.

mod json;
mod params;
mod problem;
mod search;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use locard_indexer::Indexer;
use tokio_util::sync::CancellationToken;

use crate::search::{Metrics, Searcher};

pub use crate::search::Limits;

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

/// Largest body of a search by POST, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The query server's routes. The caller's layers put a [`locard_indexer::Principal`] into every request.
pub fn router(context: Context) -> Router {
    let Context { indexer, limits, metrics, .. } = context;
    let searcher = Searcher::new(indexer, limits, metrics);
    Router::new()
        .route("/api/search", get(search::search).post(search::search))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(searcher)
}
