//! [`Delivery`]: one body as received, by which [`Door`], and why it may be refused.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use locard_event::{Event, Timestamp};
use locard_wire::{Ack, BatchId, Encoding};
use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::accept::limits;
use crate::receive::{Action, receive};

/// Through which door a body came: how to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Splunk's HTTP event collector: JSON objects, one after the other.
    Hec(HecOrigin),
    /// The same, raw: one event a line.
    HecRaw(HecOrigin),
    /// Loki's push request, protobuf.
    Loki,
    /// Loki's push request, JSON.
    LokiJson,
    /// Kubernetes audit events in lists, as API servers send them.
    K8sAudit,
    /// Documents, as clients of Elasticsearch send them.
    Documents(Bulk),
}

/// How to read documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulk {
    /// Where a document goes that does not say it.
    pub index: Option<String>,
    /// One or many.
    pub form: Form,
    /// Other names of indices, and where what is written to each goes; nothing: it is not clear where.
    pub aliases: BTreeMap<String, Option<String>>,
    /// Those that were refused because there was one of their id. Known once they were looked for.
    pub conflicts: Marks,
}

/// Whether a body is one document or many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// Lines of actions and documents.
    #[default]
    Many,
    /// The document itself.
    One {
        /// What is to be done with it.
        action: Action,
        /// Its id.
        id: Option<String>,
    },
}

/// Some of the documents of a body, as bits: bit n % 64 of number n / 64 stands for document n.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks(pub Vec<u64>);

impl Marks {
    /// Whether this one is among them.
    pub fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1)
    }

    /// Those at these places.
    pub fn of(places: &[usize]) -> Self {
        let numbers = places.iter().max().map_or(0, |last| last / 64 + 1);
        let mut bits = vec![0u64; numbers];
        for place in places {
            if let Some(number) = bits.get_mut(place / 64) {
                *number |= 1 << (place % 64);
            }
        }
        Self(bits)
    }
}

/// What a request to Splunk's collector says of events that do not say it themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HecOrigin {
    /// The machine.
    pub host: Option<String>,
    /// The file, or whatever else.
    pub source: Option<String>,
    /// The format.
    pub sourcetype: Option<String>,
    /// The dataset.
    pub index: Option<String>,
}

impl Door {
    /// NDJSON with the defaults of `/ingest/ndjson`.
    pub fn ndjson() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self::Ndjson {
            time_fields: names(&["@timestamp", "timestamp", "time", "ts", "_time"]),
            message_fields: names(&["message", "msg", "log", "_msg"]),
            stream_fields: names(&["host.name", "event.dataset", "kubernetes"]),
            dataset: "ndjson".to_owned(),
            keep_original: false,
        }
    }

    /// Its name in metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::OtlpJson => "otlp_json",
            Self::Ndjson { .. } => "ndjson",
            Self::Hec(_) => "hec",
            Self::HecRaw(_) => "hec_raw",
            Self::Loki => "loki",
            Self::LokiJson => "loki_json",
            Self::K8sAudit => "k8s_audit",
            Self::Documents(_) => "elasticsearch",
        }
    }
}

impl From<locard_store::Error> for Error {
    fn from(error: locard_store::Error) -> Self {
        match error {
            locard_store::Error::Stopped(_) => Self::Closed,
            other => Self::Store(other),
        }
    }
}

impl Error {
    /// Too much is waiting.
    pub(crate) const BUSY: Self = Self::Busy { retry_after: Duration::from_secs(1) };
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

impl Delivery {
    /// The events that acceptance makes of it when it comes at `received`, without ids, and what is said of those that are refused.
    /// Nothing is kept.
    ///
    /// # Errors
    /// The body as a whole cannot be read, or exceeds a limit.
    pub fn read(&self, received: Timestamp, settings: &Settings) -> Result<(Vec<Event>, Ack), Error> {
        let read = receive(&self.door, self.encoding, &self.body, received, &limits(settings))?;
        Ok((read.events, read.ack))
    }
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
    /// One of its events cannot be read, in Splunk's words.
    #[error("event {number}: {fault}")]
    BadEvent {
        /// Which, from 0.
        number: u64,
        /// What is wrong.
        fault: HecFault,
    },
    /// It expands beyond the limit.
    #[error("the body expands to more than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// It is longer than the log takes.
    #[error("the body has more than {max_bytes} bytes")]
    TooLong {
        /// The most that it takes.
        max_bytes: usize,
    },
    /// It holds too many events: send several smaller ones.
    #[error("the body holds more than {max_events} events")]
    TooMany {
        /// The limit.
        max_events: usize,
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
    Store(#[source] locard_store::Error),
    /// The indexer is shutting down.
    #[error("shutting down")]
    Closed,
}

/// What is wrong with an event sent to Splunk's collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HecFault {
    /// There is nothing.
    #[error("No data")]
    NoData,
    /// No JSON object, or a time that is none.
    #[error("Invalid data format")]
    Format,
    /// The index may not be called so.
    #[error("Incorrect index")]
    Index,
    /// No `event`.
    #[error("Event field is required")]
    Missing,
    /// An empty one.
    #[error("Event field cannot be blank")]
    Blank,
    /// `fields` is no flat object.
    #[error("Error in handling indexed fields")]
    Fields,
}
