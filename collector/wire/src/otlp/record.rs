//! One `LogRecord` to one [`Event`], within the stream its resource and scope begin.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, Severity, Stream, Timestamp, Value, name};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use super::value::{Collected, field_name, label_text, scalar, to_json};
use locard_event::name::CREATED;

/// `event.dataset` of a resource that names none.
const DATASET: &str = "otlp";

/// Attributes of a record that name its origin, so they are labels. Collectors put them on records.
const LABELS_ON_RECORDS: [&str; 3] = [name::DATASET, name::FILE_PATH, name::IOSTREAM];

/// Members of a structured body that hold the line, in order of preference.
const MESSAGE_MEMBERS: [&str; 4] = ["message", "msg", "log", "_msg"];

/// Most bytes that a scope adds to each of its records: it is sent once and kept with every one of them.
const MAX_SCOPE_BYTES: usize = 16 << 10;

/// How many values were left out because an event has too many; see `max_fields`.
pub(super) const FIELDS_DROPPED: &str = "locard.fields_dropped";

/// The records of one resource and scope.
pub(super) struct Origin {
    labels: Vec<(String, String)>,
    labels_dropped: usize,
    streams: HashMap<[Option<String>; 3], Arc<Stream>>,
    scope: InstrumentationScope,
    /// Attributes of the scope that are left out of each of its records.
    scope_dropped: usize,
    received: Timestamp,
    max_fields: usize,
}

impl Origin {
    pub(super) fn new(resource: Resource, received: Timestamp, max_fields: usize) -> Self {
        let mut attributes = resource.attributes;
        let labels_dropped = attributes.len().saturating_sub(max_fields);
        attributes.truncate(max_fields);
        let text = |KeyValue { key, value, .. }: KeyValue| {
            (field_name(&key).into_owned(), label_text(value.and_then(|any| any.value)))
        };
        Self {
            labels: attributes.into_iter().map(text).collect(),
            labels_dropped: labels_dropped + resource.dropped_attributes_count as usize,
            streams: HashMap::new(),
            scope: InstrumentationScope::default(),
            scope_dropped: 0,
            received,
            max_fields,
        }
    }

    pub(super) fn enter_scope(&mut self, scope: Option<InstrumentationScope>) {
        let mut scope = scope.unwrap_or_default();
        self.scope_dropped = cut_scope(&mut scope);
        self.scope = scope;
    }

    pub(super) fn event(&mut self, mut record: LogRecord) -> Event {
        let stream = self.stream(&mut record.attributes);
        let mut collected = Collected::new(self.max_fields);
        add_trace(&record, &mut collected);
        add_severity(&record, &mut collected);
        let time = self.add_times(&mut record, &mut collected);
        add_scope(&self.scope, &mut collected);
        let message = body(record.body.and_then(|any| any.value), &mut record.attributes, &mut collected);
        collected.add_all(record.attributes);

        let mut event = Event::new(time, stream, message);
        event.fields = collected.fields;
        let dropped = collected.dropped
            + self.labels_dropped
            + self.scope_dropped
            + record.dropped_attributes_count as usize;
        if dropped > 0 {
            event.fields.set(FIELDS_DROPPED, dropped as i64);
        }
        event
    }

    /// The stream of a record: the resource's labels and those on the record itself, which are taken out of it.
    fn stream(&mut self, attributes: &mut Vec<KeyValue>) -> Arc<Stream> {
        let own = LABELS_ON_RECORDS.map(|label| take_text(attributes, label));
        if let Some(stream) = self.streams.get(&own) {
            return Arc::clone(stream);
        }
        let mut labels = vec![(name::DATASET.to_owned(), DATASET.to_owned())];
        labels.extend(self.labels.iter().filter(|(_, value)| !value.is_empty()).cloned());
        for (label, value) in LABELS_ON_RECORDS.into_iter().zip(&own) {
            labels.extend(value.clone().map(|value| (label.to_owned(), value)));
        }
        let stream = Arc::new(Stream::new(labels));
        self.streams.insert(own, Arc::clone(&stream));
        stream
    }

    /// The time a record happened. When only the time it was observed at is known, that one is also `event.created`, so that
    /// [`super::time_known`] can tell.
    fn add_times(&self, record: &mut LogRecord, collected: &mut Collected) -> Timestamp {
        let observed = timestamp(record.observed_time_unix_nano);
        let said = timestamp(record.time_unix_nano).or_else(|| take_time(&mut record.attributes));
        if let Some(observed) = observed
            && said != Some(observed)
        {
            collected.put(CREATED, Value::Time(observed));
        }
        said.or(observed).unwrap_or(self.received)
    }
}

/// Zero means unknown. Beyond the year 2262 there is no time this can hold; it ends up flagged as not credible.
fn timestamp(nanos: u64) -> Option<Timestamp> {
    (nanos != 0).then(|| Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX)))
}

/// Our own encoder says times before 1970 this way, which OTLP cannot.
fn take_time(attributes: &mut Vec<KeyValue>) -> Option<Timestamp> {
    let is_time = |text: &str| Timestamp::parse(text).is_ok();
    let index = position(attributes, name::TIMESTAMP, is_time)?;
    Timestamp::parse(text_of(&attributes.remove(index))?).ok()
}

fn take_text(attributes: &mut Vec<KeyValue>, key: &str) -> Option<String> {
    let index = position(attributes, key, |text| !text.is_empty())?;
    match attributes.remove(index).value?.value? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

fn position(attributes: &[KeyValue], key: &str, fits: impl Fn(&str) -> bool) -> Option<usize> {
    attributes.iter().position(|attribute| attribute.key == key && text_of(attribute).is_some_and(&fits))
}

fn text_of(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

fn add_trace(record: &LogRecord, collected: &mut Collected) {
    for (field, id) in [("trace.id", &record.trace_id), ("span.id", &record.span_id)] {
        if id.iter().any(|byte| *byte != 0) {
            collected.put(field, Value::from(hex(id)));
        }
    }
    if record.flags != 0 {
        collected.put("otel.flags", Value::Int(i64::from(record.flags)));
    }
    if !record.event_name.is_empty() {
        collected.put("event.name", Value::str(record.event_name.as_str()));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number decides the level; what it cannot say of the original is kept beside it.
fn add_severity(record: &LogRecord, collected: &mut Collected) {
    let (number, text) = (record.severity_number, record.severity_text.as_str());
    let said = Severity::parse(text);
    let level = Severity::from_otlp_number(number).or(said);
    if let Some(level) = level {
        collected.put(name::LEVEL, Value::str(level.name()));
    }
    if number != 0 && level.map(Severity::otlp_number) != Some(number) {
        collected.put("otel.severity_number", Value::Int(i64::from(number)));
    }
    if !text.is_empty() && (said.is_none() || said != level) {
        collected.put("otel.severity_text", Value::str(text));
    }
}

/// Leaves out of a scope what would make it too large; answers how many values.
fn cut_scope(scope: &mut InstrumentationScope) -> usize {
    let mut room = MAX_SCOPE_BYTES;
    let mut dropped = 0;
    for text in [&mut scope.name, &mut scope.version] {
        match room.checked_sub(text.len()) {
            Some(rest) => room = rest,
            None => {
                text.clear();
                dropped += 1;
            }
        }
    }
    let before = scope.attributes.len();
    scope.attributes.retain(|attribute| match room.checked_sub(attribute.encoded_len()) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    });
    dropped + before - scope.attributes.len()
}

fn add_scope(scope: &InstrumentationScope, collected: &mut Collected) {
    for (field, text) in [("otel.scope.name", &scope.name), ("otel.scope.version", &scope.version)] {
        if !text.is_empty() {
            collected.put(field, Value::str(text.as_str()));
        }
    }
    for KeyValue { key, value, .. } in scope.attributes.iter().cloned() {
        collected.add(&format!("otel.scope.attributes.{key}"), value.and_then(|any| any.value));
    }
}

/// The line. Members of a structured body become fields; one that holds text is the line, else the whole body as JSON is.
fn body(body: Option<Any>, attributes: &mut Vec<KeyValue>, collected: &mut Collected) -> Bytes {
    match body {
        Some(Any::StringValue(text)) => Bytes::from(text),
        Some(Any::BytesValue(bytes)) => Bytes::from(bytes),
        Some(Any::KvlistValue(mut list)) => {
            let line = MESSAGE_MEMBERS.iter().find_map(|member| take_text(&mut list.values, member));
            let line = line.unwrap_or_else(|| to_json(Some(&Any::KvlistValue(list.clone()))).to_string());
            collected.add_all(list.values);
            Bytes::from(line)
        }
        Some(array @ Any::ArrayValue(_)) => Bytes::from(to_json(Some(&array)).to_string()),
        None => take_text(attributes, name::MESSAGE).map(Bytes::from).unwrap_or_default(),
        single => Bytes::from(scalar(single).text().into_owned()),
    }
}
