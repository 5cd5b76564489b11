//! What the indexer counts. Labels come from closed sets; nothing here names a tenant, a stream or a batch.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DoorLabels {
    door: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabels {
    reason: &'static str,
}

/// The indexer's counters. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) accepted: Family<DoorLabels, Counter>,
    pub(crate) rejected: Family<DoorLabels, Counter>,
    pub(crate) received_bytes: Family<DoorLabels, Counter>,
    pub(crate) refused: Family<ReasonLabels, Counter>,
    pub(crate) repeats: Counter,
    pub(crate) slowed: Counter,
    pub(crate) cut_values: Counter,
    pub(crate) left_out_fields: Counter,
    pub(crate) wal_bytes: Counter,
    pub(crate) wal_failures: Counter,
    pub(crate) wal_sync_seconds: Histogram,
    pub(crate) wal_damaged: Counter,
    pub(crate) wal_torn_bytes: Counter,
    pub(crate) lost: Counter,
    pub(crate) sealed: Counter,
    pub(crate) merged: Counter,
    pub(crate) retained_away: Counter,
    pub(crate) dropped_events: Counter,
    pub(crate) rewritten: Family<ReasonLabels, Counter>,
    pub(crate) stage_failures: Family<ReasonLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            accepted: Family::default(),
            rejected: Family::default(),
            received_bytes: Family::default(),
            refused: Family::default(),
            repeats: Counter::default(),
            slowed: Counter::default(),
            cut_values: Counter::default(),
            left_out_fields: Counter::default(),
            wal_bytes: Counter::default(),
            wal_failures: Counter::default(),
            wal_sync_seconds: Histogram::new(exponential_buckets(0.0001, 2.0, 16)),
            wal_damaged: Counter::default(),
            wal_torn_bytes: Counter::default(),
            lost: Counter::default(),
            sealed: Counter::default(),
            merged: Counter::default(),
            retained_away: Counter::default(),
            dropped_events: Counter::default(),
            rewritten: Family::default(),
            stage_failures: Family::default(),
        }
    }
}

impl Metrics {
    /// Adds them to a registry whose prefix is `locard`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.register_receiving(registry);
        self.register_log(registry);
        registry.register("sealed_splits", "Splits written from hot parts", self.sealed.clone());
        registry.register("merged_splits", "Splits that went into larger ones", self.merged.clone());
        registry.register("retention_splits", "Splits dropped by retention", self.retained_away.clone());
        registry.register("retention_events", "Events dropped by retention", self.dropped_events.clone());
        registry.register(
            "rewritten_splits",
            "Splits taken apart because of a changed rule or a hold",
            self.rewritten.clone(),
        );
        registry.register(
            "stage_failures",
            "Failed attempts of background stages, tried again later, by stage",
            self.stage_failures.clone(),
        );
    }

    fn register_receiving(&self, registry: &mut Registry) {
        registry.register("accepted_events", "Events acked, by door", self.accepted.clone());
        registry.register(
            "rejected_lines",
            "Lines refused in accepted bodies, by door",
            self.rejected.clone(),
        );
        registry.register_with_unit(
            "received",
            "Bytes of accepted bodies on the wire, by door",
            Unit::Bytes,
            self.received_bytes.clone(),
        );
        registry.register("refused_batches", "Bodies refused as a whole, by reason", self.refused.clone());
        registry.register("repeated_batches", "Batches recognised as repeats", self.repeats.clone());
        registry.register(
            "slowed_batches",
            "Bodies that waited at the door for sealing to catch up",
            self.slowed.clone(),
        );
        registry.register(
            "cut_values",
            "Messages and field values cut at max_line_bytes",
            self.cut_values.clone(),
        );
        registry.register(
            "left_out_fields",
            "Fields left out at max_fields or max_name_bytes",
            self.left_out_fields.clone(),
        );
    }

    fn register_log(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "wal_appended",
            "Bytes of frames made durable",
            Unit::Bytes,
            self.wal_bytes.clone(),
        );
        registry.register(
            "wal_failures",
            "Batches refused because the log failed",
            self.wal_failures.clone(),
        );
        registry.register_with_unit(
            "wal_sync",
            "Time of one fdatasync",
            Unit::Seconds,
            self.wal_sync_seconds.clone(),
        );
        registry.register(
            "wal_damaged_regions",
            "Unreadable parts of the log skipped at replay",
            self.wal_damaged.clone(),
        );
        registry.register_with_unit(
            "wal_torn",
            "Bytes behind the last complete frame, found at replay",
            Unit::Bytes,
            self.wal_torn_bytes.clone(),
        );
        registry.register(
            "lost_events",
            "Events whose frame was damaged; a placeholder keeps their id",
            self.lost.clone(),
        );
    }

    pub(crate) fn door(door: &'static str) -> DoorLabels {
        DoorLabels { door }
    }

    pub(crate) fn reason(reason: &'static str) -> ReasonLabels {
        ReasonLabels { reason }
    }
}
