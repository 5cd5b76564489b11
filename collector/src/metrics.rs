//! [`Metrics`]: what the collector counts. Conservation: `read_events = shipped + dropped + in flight`, exactly.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Why something was dropped, rotated or lost: a closed set, so that the label is bounded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    reason: &'static str,
}

/// One counter per reason.
pub type ByReason = Family<Reason, Counter>;

/// Everything the collector counts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Raw bytes that were taken from sources.
    pub read_bytes: Counter,
    /// Events made of them.
    pub read_events: Counter,
    /// Events that an indexer acknowledged.
    pub shipped_events: Counter,
    /// Compressed bytes that an indexer acknowledged.
    pub shipped_bytes: Counter,
    /// Events that were not shipped: `rule`, `refused`, `rejected`, `changed`.
    pub dropped_events: ByReason,
    /// Events that were read and are neither shipped nor dropped yet.
    pub in_flight_events: Gauge,
    /// Batches that an indexer acknowledged.
    pub batches: Counter,
    /// Tries that failed and were repeated: `connect`, `timeout`, `busy`, `server`, `auth`, `other`.
    pub retries: ByReason,
    /// Rotations seen: `rename`, `truncate`, `copy`.
    pub rotations: ByReason,
    /// Times that bytes may have been lost before they were read: `truncated`, `deleted`, `gzip`, `journal`.
    pub gaps: ByReason,
    /// Bytes known to be lost in gaps.
    pub gap_bytes: ByReason,
    /// Lines cut at `max_line_bytes`.
    pub cut_lines: Counter,
    /// Bytes written to sources and not read yet.
    pub lag_bytes: Gauge,
    /// Bytes on disk that deleted files take because they are held open.
    pub held_deleted_bytes: Gauge,
    /// Files being followed.
    pub files: Gauge,
    /// Failed reads of files and directories.
    pub read_errors: Counter,
    /// Failed writes of the state.
    pub state_errors: Counter,
}

/// Adds to the counter of one reason.
pub fn count(family: &ByReason, reason: &'static str, by: u64) {
    family.get_or_create(&Reason { reason }).inc_by(by);
}

/// The counter of one reason.
pub fn value(family: &ByReason, reason: &'static str) -> u64 {
    family.get_or_create(&Reason { reason }).get()
}

impl Metrics {
    /// Adds every metric to `registry` as `locard_collector_…`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("locard_collector");
        registry.register("read_bytes", "Raw bytes taken from sources", self.read_bytes.clone());
        registry.register("read_events", "Events read", self.read_events.clone());
        registry.register("shipped_events", "Events an indexer acknowledged", self.shipped_events.clone());
        registry.register("shipped_bytes", "Compressed bytes acknowledged", self.shipped_bytes.clone());
        registry.register("dropped_events", "Events not shipped, by reason", self.dropped_events.clone());
        registry.register("in_flight_events", "Events read, not settled", self.in_flight_events.clone());
        registry.register("batches", "Batches an indexer acknowledged", self.batches.clone());
        registry.register("retries", "Failed tries, by reason", self.retries.clone());
        registry.register("rotations", "Rotations seen, by kind", self.rotations.clone());
        registry.register("gaps", "Times that bytes may have been lost unread", self.gaps.clone());
        registry.register("gap_bytes", "Bytes known to be lost unread", self.gap_bytes.clone());
        registry.register("cut_lines", "Lines cut at max_line_bytes", self.cut_lines.clone());
        registry.register("lag_bytes", "Bytes written and not read yet", self.lag_bytes.clone());
        let held = self.held_deleted_bytes.clone();
        registry.register("held_deleted_bytes", "Bytes of deleted files that are held open", held);
        registry.register("files", "Files being followed", self.files.clone());
        registry.register("read_errors", "Failed reads of files and directories", self.read_errors.clone());
        registry.register("state_errors", "Failed writes of the state", self.state_errors.clone());
    }
}
