//! Events to `ExportLogsServiceRequest` and back. The mapping is the table in `docs/otlp.md`.

mod decode;
mod encode;
mod json;
mod name;
mod record;
#[cfg(test)]
mod tests;
mod value;
mod walk;

pub use decode::{decode, decode_json, time_known};
pub use encode::encode;
pub(crate) use walk::each;

/// Most records in one request. A record costs two bytes on the wire and hundreds in memory, so a limit on bytes is not enough.
pub const MAX_RECORDS: usize = 1 << 20;

/// Most messages (attributes, list elements) inside one record or resource, for the same reason.
pub const MAX_NESTED: usize = 1 << 18;

/// The body was no OTLP logs request.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not protobuf of that message.
    #[error("not an OTLP logs request in protobuf: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// Not JSON of that message.
    #[error("not an OTLP logs request in JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// More parts than a request may have.
    #[error("the request holds more than {limit} {noun}; send smaller batches")]
    TooMany {
        /// Of what.
        noun: &'static str,
        /// The limit.
        limit: usize,
    },
}
