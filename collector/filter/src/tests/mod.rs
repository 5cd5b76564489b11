//! Tests of the language as a whole. Each states data.

mod errors;
mod matching;
mod parsing;
mod round_trip;

use std::sync::Arc;

use locard_event::{Event, EventId, Stream, Timestamp, Value};
use serde_json::Value as Json;

/// An event from JSON: `message`, `@timestamp`, `_id` and `event.ingested` are the event's own, `labels` its stream's, all other
/// members fields. Text that is an address becomes one, as parsers do; `{"time": "…"}` is a time.
fn event(json: &str) -> Event {
    let Json::Object(members) = serde_json::from_str(json).unwrap() else { panic!("not an object: {json}") };
    let text = |name: &str| members.get(name).map(|value| value.as_str().unwrap().to_owned());
    let time = |text: String| Timestamp::parse(&text).unwrap();
    let labels = members.get("labels").and_then(Json::as_object).cloned().unwrap_or_default();
    let labels = labels.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned()));
    let mut event = Event::new(
        text("@timestamp").map_or_else(Timestamp::default, time),
        Arc::new(Stream::new(labels)),
        text("message").unwrap_or_default(),
    );
    event.id = text("_id").map(|id| id.parse::<EventId>().unwrap());
    event.ingested = text("event.ingested").map(time);
    for (name, json) in &members {
        if !["message", "@timestamp", "_id", "event.ingested", "labels"].contains(&name.as_str()) {
            event.fields.set(name.as_str(), value(json));
        }
    }
    event
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int)
        }
        Json::String(text) => Value::ip_or_str(text),
        Json::Array(elements) => Value::List(elements.iter().map(value).collect()),
        Json::Object(time) => Value::Time(Timestamp::parse(time["time"].as_str().unwrap()).unwrap()),
    }
}
