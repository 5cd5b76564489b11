//! The door between listening and being ready: the server listens while the log is still replayed.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use locard_indexer::Problem;
use tower::ServiceExt;

/// Holds the routers once they can answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    router: Arc<OnceLock<Router>>,
}

impl Gate {
    /// Lets requests through from now on.
    pub(super) fn open(&self, router: Router) {
        if self.router.set(router).is_err() {
            tracing::error!("the server was made ready twice");
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.router.get().is_some()
    }

    /// Answers with the routers, or with 503 while they cannot.
    pub(super) async fn pass(self, request: Request) -> Response {
        match self.router.get() {
            Some(router) => match router.clone().oneshot(request).await {
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
