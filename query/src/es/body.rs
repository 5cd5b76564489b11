//! Bodies of requests: JSON and lines of JSON, compressed or not.

use axum::body::Bytes;
use http::{HeaderMap, StatusCode, header};
use locard_wire::{CompressionError, Encoding, decompress};
use serde_json::Value as Json;

use super::error::{Error, from_status};

/// Largest body of a search, decompressed, in bytes.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// The body as it was before it was compressed.
pub(super) fn plain(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Error> {
    let encoding =
        headers.get(header::CONTENT_ENCODING).map_or(Ok(""), |value| value.to_str()).unwrap_or("?");
    let unknown = || {
        let reason = format!("Content-Encoding [{encoding}] is not supported");
        from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, &reason)
    };
    let encoding = Encoding::parse(encoding).ok_or_else(unknown)?;
    if encoding == Encoding::Identity && body.len() <= MAX_BYTES {
        return Ok(body);
    }
    let plain = decompress(&body, encoding, MAX_BYTES);
    plain.map(Bytes::from).map_err(|error| match error {
        CompressionError::TooLarge { .. } => from_status(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string()),
        _ => Error::illegal(format!("the body cannot be read: {error}")),
    })
}

/// The body as JSON; nothing if it is empty.
pub(super) fn json(headers: &HeaderMap, body: Bytes) -> Result<Option<Json>, Error> {
    let plain = plain(headers, body)?;
    if plain.trim_ascii().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&plain).map(Some).map_err(|error| bad(&error))
}

/// The answer to a body that is no JSON.
pub(super) fn bad(error: &serde_json::Error) -> Error {
    Error::new(StatusCode::BAD_REQUEST, "parse_exception", format!("Failed to parse request body: {error}"))
}
