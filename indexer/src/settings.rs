//! [`Settings`]: limits and places, resolved. Does not read configuration files.

use std::path::PathBuf;

use crate::Retention;

/// The greatest `max_body_bytes`: a batch is one frame of the log, which has room for this and for what stands before the body.
pub const MAX_BODY_BYTES: usize = (1 << 30) - (1 << 20);

/// Limits and places, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Data directory: `wal/` and the store live under it.
    pub directory: PathBuf,
    /// Largest body on the wire, in bytes; beyond [`MAX_BODY_BYTES`] they are refused all the same.
    pub max_body_bytes: usize,
    /// Largest body after decompression, in bytes.
    pub max_decompressed_bytes: usize,
    /// Most events in one body.
    pub max_batch_events: usize,
    /// Longest message; longer ones are cut and marked.
    pub max_line_bytes: usize,
    /// Most fields in one event; the rest is left out and marked.
    pub max_fields: usize,
    /// Longest name of a field; fields with longer ones are left out and marked.
    pub max_name_bytes: usize,
    /// Most labels of a stream; the rest become fields.
    pub max_labels: usize,
    /// Most bytes of a stream's labels, names and values together; what goes beyond becomes fields.
    pub max_label_bytes: usize,
    /// Seal a tenant's hot part at this many events.
    pub seal_events: usize,
    /// Most memory for what was decoded of splits.
    pub cache_bytes: u64,
    /// Seal the largest hot parts when all of them together hold this many bytes. Beyond, senders wait a while; at twice as many,
    /// batches are refused with 429: sealing does not keep up, or fails.
    pub hot_bytes: usize,
    /// Most bytes of bodies that are read, expanded or wait for the log; more are refused with 429.
    pub queue_bytes: usize,
    /// Most bytes of answers held in memory to recognise repeated batches; older ones are looked up in the catalog.
    pub dedupe_bytes: usize,
    /// Size of one log segment.
    pub segment_bytes: u64,
    /// Seal what keeps the oldest segments when the log is larger than this.
    pub max_wal_bytes: u64,
    /// Merge when this many adjacent level-0 splits are there.
    pub merge_width: usize,
    /// Largest split a merge may make, in events.
    pub max_split_events: u64,
    /// How long and how much is kept.
    pub retention: Retention,
}

impl Settings {
    /// The defaults, with this data directory.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            max_body_bytes: 16 << 20,
            max_decompressed_bytes: 64 << 20,
            max_batch_events: 1_000_000,
            max_line_bytes: 1 << 20,
            max_fields: 1_000,
            max_name_bytes: 1 << 10,
            max_labels: 128,
            max_label_bytes: 16 << 10,
            seal_events: 65_536,
            cache_bytes: 256 << 20,
            hot_bytes: 96 << 20,
            queue_bytes: 128 << 20,
            dedupe_bytes: 256 << 20,
            segment_bytes: 64 << 20,
            max_wal_bytes: 1 << 30,
            merge_width: 16,
            max_split_events: 5_000_000,
            retention: Retention::default(),
        }
    }
}
