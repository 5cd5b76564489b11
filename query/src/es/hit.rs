//! An event as a document: its `_id`, its `_index`, its `_source`.
//!
//! Fields are flat in an event and nested in a document. Where the message is the very object that a client sent, that is the
//! source, with nothing moved.

use std::borrow::Cow;

use locard_event::{Event, Value, name};
use locard_filter::{Filter, Test};
use serde_json::{Map, Value as Json, json};

use super::field::Field;
use super::source::SourceFilter;
use crate::json::ValueJson;

/// The index of events that name no dataset.
pub(super) const NO_DATASET: &str = "none";
/// Where clients keep the id they gave a document.
const GIVEN_ID: &str = "event.id";
/// Here `event.id` names a request, of which there are several events.
const SHARED_IDS: &str = "k8s.audit";

/// Events whose `_id` may be the one that a client gave.
pub(super) fn has_given_id() -> Filter {
    Filter::Not(Box::new(Field::named(name::DATASET).is(Test::Equals(SHARED_IDS.into()))))
}

/// Events whose `_id` is Locard's.
pub(super) fn has_own_id() -> Filter {
    let none = Filter::Not(Box::new(Field::named(GIVEN_ID).is(Test::Exists)));
    Filter::any_of([none, Field::named(name::DATASET).is(Test::Equals(SHARED_IDS.into()))])
}

/// The index an event is in.
pub(super) fn index(event: &Event) -> Cow<'_, str> {
    match event.get(name::DATASET) {
        Some(value) if !value.text().is_empty() => Cow::Owned(value.text().into_owned()),
        _ => Cow::Borrowed(NO_DATASET),
    }
}

fn given_id(event: &Event) -> Option<String> {
    let value = event.fields.get(GIVEN_ID).filter(|_| event.stream.get(name::DATASET) != Some(SHARED_IDS))?;
    let text = value.text();
    (!text.is_empty()).then(|| text.into_owned())
}

/// The document's id: what its client called it, else the event's own.
pub(super) fn id(event: &Event) -> String {
    given_id(event).or_else(|| event.id.map(|id| id.to_string())).unwrap_or_default()
}

/// The version of every document: events are immutable.
pub(super) fn sequence(event: &Event) -> u64 {
    event.id.map_or(0, |id| id.sequence)
}

/// A hit without its source.
pub(super) fn bare(event: &Event) -> Map<String, Json> {
    let mut hit = Map::new();
    hit.insert("_index".into(), json!(index(event)));
    hit.insert("_id".into(), json!(id(event)));
    hit
}

/// The document as a nested object.
pub(super) fn source(event: &Event) -> Json {
    let sent = as_sent(event);
    let is_sent = sent.is_some();
    let mut root = sent.unwrap_or_default();
    let given = given_id(event).is_some();
    let is_ours = |field: &str| field == name::DATASET || (field == GIVEN_ID && given);
    // What was sent without a time has none.
    if !is_sent || event.ingested != Some(event.time) {
        put(&mut root, name::TIMESTAMP, || json!(event.time.to_string()));
    }
    if !is_sent {
        put(&mut root, name::MESSAGE, || json!(String::from_utf8_lossy(&event.message)));
        for (field, value) in
            event.fields.iter().filter(|(field, _)| !is_ours(field) && !field.starts_with('_'))
        {
            put(&mut root, field, || json!(ValueJson(value)));
        }
    }
    for (label, text) in event.stream.iter().filter(|(label, _)| !is_ours(label)) {
        put(&mut root, label, || json!(text));
    }
    Json::Object(root)
}

/// The object that the message is, if it is one.
fn as_sent(event: &Event) -> Option<Map<String, Json>> {
    if event.message.first() != Some(&b'{') {
        return None;
    }
    match serde_json::from_slice(&event.message) {
        Ok(Json::Object(members)) => Some(members),
        _ => None,
    }
}

/// Puts a value at a dotted path unless there is one. Where a part of the path is no object, the name stays dotted.
fn put(root: &mut Map<String, Json>, path: &str, value: impl FnOnce() -> Json) {
    if root.contains_key(path) {
        return;
    }
    match path.split_once('.') {
        Some((first, rest)) if !rest.is_empty() && !first.is_empty() => {
            match root.entry(first.to_owned()).or_insert_with(|| Json::Object(Map::new())) {
                Json::Object(inner) => put(inner, rest, value),
                _ => {
                    root.insert(path.to_owned(), value());
                }
            }
        }
        _ => {
            root.insert(path.to_owned(), value());
        }
    }
}

/// A hit with its source, filtered.
pub(super) fn whole(event: &Event, filter: &SourceFilter) -> Map<String, Json> {
    let mut hit = bare(event);
    if let Some(source) = filter.apply(|| source(event)) {
        hit.insert("_source".into(), source);
    }
    hit
}

/// The values of a field in an event, nulls left out; a keyword's and a text's alike.
pub(super) fn values(event: &Event, field: &str) -> Vec<Value> {
    let field = super::field::plain(field);
    match field {
        "_id" => vec![Value::str(id(event))],
        "_index" => vec![Value::str(index(event).into_owned())],
        field => {
            let value = event.get(field);
            let elements = value.as_deref().map(Value::elements).unwrap_or_default();
            elements.iter().filter(|value| !matches!(value, Value::Null | Value::List(_))).cloned().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use locard_event::{EventId, Stream, Timestamp};

    use super::*;

    fn event(message: &str, fields: &[(&str, Value)]) -> Event {
        let stream = Arc::new(Stream::new([("event.dataset", "logs"), ("host.name", "a")]));
        let mut event = Event::new(Timestamp::from_seconds(1), stream, message.to_owned());
        event.id = Some(EventId::new(0, 7));
        event.fields = fields.iter().map(|(name, value)| (*name, value.clone())).collect();
        event
    }

    #[test]
    fn a_document_is_nested_and_has_its_own_id() {
        let event = event("hello", &[("user.name", "root".into()), ("user", "x".into()), ("n", 5i64.into())]);
        assert_eq!(
            source(&event),
            json!({"@timestamp": "1970-01-01T00:00:01.000Z", "message": "hello", "host": {"name": "a"}, "user": "x", "user.name": "root", "n": 5})
        );
        assert_eq!((id(&event).as_str(), &*index(&event)), ("0-7", "logs"));
    }

    #[test]
    fn an_object_that_was_sent_is_the_source_as_it_was() {
        let text = r#"{"@timestamp":"1970-01-01T00:00:01Z","a":[{"b":1},{"b":2}],"host.name":"a"}"#;
        let event =
            event(text, &[("a.b", Value::List(vec![1i64.into(), 2i64.into()])), ("event.id", "mine".into())]);
        assert_eq!(
            source(&event),
            json!({"@timestamp": "1970-01-01T00:00:01Z", "a": [{"b": 1}, {"b": 2}], "host.name": "a"})
        );
        assert_eq!(id(&event), "mine");
    }
}
