//! [`Error`]: an error answer in Elasticsearch's own shape. Knows no search.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use locard_indexer::Problem;
use serde_json::{Map, Value as Json, json};

use super::answer;

/// An error answer: a status, a type that clients look for, one sentence.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    kind: &'static str,
    reason: String,
    more: Map<String, Json>,
    retry_after_seconds: Option<u32>,
}

impl Error {
    /// An error of this type.
    pub(crate) fn new(status: StatusCode, kind: &'static str, reason: impl Into<String>) -> Self {
        Self { status, kind, reason: reason.into(), more: Map::new(), retry_after_seconds: None }
    }

    /// 400: what was sent makes no sense here.
    pub(crate) fn illegal(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "illegal_argument_exception", reason)
    }

    /// 400: the body cannot be read.
    pub(crate) fn parsing(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parsing_exception", reason)
    }

    /// 400: Elasticsearch has it, Locard does not.
    pub(crate) fn unsupported(feature: &str) -> Self {
        let reason = format!("[{feature}] is not supported by Locard, see docs/elasticsearch.md");
        Self::new(StatusCode::BAD_REQUEST, "illegal_argument_exception", reason)
    }

    /// 404: there is no such index.
    pub(crate) fn no_index(name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "index_not_found_exception", format!("no such index [{name}]"))
            .with("index", name)
            .with("index_uuid", "_na_")
            .with("resource.id", name)
            .with("resource.type", "index_or_alias")
    }

    /// Adds a member beside type and reason.
    #[must_use]
    pub(crate) fn with(mut self, member: &str, value: impl Into<Json>) -> Self {
        self.more.insert(member.to_owned(), value.into());
        self
    }

    /// What went wrong, as the member `error` of an answer or of one of its items.
    pub(crate) fn cause(&self) -> Json {
        let mut cause = self.more.clone();
        cause.insert("type".into(), json!(self.kind));
        cause.insert("reason".into(), json!(self.reason));
        let root = Json::Object(cause.clone());
        if self.kind == "search_phase_execution_exception" {
            cause.entry("phase").or_insert(json!("query"));
            cause.entry("grouped").or_insert(json!(true));
            cause.entry("failed_shards").or_insert(json!([]));
        }
        cause.insert("root_cause".into(), json!([root]));
        Json::Object(cause)
    }

    /// The whole body.
    pub(crate) fn body(&self) -> Json {
        json!({"error": self.cause(), "status": self.status.as_u16()})
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        from_status(problem.status(), problem.detail())
    }
}

/// What a layer that does not know this face has refused.
pub(super) fn from_status(status: StatusCode, reason: &str) -> Error {
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "security_exception",
        StatusCode::NOT_FOUND => "resource_not_found_exception",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed_exception",
        StatusCode::PAYLOAD_TOO_LARGE => "content_too_large_exception",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type_header_exception",
        StatusCode::TOO_MANY_REQUESTS => "es_rejected_execution_exception",
        StatusCode::SERVICE_UNAVAILABLE => "cluster_block_exception",
        status if status.is_client_error() => "illegal_argument_exception",
        _ => "exception",
    };
    Error::new(status, kind, reason)
}

impl From<crate::search::Error> for Error {
    fn from(error: crate::search::Error) -> Self {
        use crate::search::Error as Search;
        match error {
            Search::Syntax(_) | Search::Pipe(_) | Search::Parameter { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "query_shard_exception", error.to_string())
            }
            Search::Busy { retry_after, .. } => {
                let mut answer = from_status(StatusCode::TOO_MANY_REQUESTS, &error.to_string());
                answer.retry_after_seconds = u32::try_from(retry_after.as_secs().max(1)).ok();
                answer
            }
            Search::NotFound => from_status(StatusCode::NOT_FOUND, &error.to_string()),
            Search::Unreadable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "no_shard_available_action_exception",
                error.to_string(),
            ),
            Search::Failed => {
                from_status(StatusCode::INTERNAL_SERVER_ERROR, "the search failed; the log says why")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = answer::json(self.status, &self.body());
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"security\" charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_cause_twice_as_clients_expect() {
        let body = Error::no_index("a").body();
        assert_eq!(body["status"], 404);
        assert_eq!(body["error"]["type"], "index_not_found_exception");
        assert_eq!(body["error"]["root_cause"][0]["reason"], "no such index [a]");
        assert_eq!(body["error"]["resource.id"], "a");
    }
}
