//! The console's files under `/`. They hold no data, so they need no credential.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// First parts of paths that belong to programs: what is not there is 404, not the console.
const RESERVED: [&str; 10] =
    ["api", "v1", "ingest", "es", "services", "loki", "prometheus", "hawkular", "metrics", "health"];

/// Whether programs ask for such paths to learn how a server is: they must not take the console for "well".
fn is_probe(first: &str) -> bool {
    let guess = first.trim_start_matches('-');
    ["health", "ready", "live", "ping"].iter().any(|probe| guess.starts_with(probe)) || first == "-"
}

/// Answers whatever no other route took.
pub(super) async fn console(request: Request) -> Response {
    let path = request.uri().path();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match locard_ui::asset(path).filter(|_| reads && !RESERVED.contains(&first) && !is_probe(first)) {
        Some(asset) => answer(asset, request.headers()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(asset: locard_ui::Asset, headers: &HeaderMap) -> Response {
    // Weak, because the layer above may compress what it names.
    let etag = format!("W/{}", asset.etag);
    let known = has_etag(headers, &asset.etag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response =
            axum::body::Body::from(axum::body::Bytes::from(asset.bytes.into_owned())).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(asset.cache_control));
    if let Ok(etag) = etag.parse() {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// RFC 9110 §13.1.2: a list of tags, compared weakly, or `*`.
fn has_etag(headers: &HeaderMap, etag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
