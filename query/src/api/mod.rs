//! The HTTP API under `/api`.

mod entity;
mod event;
mod export;
mod fields;
mod holds;
mod lines;
mod lookups;
mod openapi;
mod params;
mod problem;
mod saved;
mod search;
mod status;
mod tail;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use http::HeaderValue;
use locard_indexer::Indexer;
use tokio_util::sync::CancellationToken;

use crate::pipe::MAX_LOOKUP_BYTES;
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
}

/// Largest body of a search by POST, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;

/// What handlers share. Cheap to clone.
#[derive(Clone, Debug)]
struct Api {
    searcher: Searcher,
    shutdown: CancellationToken,
    started: Instant,
    manifests: export::Manifests,
}

/// The query server's routes. The caller's layers put a [`locard_indexer::Principal`] into every request.
pub fn router(context: Context) -> Router {
    let Context { indexer, limits, metrics, shutdown } = context;
    let searcher = Searcher::new(indexer, limits, metrics);
    let elastic = crate::es::router(searcher.clone());
    let api = Api { searcher, shutdown, started: Instant::now(), manifests: export::Manifests::default() };
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    router.layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(api).merge(elastic)
}

/// The routes, in one table that the API's description is held against.
fn routes() -> Vec<(&'static str, MethodRouter<Api>)> {
    vec![
        ("/api/search", get(search::search).post(search::search)),
        ("/api/export", get(export::export).post(export::export)),
        ("/api/export/{id}/manifest", get(export::manifest)),
        ("/api/entity", get(entity::entity)),
        ("/api/tail", get(tail::tail)),
        ("/api/events/{id}", get(event::event)),
        ("/api/events/{id}/context", get(event::context)),
        ("/api/fields", get(fields::fields)),
        ("/api/fields/{name}/values", get(fields::values)),
        ("/api/holds", get(holds::list).post(holds::place)),
        ("/api/holds/{name}/release", post(holds::release)),
        ("/api/lookups", get(lookups::list)),
        (
            "/api/lookups/{name}",
            get(lookups::read)
                .put(lookups::write)
                .delete(lookups::delete)
                .layer(DefaultBodyLimit::max(MAX_LOOKUP_BYTES)),
        ),
        ("/api/searches", get(saved::list)),
        ("/api/searches/{name}", get(saved::read).put(saved::write).delete(saved::delete)),
        ("/api/status", get(status::status)),
        ("/api/openapi.json", get(openapi::openapi)),
    ]
}

/// Text that a header cannot hold is shown as one can.
fn header_text(text: &str) -> HeaderValue {
    let ascii: String =
        text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    HeaderValue::from_str(&ascii).unwrap_or(HeaderValue::from_static("?"))
}
