//! [`until`]: answers that go on for as long as their token is valid, and no longer.
//!
//! A tail, or the lines of a long search, is let in once and then runs. What is whole already when its head is sent is let through.
//! Knows how a stream of its kind says that it ends early, and nothing else of what is in it.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::StreamExt as _;
use http::{HeaderMap, header};
use http_body_util::{BodyStream, StreamBody};
use hyper::body::{Body as _, Frame};
use locard_event::Timestamp;
use tokio::time::{Instant, Sleep};

const BECAUSE: &str = "the token has expired";

/// Ends the answer at that time. Not as if that were its own end: a part must not be taken for the whole.
pub(super) fn until(expires: Timestamp, now: Timestamp, response: Response) -> Response {
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    let left = u64::try_from(expires.nanos().saturating_sub(now.nanos())).unwrap_or_default();
    let farewell = Farewell::of(response.headers());
    response.map(|body| cut_after(Duration::from_nanos(left), farewell, body))
}

/// How an answer says that it ends early.
#[derive(Clone, Copy, Debug)]
enum Farewell {
    /// A tail has a frame for it, and then ends in order.
    Frame,
    /// A line that is no event; then the connection breaks, for who does not read it.
    Line,
    /// The connection breaks.
    Silence,
}

impl Farewell {
    fn of(headers: &HeaderMap) -> Self {
        let is_plain = |coding: &http::HeaderValue| coding == "identity";
        if !headers.get(header::CONTENT_ENCODING).is_none_or(is_plain) {
            return Self::Silence;
        }
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "text/event-stream" => Self::Frame,
            "application/x-ndjson" => Self::Line,
            _ => Self::Silence,
        }
    }

    fn words(self) -> Option<Bytes> {
        let text = match self {
            Self::Frame => format!("event: end\ndata: {{\"because\":\"{BECAUSE}\"}}\n\n"),
            Self::Line => format!("{{\"incomplete_because\":\"{BECAUSE}\"}}\n"),
            Self::Silence => return None,
        };
        Some(text.into())
    }
}

/// Where an answer stands.
enum Stage {
    Open(Open),
    /// Its last words are said, and it is to break.
    Breaking,
    Over,
}

struct Open {
    end: Pin<Box<Sleep>>,
    frames: BodyStream<Body>,
    farewell: Farewell,
}

fn cut_after(left: Duration, farewell: Farewell, body: Body) -> Body {
    let end = Box::pin(tokio::time::sleep(left));
    let open = Stage::Open(Open { end, frames: BodyStream::new(body), farewell });
    Body::new(StreamBody::new(futures_util::stream::unfold(open, step)))
}

async fn step(stage: Stage) -> Option<(io::Result<Frame<Bytes>>, Stage)> {
    match stage {
        Stage::Open(open) => open.step().await,
        Stage::Breaking => {
            // What was said goes out before the connection breaks.
            tokio::task::yield_now().await;
            Some((Err(io::Error::other(BECAUSE)), Stage::Over))
        }
        Stage::Over => None,
    }
}

impl Open {
    async fn step(mut self) -> Option<(io::Result<Frame<Bytes>>, Stage)> {
        // A stream that never pauses keeps the timer from being driven: the clock is asked too.
        if Instant::now() >= self.end.deadline() {
            return Some(self.part());
        }
        let frame = tokio::select! {
            biased;
            () = self.end.as_mut() => return Some(self.part()),
            frame = self.frames.next() => frame?,
        };
        Some((frame.map_err(io::Error::other), Stage::Open(self)))
    }

    fn part(self) -> (io::Result<Frame<Bytes>>, Stage) {
        match (self.farewell, self.farewell.words()) {
            (Farewell::Frame, Some(words)) => (Ok(Frame::data(words)), Stage::Over),
            (_, Some(words)) => (Ok(Frame::data(words)), Stage::Breaking),
            (_, None) => (Err(io::Error::other(BECAUSE)), Stage::Over),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    const SOON: i64 = 50_000_000;
    const SECOND: i64 = 1_000_000_000;
    const HOUR: i64 = 3_600 * SECOND;

    /// What came, and whether it came to its end.
    async fn read(left: i64, kind: &str, body: Body) -> (String, bool) {
        let now = Timestamp::from_seconds(100);
        let expires = Timestamp::from_nanos(now.nanos() + left);
        let response = ([(header::CONTENT_TYPE, kind)], body).into_response();
        let mut pieces = until(expires, now, response).into_body().into_data_stream();
        let mut text = String::new();
        let whole = tokio::time::timeout(Duration::from_secs(20), async {
            while let Some(piece) = pieces.next().await {
                let Ok(piece) = piece else { return false };
                text.push_str(std::str::from_utf8(&piece).unwrap());
            }
            true
        });
        let whole = whole.await.expect("it went on");
        (text, whole)
    }

    fn pieces() -> Body {
        Body::from_stream(futures_util::stream::iter(["a", "b"].map(io::Result::Ok)))
    }

    fn silence() -> Body {
        Body::from_stream(futures_util::stream::pending::<io::Result<&str>>())
    }

    fn flood() -> Body {
        Body::from_stream(futures_util::stream::repeat_with(|| io::Result::Ok("")))
    }

    #[tokio::test]
    async fn a_stream_ends_when_the_token_expires_and_says_so() {
        for (kind, words, whole) in [
            ("text/event-stream", "event: end\ndata: {\"because\":\"the token has expired\"}\n\n", true),
            ("application/x-ndjson", "{\"incomplete_because\":\"the token has expired\"}\n", false),
            ("text/plain", "", false),
        ] {
            for left in [-SECOND, 0, SOON] {
                for body in [silence(), flood()] {
                    assert_eq!(read(left, kind, body).await, (words.to_owned(), whole), "{kind} {left}");
                }
            }
            assert_eq!(read(HOUR, kind, pieces()).await, ("ab".to_owned(), true));
            assert_eq!(read(-SECOND, kind, Body::from("whole")).await, ("whole".to_owned(), true));
        }
    }
}
