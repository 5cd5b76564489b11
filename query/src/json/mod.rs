//! An event as JSON: one flat object, names as in queries. The only place that decides this shape.

mod line;
mod text;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use locard_event::{Event, Value, name};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

pub(crate) use line::{LineWriter, line, put_field};

use crate::pipe::Shown;

/// Beside `message` when that is not UTF-8: the very bytes.
pub(crate) const MESSAGE_BASE64: &str = "message_base64";
/// Names that say something of the event itself; a field cannot take them.
pub(crate) const RESERVED: [&str; 7] =
    [name::ID, name::TIMESTAMP, name::TIME, name::MESSAGE, MESSAGE_BASE64, name::INGESTED, name::STREAM];

/// An event as JSON: `_id`, `@timestamp`, `message`, `event.ingested`, `_stream`, then labels and fields in name order, a field
/// hiding a label of the same name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventJson<'a>(pub(crate) &'a Event, pub(crate) &'a Shown);

impl<'a> EventJson<'a> {
    /// All of it.
    pub(crate) fn whole(event: &'a Event) -> Self {
        Self(event, &Shown::All)
    }
}

impl Serialize for EventJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(event, shown) = self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = event.id {
            map.serialize_entry(name::ID, &id.to_string())?;
        }
        map.serialize_entry(name::TIMESTAMP, &event.time.to_string())?;
        if shown.shows(name::MESSAGE) {
            serialize_message(event, &mut map)?;
        }
        if let Some(ingested) = event.ingested.filter(|_| shown.shows(name::INGESTED)) {
            map.serialize_entry(name::INGESTED, &ingested.to_string())?;
        }
        if shown.shows(name::STREAM) {
            map.serialize_entry(name::STREAM, &event.stream.id().to_string())?;
        }
        serialize_named(event, shown, &mut map)?;
        map.end()
    }
}

fn serialize_message<M: SerializeMap>(event: &Event, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry(name::MESSAGE, &String::from_utf8_lossy(&event.message))?;
    if std::str::from_utf8(&event.message).is_err() {
        map.serialize_entry(MESSAGE_BASE64, &STANDARD.encode(&event.message))?;
    }
    Ok(())
}

/// Labels and fields, merged: both are in name order.
fn serialize_named<M: SerializeMap>(event: &Event, shown: &Shown, map: &mut M) -> Result<(), M::Error> {
    let shows = |name: &str| !RESERVED.contains(&name) && shown.shows(name);
    let mut labels = event.stream.iter().filter(|(name, _)| shows(name)).peekable();
    for (name, value) in event.fields.iter().filter(|(name, _)| shows(name)) {
        while let Some((label, text)) = labels.next_if(|(label, _)| *label < name) {
            map.serialize_entry(label, text)?;
        }
        labels.next_if(|(label, _)| *label == name);
        map.serialize_entry(name, &ValueJson(value))?;
    }
    for (label, text) in labels {
        map.serialize_entry(label, text)?;
    }
    Ok(())
}

/// A value as JSON: addresses and times as text, lists as arrays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueJson<'a>(pub(crate) &'a Value);

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Str(text) => serializer.serialize_str(text),
            Value::Ip(ip) => serializer.collect_str(ip),
            Value::Time(time) => serializer.collect_str(time),
            Value::List(values) => {
                let mut array = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    array.serialize_element(&ValueJson(value))?;
                }
                array.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use locard_event::{EventId, Stream, Timestamp};

    use super::*;

    #[track_caller]
    fn check(event: &Event, expected: &str) {
        assert_eq!(serde_json::to_string(&EventJson::whole(event)).unwrap(), expected);
    }

    fn event(message: &'static [u8]) -> Event {
        let stream = Arc::new(Stream::new([("a.label", "1"), ("m", "label"), ("z", "last")]));
        Event::new(Timestamp::from_seconds(1_764_000_000), stream, message)
    }

    #[test]
    fn labels_and_fields_are_one_flat_object_in_name_order() {
        let mut event = event(b"hello");
        event.id = Some(EventId::new(0, 7));
        event.ingested = Some(Timestamp::from_seconds(1_764_000_001));
        event.fields.set("m", "field");
        event.fields.set("_id", "forged");
        event.fields.set("b", Value::List(vec![1i64.into(), "x".into(), Value::Null, Value::Float(0.5)]));
        let id = event.stream.id();
        check(
            &event,
            &format!(
                r#"{{"_id":"0-7","@timestamp":"2025-11-24T16:00:00.000Z","message":"hello","event.ingested":"2025-11-24T16:00:01.000Z","_stream":"{id}","a.label":"1","b":[1,"x",null,0.5],"m":"field","z":"last"}}"#
            ),
        );
    }

    #[test]
    fn bytes_that_are_no_text_come_along_as_base64() {
        let event = event(b"a\xffb");
        let id = event.stream.id();
        check(
            &event,
            &format!(
                r#"{{"@timestamp":"2025-11-24T16:00:00.000Z","message":"a{}b","message_base64":"Yf9i","_stream":"{id}","a.label":"1","m":"label","z":"last"}}"#,
                char::REPLACEMENT_CHARACTER
            ),
        );
    }
}
