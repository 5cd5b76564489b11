//! The table from a search's error to an HTTP answer.

use http::StatusCode;
use locard_filter::SyntaxError;
use locard_indexer::Problem;
use serde_json::json;

use crate::pipe::PipeError;
use crate::search::Error;

/// The answer to a search that has none. `text` is the query, to count positions in the units clients count in.
pub(super) fn problem(error: Error, text: &str) -> Problem {
    match error {
        Error::Syntax(error) => syntax(&error, text),
        Error::Pipe(PipeError::Filter(error)) => syntax(&error, text),
        Error::Pipe(error) => {
            let detail = error.to_string();
            Problem::new(StatusCode::BAD_REQUEST, detail).with("parameter", "q").with("hint", error.hint())
        }
        Error::Parameter { name, reason, hint } => {
            Problem::new(StatusCode::BAD_REQUEST, reason).with("parameter", name).with("hint", hint)
        }
        Error::Busy { what, retry_after } => {
            let seconds = u32::try_from(retry_after.as_secs().max(1)).unwrap_or(u32::MAX);
            let detail = format!("too many {what} are running");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(seconds)
        }
        Error::NotFound => Problem::new(StatusCode::NOT_FOUND, "there is no such event"),
        Error::Unreadable(reason) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason).retry_after(30),
        Error::Failed => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the search failed; the log says why")
        }
    }
}

/// `position` and `span` count bytes of the query in UTF-8, `utf16_span` counts as JavaScript strings do.
fn syntax(error: &SyntaxError, text: &str) -> Problem {
    let utf16 = |end: usize| -> usize {
        text.char_indices().take_while(|(at, _)| *at < end).map(|(_, c)| c.len_utf16()).sum()
    };
    let (start, end) = (error.span.start, error.span.end);
    let mut problem = Problem::new(StatusCode::BAD_REQUEST, error.message.clone())
        .with("parameter", "q")
        .with("position", start)
        .with("span", json!([start, end]))
        .with("utf16_span", json!([utf16(start), utf16(end)]));
    let hint = error.hint.clone().or_else(|| error.fix.as_ref().map(|fix| format!("write `{fix}`")));
    if let Some(hint) = hint {
        problem = problem.with("hint", hint);
    }
    if let Some(fix) = &error.fix {
        problem = problem.with("fix", fix.clone());
    }
    problem
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http_body_util::BodyExt;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn a_syntax_error_says_where_in_bytes_and_in_utf16() {
        let error = SyntaxError {
            span: 7..8,
            message: "a group is not closed".into(),
            hint: Some("add `)`".into()),
            fix: None,
        };
        let response = problem(Error::Syntax(error), "😀 é(x").into_response();
        assert_eq!(response.status(), 400);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["position"], 7);
        assert_eq!(body["utf16_span"], json!([4, 5]));
        assert_eq!(body["hint"], "add `)`");
        assert_eq!(body["detail"], "a group is not closed");
    }
}
