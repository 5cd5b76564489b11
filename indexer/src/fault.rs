//! The one table from a refused delivery to an HTTP answer.

use http::StatusCode;

use crate::{Error, Problem};

/// Seconds after which a sender should try again when the cause is on this side.
const RETRY_SECONDS: u32 = 5;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Malformed { line: Some(line), reason } => {
                Self::new(StatusCode::BAD_REQUEST, reason).with("line", line)
            }
            Error::BadEvent { number, .. } => Self::new(StatusCode::BAD_REQUEST, text).with("event", number),
            Error::Malformed { line: None, reason } => Self::new(StatusCode::BAD_REQUEST, reason),
            Error::TooLarge { max_bytes } | Error::TooLong { max_bytes } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, text).with("max_bytes", max_bytes)
            }
            Error::TooMany { max_events } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, text).with("max_events", max_events)
            }
            Error::Busy { retry_after } => {
                let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX).max(1);
                Self::new(StatusCode::TOO_MANY_REQUESTS, text).retry_after(seconds)
            }
            Error::NoSpace => Self::new(StatusCode::INSUFFICIENT_STORAGE, text).retry_after(RETRY_SECONDS),
            Error::Store(locard_store::Error::NoSpace) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "the disk of the store is full")
                    .retry_after(RETRY_SECONDS)
            }
            Error::Log(_) | Error::Store(_) | Error::Closed => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, text).retry_after(RETRY_SECONDS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use std::time::Duration;

    #[track_caller]
    fn check(error: Error, status: u16, retry_after: Option<&str>) {
        let response = Problem::from(error).into_response();
        assert_eq!(response.status().as_u16(), status);
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(header, retry_after);
    }

    #[test]
    fn every_refusal_has_its_status() {
        check(Error::Malformed { line: Some(3), reason: "no".into() }, 400, None);
        check(Error::TooLarge { max_bytes: 1 }, 413, None);
        check(Error::TooLong { max_bytes: 1 }, 413, None);
        check(Error::TooMany { max_events: 1 }, 413, None);
        check(Error::Busy { retry_after: Duration::from_millis(10) }, 429, Some("1"));
        check(Error::NoSpace, 507, Some("5"));
        check(Error::Store(locard_store::Error::NoSpace), 507, Some("5"));
        check(Error::Store(locard_store::Error::NotFound), 503, Some("5"));
        check(Error::Log(std::io::Error::other("x")), 503, Some("5"));
        check(Error::Closed, 503, Some("5"));
    }
}
