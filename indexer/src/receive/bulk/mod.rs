//! Elasticsearch's bulk format, and single documents: what is to be done with which document, and what became of it.
//!
//! 1. Take the lines apart: actions, and the documents that belong to them. What Elasticsearch refuses as a whole is refused here too.
//! 2. Read each document as a line of NDJSON, except that its index is its dataset and no member loses its name.
//!
//! Whether a document of the same id is there already is not known here: the caller finds out, and says which ones were when the
//! same body is read again. Source: elastic/elasticsearch `BulkRequestParser`, and its *Bulk API* page.

mod action;
mod fault;
mod plan;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use locard_event::{Timestamp, Value, name};
use sha2::{Digest, Sha256};

use super::direct::Direct;
use super::labels::Streams;
use super::ndjson::{self, Names, Options};
use super::{MAX_BODY_VALUES, Raw};
use crate::delivery::{Bulk, Error, Form};
use crate::wal::ReadLimits;
use plan::{Asked, Plan};

pub use action::Action;
pub use fault::ItemFault;

/// Where a document's own id is kept.
pub(crate) const CLIENT_ID: &str = "event.id";

/// One action of a body, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) action: Action,
    pub(crate) index: String,
    /// The client's.
    pub(crate) id: Option<String>,
    /// The place of the document's event among those accepted; or why there is none.
    pub(crate) outcome: Result<usize, ItemFault>,
}

/// Stands for the id of a document of an index, and is kept: never change it.
pub(crate) fn key_of(index: &str, id: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(index.as_bytes());
    // No index has it in its name.
    hash.update([0]);
    hash.update(id.as_bytes());
    let hash = hash.finalize();
    hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Reads `body` and hands out the events of documents that are not refused, with whether they count: those marked as conflicts are
/// read like the others, so that what they take of the body's limits is the same whenever it is read.
pub(super) fn read(
    body: &Bytes,
    bulk: &Bulk,
    (received, limits): (Timestamp, &ReadLimits),
    mut each: impl FnMut(Raw, bool),
) -> Result<Vec<Item>, Error> {
    let plan = match &bulk.form {
        Form::Many => Plan::of_lines(body, bulk, limits.max_events)?,
        Form::One { action, id } => Plan::of_one(body, bulk, *action, id.clone())?,
    };
    let names = Own::default();
    let options: Vec<Options<'_>> =
        plan.indices.iter().map(|index| names.options(index, received, limits)).collect();
    let mut readers: Vec<(Direct<'_, '_>, Streams<'_>)> = options
        .iter()
        .map(|options| {
            let streams = Streams::new(options.names.stream_fields, options.names.dataset);
            (Direct::new(options, body.len()), streams)
        })
        .collect();
    let (mut items, mut room, mut accepted) = (Vec::with_capacity(plan.asked.len()), MAX_BODY_VALUES, 0);
    for (asked, number) in plan.asked.into_iter().zip(0..) {
        let Asked { action, index, id, source } = asked;
        let (Some(options), Some((direct, streams))) = (options.get(index), readers.get_mut(index)) else {
            continue;
        };
        let read = source.and_then(|line| {
            let raw = match direct.read(line, &mut room, streams) {
                Some(raw) => Ok(raw),
                None => ndjson::fully(line, options, &mut room, streams),
            };
            raw.map_err(|reason| ItemFault::new("document_parsing_exception", reason))
        });
        let is_conflict = bulk.conflicts.has(number);
        let outcome = read.and_then(|mut raw| {
            set_id(&mut raw, id.as_deref());
            each(raw, !is_conflict);
            match (is_conflict, &id) {
                (true, Some(id)) => Err(ItemFault::conflict(id)),
                _ => {
                    accepted += 1;
                    Ok(accepted - 1)
                }
            }
        });
        items.push(Item { action, index: options.names.dataset.to_owned(), id, outcome });
    }
    Ok(items)
}

/// The client's id goes before what the document says of its event's.
fn set_id(raw: &mut Raw, id: Option<&str>) {
    let Some(id) = id else { return };
    let fields = &mut raw.event.fields;
    if let Some(own) = fields.remove(CLIENT_ID)
        && own.text() != id
    {
        fields.append(&format!("attributes.{CLIENT_ID}"), own);
    }
    fields.set(CLIENT_ID, Value::str(id));
}

/// The names that a document's members mean something by.
struct Own {
    time: Vec<String>,
    message: Vec<String>,
    stream: Vec<String>,
}

impl Default for Own {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            time: names(&["@timestamp", "timestamp", "time", "ts", "_time"]),
            message: names(&["message", "msg", "log", "_msg"]),
            stream: names(&[name::HOST, "kubernetes"]),
        }
    }
}

impl Own {
    fn options<'a>(&'a self, index: &'a str, received: Timestamp, limits: &'a ReadLimits) -> Options<'a> {
        let names = Names {
            time_fields: &self.time,
            message_fields: &self.message,
            stream_fields: &self.stream,
            dataset: index,
            of_documents: true,
        };
        Options { names, keep_original: false, received, limits }
    }
}
