//! [`Indexer`]: the pipeline's handle.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use locard_event::{Event, Timestamp};
use locard_store::Split;
use locard_wire::{Ack, BatchId, Encoding};
use tokio::sync::broadcast;

use crate::{Principal, Tenant};

/// Limits and places, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Data directory: `wal/` and the store live under it.
    pub directory: PathBuf,
    /// Largest body after decompression, in bytes.
    pub max_decompressed_bytes: usize,
    /// Longest message; longer ones are cut and marked.
    pub max_line_bytes: usize,
    /// Most fields in one event; the rest is left out and marked.
    pub max_fields: usize,
    /// Seal a tenant's hot part at this many events.
    pub seal_events: usize,
    /// Seal the largest hot parts when all of them together hold this many bytes.
    pub hot_bytes: usize,
    /// Most bytes of batches that wait for the log; more are refused with 429.
    pub queue_bytes: usize,
    /// Size of one log segment.
    pub segment_bytes: u64,
    /// Seal what keeps the oldest segments when the log is larger than this.
    pub max_wal_bytes: u64,
    /// Merge when this many adjacent level-0 splits are there.
    pub merge_width: usize,
    /// Largest split a merge may make, in events.
    pub max_split_events: u64,
    /// Drop splits whose newest event is older than this.
    pub retain_for: Option<Duration>,
    /// Drop the oldest splits when all of them together are larger than this.
    pub retain_bytes: Option<u64>,
}

/// Through which door a body came: how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// OTLP logs, protobuf.
    Otlp,
    /// OTLP logs, JSON.
    OtlpJson,
    /// One JSON object a line.
    Ndjson {
        /// Names of the time member, tried in order.
        time_fields: Vec<String>,
        /// Names of the message member, tried in order.
        message_fields: Vec<String>,
        /// Members (or whole subtrees) that become stream labels.
        stream_fields: Vec<String>,
        /// `event.dataset` where the object has none.
        dataset: String,
        /// Keep the object as received in `event.original`.
        keep_original: bool,
    },
}

/// One body as received.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// How to read it.
    pub door: Door,
    /// How it is compressed.
    pub encoding: Encoding,
    /// Its name, if the sender gave one.
    pub batch: Option<BatchId>,
    /// The bytes.
    pub body: Bytes,
}

/// Why a delivery was refused. Nothing of it was accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body cannot be read; `line` is 1-based.
    #[error("{reason}")]
    Malformed {
        /// Which line, where there are lines.
        line: Option<u64>,
        /// What is wrong.
        reason: String,
    },
    /// It expands beyond the limit.
    #[error("the body expands to more than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// Too much is waiting; try again after this.
    #[error("too many batches are waiting")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The disk of the log is full.
    #[error("the disk of the write-ahead log is full")]
    NoSpace,
    /// The log cannot be written or synced.
    #[error("the write-ahead log failed")]
    Log(#[source] std::io::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] locard_store::Error),
    /// The indexer is shutting down.
    #[error("shutting down")]
    Closed,
}

/// What one tenant's events are at one instant: every acked event is in exactly one of the two parts.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Acked, not yet in a split: batches in sequence order, events within them too.
    pub hot: Vec<Arc<[Event]>>,
    /// Published splits, in sequence order.
    pub splits: Vec<Split>,
    /// Splits the catalog knows and this node cannot read, with the reason: answers are incomplete.
    pub unreadable: Vec<(uuid::Uuid, String)>,
}

/// How the indexer is doing.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Events in hot parts.
    pub hot_events: u64,
    /// Bytes in hot parts.
    pub hot_bytes: u64,
    /// Published splits.
    pub splits: u64,
    /// Events in them.
    pub split_events: u64,
    /// Bytes in them.
    pub split_bytes: u64,
    /// Log segments.
    pub wal_segments: u64,
    /// Bytes in them.
    pub wal_bytes: u64,
    /// Why batches are refused now, if they are.
    pub refusing: Option<String>,
    /// Earliest and latest filed time held, over all tenants.
    pub filed: Option<(Timestamp, Timestamp)>,
}

/// The pipeline's handle.
#[derive(Debug)]
pub struct Indexer {}

impl Indexer {
    /// Opens the store, replays the log, starts the stages.
    ///
    /// # Errors
    /// The data directory cannot be used or another process uses it.
    pub async fn open(_settings: Settings) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self {}))
    }

    /// Accepts a delivery. When this returns `Ok`, its events are on disk (fdatasync) and in every later [`Indexer::view`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ingest(&self, _principal: &Principal, _delivery: Delivery) -> Result<Ack, Error> {
        Ok(Ack::default())
    }

    /// The tenant's events now.
    pub fn view(&self, _tenant: &Tenant) -> View {
        View::default()
    }

    /// The tap: batches of the tenant accepted from now on, once they are durable. A receiver that lags is told how many it missed.
    pub fn subscribe(&self, _tenant: &Tenant) -> broadcast::Receiver<Arc<[Event]>> {
        broadcast::channel(1).1
    }

    /// Returns when everything acked before the call is in splits, merged, and the log released.
    ///
    /// # Errors
    /// The store failed.
    pub async fn seal(&self) -> Result<(), Error> {
        Ok(())
    }

    /// How it is doing.
    pub fn status(&self) -> Status {
        Status::default()
    }

    /// Stops taking deliveries, finishes those under way, stops the stages.
    pub async fn close(&self) {}
}
