//! Answers of this face: `X-Elastic-Product` on every one, media types as asked, `filter_path` and `pretty`.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value as Json;

use super::error::from_status;
use super::filter_path;
use super::params::Params;

/// Clients of 7.17 and later talk only to servers that send it.
const PRODUCT: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-elastic-product"), HeaderValue::from_static("Elasticsearch"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The most of another layer's error that is read.
const MAX_PROBLEM_BYTES: usize = 64 << 10;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &Json) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

/// A JSON answer that is good.
pub(crate) fn ok(body: &Json) -> Response {
    json(StatusCode::OK, body)
}

/// A text answer, as of `_cat`.
pub(crate) fn text(body: String) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=UTF-8");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// Whether a path is of this face.
fn is_ours(path: &str) -> bool {
    path == "/es" || path.starts_with("/es/")
}

/// Layer around everything else: dresses answers below `/es`, whoever made them. Other paths pass untouched.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    if !is_ours(request.uri().path()) {
        return next.run(request).await;
    }
    let accept = accepted(request.headers());
    let params = Params::of(request.uri()).unwrap_or_default();
    let response = next.run(request).await;
    let mut response = reshape(rewrite_problem(response).await, &params).await;
    let headers = response.headers_mut();
    headers.insert(PRODUCT.0, PRODUCT.1);
    if let Some(accept) = accept
        && headers.get(header::CONTENT_TYPE) == Some(&JSON)
    {
        headers.insert(header::CONTENT_TYPE, accept);
    }
    response
}

/// The vendor media type that the client asks for, to be answered alike: `application/vnd.elasticsearch+json;compatible-with=8`.
fn accepted(headers: &HeaderMap) -> Option<HeaderValue> {
    let text = headers.get(header::ACCEPT)?.to_str().ok()?;
    let version = text.split(',').find_map(|kind| {
        let (kind, version) = kind.split_once(';')?;
        let vendor = kind.trim().eq_ignore_ascii_case("application/vnd.elasticsearch+json");
        let version = version.trim().strip_prefix("compatible-with=")?;
        (vendor && matches!(version, "7" | "8" | "9")).then_some(version)
    })?;
    HeaderValue::from_str(&format!("application/vnd.elasticsearch+json;compatible-with={version}")).ok()
}

/// Turns an error of a layer outside into one of this face.
async fn rewrite_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_foreign = kind.is_none_or(|kind| {
        kind.as_bytes().starts_with(b"application/problem+json") || kind.as_bytes().starts_with(b"text/plain")
    });
    if !is_foreign || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, MAX_PROBLEM_BYTES).await.unwrap_or_default();
    let reason = match serde_json::from_slice::<Json>(&bytes) {
        Ok(problem) => problem.get("detail").and_then(Json::as_str).unwrap_or_default().to_owned(),
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let mut error = from_status(status, &reason).into_response();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            error.headers_mut().insert(name, value.clone());
        }
    }
    *error.extensions_mut() = parts.extensions;
    error
}

/// Applies `filter_path` and `pretty`, which every API takes.
async fn reshape(response: Response, params: &Params) -> Response {
    let (paths, pretty) = (params.list("filter_path"), params.flag("pretty"));
    if (paths.is_empty() && !pretty) || response.headers().get(header::CONTENT_TYPE) != Some(&JSON) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return from_status(StatusCode::INTERNAL_SERVER_ERROR, "the answer broke off").into_response();
    };
    let Ok(mut value) = serde_json::from_slice::<Json>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    if !paths.is_empty() {
        value = filter_path::keep(value, &paths);
    }
    let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &'static str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        let got = accepted(&headers);
        assert_eq!(got.as_ref().map(|value| value.to_str().unwrap()), expected, "{accept}");
    }

    #[test]
    fn a_client_is_answered_in_its_own_version() {
        check(
            "application/vnd.elasticsearch+json; compatible-with=8",
            Some("application/vnd.elasticsearch+json;compatible-with=8"),
        );
        check(
            "application/vnd.elasticsearch+json;compatible-with=9,text/plain",
            Some("application/vnd.elasticsearch+json;compatible-with=9"),
        );
        check("application/json", None);
        check("application/vnd.elasticsearch+json; compatible-with=5", None);
    }
}
