//! [`Batch`]: events under one id, encoded and compressed. Pure.

use locard_event::Event;
use locard_filter::Matcher;
use locard_wire::BatchId;

/// What is sent at once.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Makes a repeat harmless.
    pub(crate) id: BatchId,
    /// How many events.
    pub(crate) events: u64,
    /// OTLP logs in protobuf, zstd.
    pub(crate) body: bytes::Bytes,
}

/// Takes out the events that a drop rule matches; answers how many.
pub(crate) fn drop_matching(events: &mut Vec<Event>, rules: &[Matcher]) -> u64 {
    let before = events.len();
    if !rules.is_empty() {
        events.retain(|event| !rules.iter().any(|rule| rule.matches(event)));
    }
    (before - events.len()) as u64
}

impl Batch {
    /// Encodes and compresses.
    ///
    /// # Errors
    /// The compressor failed, which only a lack of memory can cause.
    pub(crate) fn new(id: BatchId, events: &[Event]) -> std::io::Result<Self> {
        let body = locard_wire::compress(&locard_wire::encode(events))?.into();
        Ok(Self { id, events: events.len() as u64, body })
    }
}
