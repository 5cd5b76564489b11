//! The door between listening and being ready: the server listens while the log is still replayed.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use locard_indexer::Problem;
use tokio::sync::Notify;
use tower::ServiceExt;

/// What shippers speak that throw a batch away when they are told to come back: their requests wait, unread, until there is an answer.
const WAITING: [&str; 3] = ["/es/", "/services/", "/loki/"];
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// Holds the routers once they can answer.
#[derive(Clone, Default)]
pub(super) struct Gate {
    opened: Arc<OnceLock<Opened>>,
    opening: Arc<Notify>,
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
        self.opening.notify_waiters();
    }

    /// Waits until the gate is open, not longer than this.
    async fn wait(&self, patience: Duration) {
        let opening = self.opening.notified();
        // Asked after the ear is open: a gate that opens in between is heard.
        if self.opened.get().is_none() && tokio::time::timeout(patience, opening).await.is_err() {
            tracing::warn!("a shipper waited for the log to be replayed, in vain");
        }
    }

    /// How many splits no search can read; nothing while the gate is closed.
    pub(super) fn unreadable(&self) -> Option<u64> {
        self.opened.get().map(|opened| (opened.unreadable)())
    }

    /// Answers with the routers, or with 503 while they cannot; to some, who would lose what they send, not at once.
    pub(super) async fn pass(self, request: Request) -> Response {
        let path = request.uri().path();
        if WAITING.iter().any(|waiting| path.starts_with(waiting)) {
            self.wait(PATIENCE).await;
        }
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::any;

    use super::*;

    fn ask(gate: &Gate, path: &str) -> impl Future<Output = u16> + use<> {
        let request = Request::post(path).body(Body::from("{}")).unwrap();
        let answer = gate.clone().pass(request);
        async move { answer.await.status().as_u16() }
    }

    #[tokio::test]
    async fn who_would_lose_what_it_sends_waits_and_others_are_told_at_once() {
        let gate = Gate::default();
        assert_eq!(ask(&gate, "/ingest/ndjson").await, 503);
        assert_eq!(ask(&gate, "/api/search").await, 503);
        let paths = ["/es/_bulk", "/es/", "/services/collector", "/loki/api/v1/push"];
        let waiting: Vec<_> = paths.iter().map(|path| tokio::spawn(ask(&gate, path))).collect();
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
        gate.open(Router::new().fallback(any(|| async { "here" })), || 0);
        for answer in waiting {
            assert_eq!(answer.await.unwrap(), 200);
        }
        assert_eq!(ask(&gate, "/es/_bulk").await, 200);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let gate = Gate::default();
        gate.wait(Duration::from_millis(1)).await;
        assert!(gate.opened.get().is_none());
    }
}
