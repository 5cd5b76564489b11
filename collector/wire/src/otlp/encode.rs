//! Events to `ExportLogsServiceRequest`.

use std::collections::HashMap;

use locard_event::{Event, Fields, Severity, Stream, StreamId, Timestamp, Value, name};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::value::from_value;
use locard_event::name::CREATED;

/// Encodes events as OTLP logs in protobuf: one resource per stream (its labels), one record per event, streams in the order
/// they first appear, events of a stream in their order.
///
/// As in OTLP, the time 0 means that the time is not known: whoever decodes it uses the time of receipt, or one in the line. An event
/// whose `event.created` is its own time travels without a time too, only with the one it was observed at. `id` and `ingested` do
/// not travel.
pub fn encode(events: &[Event]) -> Vec<u8> {
    let mut places = HashMap::<StreamId, usize>::new();
    let mut streams = Vec::<(&Stream, Vec<LogRecord>)>::new();
    for event in events {
        let place = *places.entry(event.stream.id()).or_insert_with(|| {
            streams.push((&event.stream, Vec::new()));
            streams.len() - 1
        });
        if let Some((_, records)) = streams.get_mut(place) {
            records.push(record(event));
        }
    }
    let resource_logs = streams.into_iter().map(|(stream, records)| resource_logs(stream, records)).collect();
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

fn resource_logs(stream: &Stream, log_records: Vec<LogRecord>) -> ResourceLogs {
    let label = |(name, value): (&str, &str)| attribute(name, Some(Any::StringValue(value.to_owned())));
    let resource = Resource { attributes: stream.iter().map(label).collect(), ..Resource::default() };
    ResourceLogs {
        resource: Some(resource),
        scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
        ..ResourceLogs::default()
    }
}

fn attribute(key: &str, value: Option<Any>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
}

fn record(event: &Event) -> LogRecord {
    let mut record = LogRecord { body: Some(body(&event.message)), ..LogRecord::default() };
    set_time(&mut record, event);
    for (field, value) in event.fields.iter() {
        if !set_own(&mut record, &event.fields, field, value) {
            record.attributes.push(KeyValue {
                key: field.to_owned(),
                value: Some(from_value(value)),
                ..KeyValue::default()
            });
        }
    }
    record
}

fn body(message: &[u8]) -> AnyValue {
    let value = match std::str::from_utf8(message) {
        Ok(text) => Any::StringValue(text.to_owned()),
        Err(_) => Any::BytesValue(message.to_vec()),
    };
    AnyValue { value: Some(value) }
}

fn set_time(record: &mut LogRecord, event: &Event) {
    match positive_nanos(event.time) {
        _ if event.fields.get(CREATED) == Some(&Value::Time(event.time)) => {}
        Some(nanos) => record.time_unix_nano = nanos,
        None if event.time.nanos() == 0 => {}
        // OTLP has no time before 1970.
        None => {
            let text = event.time.to_string();
            record.attributes.push(attribute(name::TIMESTAMP, Some(Any::StringValue(text))));
        }
    }
}

fn positive_nanos(time: Timestamp) -> Option<u64> {
    u64::try_from(time.nanos()).ok().filter(|nanos| *nanos != 0)
}

/// Puts a field where OTLP has a place for it. False: it has none, or the value would not come back the same.
fn set_own(record: &mut LogRecord, fields: &Fields, field: &str, value: &Value) -> bool {
    match (field, value) {
        (CREATED, Value::Time(time)) => match positive_nanos(*time) {
            Some(nanos) => {
                record.observed_time_unix_nano = nanos;
                true
            }
            None => false,
        },
        (name::LEVEL, Value::Str(text)) => set_severity(record, fields, text),
        ("trace.id", Value::Str(text)) => set_id(&mut record.trace_id, text, 16),
        ("span.id", Value::Str(text)) => set_id(&mut record.span_id, text, 8),
        _ => false,
    }
}

fn set_severity(record: &mut LogRecord, fields: &Fields, text: &str) -> bool {
    let level = Severity::parse(text).filter(|level| level.name() == text);
    let Some(level) = level.filter(|_| fields.get("otel.severity_number").is_none()) else { return false };
    record.severity_number = level.otlp_number();
    record.severity_text = text.to_owned();
    true
}

fn set_id(slot: &mut Vec<u8>, text: &str, bytes: usize) -> bool {
    let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != 2 * bytes || !lower || text.bytes().all(|b| b == b'0') {
        return false;
    }
    *slot = super::json::from_hex(text).unwrap_or_default();
    true
}
