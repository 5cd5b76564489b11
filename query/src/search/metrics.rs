//! What searches cost, as metrics. Labels come from closed sets; nothing here names a tenant or a query.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Answered completely.
    Complete,
    /// Answered, and labelled incomplete.
    Incomplete,
    /// The query could not be read, or asked for what there is not.
    Refused,
    /// Too many searches ran already.
    Busy,
    /// Nobody waited for the answer any more.
    Cancelled,
    /// Something broke.
    Failed,
}

impl End {
    const fn label(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct EndLabels {
    outcome: &'static str,
}

/// The metrics of the query part. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    searches: Family<EndLabels, Counter>,
    seconds: Histogram,
    pub(crate) running: Gauge,
    pub(crate) splits: Counter,
    pub(crate) events: Counter,
    pub(crate) bytes: Counter,
    pub(crate) tails: Gauge,
    pub(crate) tail_events: Counter,
    pub(crate) tail_missed: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            searches: Family::default(),
            seconds: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            running: Gauge::default(),
            splits: Counter::default(),
            events: Counter::default(),
            bytes: Counter::default(),
            tails: Gauge::default(),
            tail_events: Counter::default(),
            tail_missed: Counter::default(),
        }
    }
}

impl Metrics {
    /// Adds the metrics to a registry whose prefix is `locard`.
    pub fn register(&self, registry: &mut Registry) {
        let query = registry.sub_registry_with_prefix("query");
        query.register("searches", "Searches by how they ended", self.searches.clone());
        let help = "Time from request to answer";
        query.register_with_unit("duration", help, Unit::Seconds, self.seconds.clone());
        query.register("running", "Searches running now", self.running.clone());
        query.register("splits_scanned", "Splits that searches looked into", self.splits.clone());
        query.register("events_scanned", "Events looked at one by one", self.events.clone());
        query.register("bytes_scanned", "Bytes read to look at events", self.bytes.clone());
        query.register("tails", "Live tails open now", self.tails.clone());
        query.register("tail_events", "Events sent to live tails", self.tail_events.clone());
        let help = "Events that passed a live tail by because its client was slow";
        query.register("tail_missed_events", help, self.tail_missed.clone());
    }

    pub(crate) fn ended(&self, outcome: End, seconds: f64) {
        self.searches.get_or_create(&EndLabels { outcome: outcome.label() }).inc();
        self.seconds.observe(seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_manual() {
        let manual = include_str!("../../../docs/metrics.md");
        let mut registry = Registry::with_prefix("locard");
        let metrics = Metrics::default();
        metrics.register(&mut registry);
        metrics.ended(End::Complete, 0.5);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let names: Vec<String> = types
            .map(|line| match line.split_once(' ').unwrap() {
                (name, "counter") => format!("`{name}_total`"),
                (name, _) => format!("`{name}`"),
            })
            .collect();
        assert_eq!(names.len(), 9, "{text}");
        for name in names {
            assert!(manual.contains(&name), "{name} is not in docs/metrics.md");
        }
        assert!(text.contains("locard_query_searches_total{outcome=\"complete\"} 1"), "{text}");
    }
}
