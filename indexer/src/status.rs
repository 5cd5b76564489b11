//! [`Status`]: how the indexer is doing, for `/api/status`, readiness and the gauges of `/metrics`.

use std::sync::{Arc, Weak};

use locard_event::Timestamp;
use locard_store::Class;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use crate::core::Core;
use crate::hot::Shelf;
use crate::lock::lock;
use crate::{Age, Tenant};

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
    /// Splits that this node cannot read.
    pub unreadable_splits: u64,
    /// Log segments.
    pub wal_segments: u64,
    /// Bytes in them.
    pub wal_bytes: u64,
    /// Bytes of batches between the door and the log.
    pub queue_bytes: u64,
    /// Named batches that a repeat of is recognised.
    pub known_batches: u64,
    /// Parts of the log that could not be read when it was replayed.
    pub wal_damaged: u64,
    /// Events lost to damage; placeholders keep their ids.
    pub lost_events: u64,
    /// Why batches are refused now, if they are.
    pub refusing: Option<String>,
    /// Background stages that fail now, and why. They are tried again.
    pub troubles: Vec<String>,
    /// Earliest and latest filed time held, over all tenants.
    pub filed: Option<(Timestamp, Timestamp)>,
}

/// What is kept of a tenant, and for how long.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The oldest splits go when all together are larger; the smaller one of what the tenant and what all may have. Nothing: no limit.
    pub bytes: Option<u64>,
    /// The classes of the rules in the order in which rules are asked, that of no rule last.
    pub classes: Vec<KeptClass>,
    /// Splits whose class other rules decided; they are kept for the longest time until they are looked at again.
    pub unclassified: u64,
}

/// The splits of one retention class.
#[derive(Clone, Debug)]
pub struct KeptClass {
    /// The filter of the rule; nothing: no rule.
    pub rule: Option<Arc<str>>,
    /// How long they are kept.
    pub age: Age,
    /// How many there are.
    pub splits: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Earliest filed time.
    pub oldest: Option<Timestamp>,
    /// When the first of them is old enough to go.
    pub next_due: Option<Timestamp>,
}

/// What is kept of a tenant now.
pub(crate) fn kept(core: &Core, tenant: &Tenant) -> Kept {
    let policy = core.policies.of(tenant);
    let splits = core.tenants.get(tenant).map(|shelf| shelf.splits().0).unwrap_or_default();
    let class = |class: &Class| {
        let metas = splits.iter().map(|split| split.meta()).filter(|meta| meta.class == *class);
        let metas: Vec<_> = metas.collect();
        let age = policy.age_of(class);
        KeptClass {
            rule: Some(Arc::clone(&class.rule)).filter(|rule| !rule.is_empty()),
            age,
            splits: metas.len() as u64,
            events: metas.iter().map(|meta| meta.events).sum(),
            bytes: metas.iter().map(|meta| meta.bytes).sum(),
            oldest: metas.iter().map(|meta| meta.filed.0).min(),
            next_due: metas.iter().filter_map(|meta| age.due(meta.filed.1)).min(),
        }
    };
    let unclassified = splits.iter().filter(|split| !policy.knows(&split.meta().class)).count() as u64;
    let bytes = policy.bytes.into_iter().chain(core.policies.bytes()).min();
    Kept { bytes, classes: policy.classes().iter().map(class).collect(), unclassified }
}

/// How it is doing now.
pub(crate) fn status(core: &Core) -> Status {
    let (wal_segments, wal_bytes) = core.ledger.size();
    let mut status = Status {
        wal_segments,
        wal_bytes,
        queue_bytes: core.queue.used() as u64,
        known_batches: core.dedupe.counts().known as u64,
        wal_damaged: core.metrics.wal_damaged.get(),
        lost_events: core.metrics.lost.get(),
        refusing: refusing(core),
        troubles: lock(&core.troubles).iter().map(|(stage, why)| format!("{stage}: {why}")).collect(),
        ..Status::default()
    };
    for shelf in core.tenants.all() {
        add(&mut status, &shelf);
    }
    status.troubles.sort();
    status
}

fn add(status: &mut Status, shelf: &Shelf) {
    let (events, bytes) = shelf.hot_size();
    status.hot_events += events as u64;
    status.hot_bytes += bytes as u64;
    let (splits, unreadable) = shelf.splits();
    status.splits += splits.len() as u64;
    status.unreadable_splits += unreadable.len() as u64;
    for split in &splits {
        status.split_events += split.meta().events;
        status.split_bytes += split.meta().bytes;
    }
    status.filed = wider(status.filed, filed(shelf));
}

/// Earliest and latest filed time on a shelf.
pub(crate) fn filed(shelf: &Shelf) -> Option<(Timestamp, Timestamp)> {
    let (splits, _) = shelf.splits();
    splits.iter().map(|split| Some(split.meta().filed)).fold(shelf.hot_filed(), wider)
}

type Filed = Option<(Timestamp, Timestamp)>;

fn wider(one: Filed, two: Filed) -> Filed {
    match (one, two) {
        (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
        (one, two) => one.or(two),
    }
}

fn refusing(core: &Core) -> Option<String> {
    if core.stop.is_cancelled() {
        return Some("shutting down".into());
    }
    if core.tenants.hot_bytes() >= core.settings.hot_bytes.saturating_mul(2) {
        return Some("sealing does not keep up: the hot parts hold twice hot_bytes".into());
    }
    core.log().ok().and_then(crate::wal::Log::refusing)
}

/// The status as gauges, computed at each scrape.
#[derive(Debug)]
pub(crate) struct Gauges(pub(crate) Weak<Core>);

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(core) = self.0.upgrade() else { return Ok(()) };
        let status = status(&core);
        let gauges = [
            ("hot_events", "Events in hot parts", status.hot_events),
            ("hot_bytes", "Bytes in hot parts", status.hot_bytes),
            ("splits", "Published splits", status.splits),
            ("split_events", "Events in splits", status.split_events),
            ("split_bytes", "Bytes in splits", status.split_bytes),
            ("unreadable_splits", "Splits that cannot be read", status.unreadable_splits),
            ("wal_segments", "Segments of the log", status.wal_segments),
            ("wal_bytes", "Bytes in the log", status.wal_bytes),
            ("queue_bytes", "Bytes of batches between door and log", status.queue_bytes),
            ("known_batches", "Named batches that a repeat of is recognised", status.known_batches),
            (
                "batches_forgotten_early",
                "Named batches that left memory before 24 h because dedupe_bytes was reached",
                core.dedupe.counts().forgotten_early,
            ),
            ("refusing", "1 while batches are refused", u64::from(status.refusing.is_some())),
            ("troubled_stages", "Background stages that fail now", status.troubles.len() as u64),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
