//! Batches of events to OTLP logs and back; Loki's push requests; compression with a cap; batch ids and acks.
//!
//! Does not know HTTP, files or indexes. The OTLP types stay inside.

mod answer;
mod batch;
mod compression;
mod loki;
mod otlp;

pub use answer::{Partial, decode_answer, encode_answer, encode_answer_json};
pub use batch::{Ack, BatchId, ParseBatchIdError, Rejected};
pub use compression::{CompressionError, Encoding, compress, decompress, decompress_within};
pub use loki::{LokiEntry, decode_loki};
pub use otlp::{DecodeError, MAX_NESTED, MAX_RECORDS, decode, decode_json, encode, time_known};

/// The header that carries a [`BatchId`].
pub const BATCH_HEADER: &str = "x-locard-batch";

/// The header of an answer to a batch that was known already: nothing was added now. Its value is `true`.
pub const REPEATED_HEADER: &str = "x-locard-repeated";
