//! What the tests of this crate share: a line in, an event out.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::PathBuf;
use std::sync::Arc;

use locard_event::{Event, Fields, Stream, Timestamp, Value};
use locard_parse::{Context, normalise};
use serde_json::{Map, Value as Json, json};

/// A line as it comes from a source of `dataset`, normalised.
pub(crate) fn event(
    dataset: &str,
    fields: Fields,
    line: &[u8],
    received: Timestamp,
    time_known: bool,
) -> Event {
    let stream = Arc::new(Stream::new([("event.dataset", dataset)]));
    let mut event = Event::new(received, stream, line.to_vec());
    event.fields = fields;
    normalise(&mut event, Context { received, time_known });
    assert_eq!(event.message, line, "the message is never changed");
    event
}

/// As [`event`] without fields, received at the given time.
pub(crate) fn read(dataset: &str, line: &str, received: &str) -> Event {
    event(dataset, Fields::new(), line.as_bytes(), time(received), false)
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|_| panic!("{text}"))
}

/// The text of a field, empty if it is not there.
pub(crate) fn text(event: &Event, name: &str) -> String {
    event.fields.get(name).map(|value| value.text().into_owned()).unwrap_or_default()
}

pub(crate) fn fields_json(fields: &Fields) -> Json {
    Json::Object(
        fields.iter().map(|(name, value)| (name.to_owned(), value_json(value))).collect::<Map<_, _>>(),
    )
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::List(values) => Json::Array(values.iter().map(value_json).collect()),
        // Told apart from text, since only text that is an address becomes one.
        Value::Ip(ip) => json!(format!("ip {ip}")),
        Value::Time(time) => json!(format!("time {time}")),
        Value::Str(text) => json!(&**text),
    }
}

/// A folder of the shared corpora, or nothing, said loudly, where they are not at hand.
pub(crate) fn corpus(path: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("LOCARD_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let folder = shared.join("corpora").join(path);
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there", folder.display());
    None
}
