//! [`Event`]: a time, a stream, a line, and fields.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::{EventId, Fields, Stream, Timestamp, Value, name};

const NANOS_PER_DAY: i64 = 86_400 * 1_000_000_000;
/// 2000-01-01T00:00:00Z.
const YEAR_2000: Timestamp = Timestamp::from_seconds(946_684_800);

/// One event. `id` and `ingested` are given when an indexer accepts it, and absent before.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its permanent id, once accepted.
    pub id: Option<EventId>,
    /// When it happened, as the source says, credible or not.
    pub time: Timestamp,
    /// When an indexer accepted it.
    pub ingested: Option<Timestamp>,
    /// Where it came from.
    pub stream: Arc<Stream>,
    /// The line as it was written, without its line end. May be invalid UTF-8.
    pub message: Bytes,
    /// What the line says.
    pub fields: Fields,
}

impl Event {
    /// An event that no indexer has accepted yet.
    pub fn new(time: Timestamp, stream: Arc<Stream>, message: impl Into<Bytes>) -> Self {
        Self { id: None, time, ingested: None, stream, message: message.into(), fields: Fields::new() }
    }

    /// The time this event is ordered, pruned and retained by: the source's, unless it is not credible
    /// (more than 24 h ahead of the ingest time, or before 2000), then the ingest time.
    pub fn filed(&self) -> Timestamp {
        match self.ingested {
            Some(ingested) if time_suspect(self.time, ingested).is_some() => ingested,
            _ => self.time,
        }
    }

    /// The value called `name`, wherever it lives: `_id`, `_stream`, `@timestamp` (`_time`), `event.ingested`,
    /// `message`, a field, or a label of the stream. A field hides a label of the same name.
    pub fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        match name {
            name::ID => self.id.map(|id| Cow::Owned(Value::str(id.to_string()))),
            name::STREAM => Some(Cow::Owned(Value::str(self.stream.id().to_string()))),
            name::TIMESTAMP | name::TIME => Some(Cow::Owned(Value::Time(self.time))),
            name::INGESTED => self.ingested.map(|time| Cow::Owned(Value::Time(time))),
            name::MESSAGE => Some(Cow::Owned(Value::str(String::from_utf8_lossy(&self.message)))),
            _ => match self.fields.get(name) {
                Some(value) => Some(Cow::Borrowed(value)),
                None => self.stream.get(name).map(|label| Cow::Owned(Value::str(label))),
            },
        }
    }

    /// An upper estimate of the memory this event holds, in bytes, its stream aside.
    pub fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.message.len() + self.fields.heap_bytes()
    }
}

/// Why a source's time is not credible at `ingested`: `future`, `before_2000`, or nothing.
pub fn time_suspect(time: Timestamp, ingested: Timestamp) -> Option<&'static str> {
    if time < YEAR_2000 {
        Some("before_2000")
    } else if time > ingested.plus_nanos(NANOS_PER_DAY) {
        Some("future")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: &str) -> Event {
        let stream = Arc::new(Stream::new([("host.name", "node-1"), ("a", "label")]));
        let mut event = Event::new(Timestamp::parse(time).unwrap(), stream, "hello");
        event.ingested = Some(Timestamp::parse("2026-11-24T08:00:00Z").unwrap());
        event
    }

    #[test]
    fn a_time_that_cannot_be_is_filed_under_the_ingest_time() {
        let near = event("2026-11-25T08:00:00Z");
        assert_eq!(near.filed(), near.time);
        for said in ["2026-11-25T08:00:01Z", "1999-12-31T23:59:59Z", "2099-01-01T00:00:00Z", "0"] {
            let event = event(said);
            assert_eq!(Some(event.filed()), event.ingested, "{said}");
        }
    }

    #[test]
    fn a_name_is_looked_up_in_fields_then_labels() {
        let mut event = event("2026-11-24T07:00:00Z");
        assert_eq!(event.get("a").unwrap().text(), "label");
        event.fields.set("a", "field");
        assert_eq!(event.get("a").unwrap().text(), "field");
        assert_eq!(event.get("message").unwrap().text(), "hello");
        assert_eq!(event.get("_id"), None);
        assert_eq!(event.get("_time").unwrap().text(), "2026-11-24T07:00:00.000Z");
    }
}
