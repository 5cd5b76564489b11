//! The door between listening and being ready: the server listens while the log is still replayed.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use locard_indexer::Problem;
use tower::ServiceExt;

/// Holds the routers once they can answer.
#[derive(Clone, Default)]
pub(super) struct Gate {
    opened: Arc<OnceLock<Opened>>,
}

/// What there is once the gate is open.
struct Opened {
    router: Router,
    unreadable: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Gate {
    /// Lets requests through from now on. `unreadable` tells how many splits no search can read.
    pub(super) fn open(&self, router: Router, unreadable: impl Fn() -> u64 + Send + Sync + 'static) {
        if self.opened.set(Opened { router, unreadable: Box::new(unreadable) }).is_err() {
            tracing::error!("the server was made ready twice");
        }
    }

    /// How many splits no search can read; nothing while the gate is closed.
    pub(super) fn unreadable(&self) -> Option<u64> {
        self.opened.get().map(|opened| (opened.unreadable)())
    }

    /// Answers with the routers, or with 503 while they cannot.
    pub(super) async fn pass(self, request: Request) -> Response {
        match self.opened.get() {
            Some(opened) => match opened.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            None => starting(),
        }
    }
}

/// The answer to everything while the log is replayed.
pub(super) fn starting() -> Response {
    let detail = "starting: the write-ahead log is being replayed";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1).into_response()
}
