//! `ExportLogsServiceRequest` to events, a record at a time.

use locard_event::name::CREATED;
use locard_event::{Event, Timestamp, Value};
use prost::Message;

use super::json;
use super::record::Origin;
use super::walk::{Kind, check_nested, each};
use super::{DecodeError, MAX_RECORDS};

/// Field numbers of `opentelemetry/proto/logs/v1/logs.proto`.
const RESOURCE_LOGS: u32 = 1;
const RESOURCE: u32 = 1;
const SCOPE_LOGS: u32 = 2;
const SCOPE: u32 = 1;
const LOG_RECORDS: u32 = 2;

/// Decodes OTLP logs in protobuf. An event without a time gets the time it was observed at, else `received`; see [`time_known`].
/// Never loses a record: what has no field of its own in Locard gets one under `otel.`, and what goes beyond `max_fields` is
/// counted in `locard.fields_dropped`.
///
/// # Errors
/// The body is malformed or holds too many records.
pub fn decode(body: &[u8], received: Timestamp, max_fields: usize) -> Result<Vec<Event>, DecodeError> {
    let mut events = Vec::new();
    for resource_logs in each(body, RESOURCE_LOGS) {
        decode_resource(resource_logs?, received, max_fields, &mut events)?;
    }
    Ok(events)
}

/// As [`decode`] for the JSON encoding. Takes what senders in the wild write: numbers as strings or numbers, ids in hex or
/// base64, names in camel or snake case, enums as numbers or names.
///
/// # Errors
/// The body is malformed or holds too many records.
pub fn decode_json(body: &[u8], received: Timestamp, max_fields: usize) -> Result<Vec<Event>, DecodeError> {
    let mut events = Vec::new();
    for resource_logs in json::read_request(body)? {
        let mut origin = Origin::new(resource_logs.resource()?, received, max_fields);
        for scope_logs in resource_logs.scopes() {
            origin.enter_scope(scope_logs.scope()?);
            for record in scope_logs.records()? {
                push(&mut events, origin.event(json::read_record(record)?))?;
            }
        }
    }
    Ok(events)
}

/// Whether a decoded event's time was said by its source, as opposed to when it was observed or received: only then may a
/// time in the line itself not replace it.
pub fn time_known(event: &Event, received: Timestamp) -> bool {
    event.time != received && event.fields.get(CREATED) != Some(&Value::Time(event.time))
}

fn push(events: &mut Vec<Event>, event: Event) -> Result<(), DecodeError> {
    if events.len() == MAX_RECORDS {
        return Err(DecodeError::TooMany { noun: "records", limit: MAX_RECORDS });
    }
    events.push(event);
    Ok(())
}

/// Field order on the wire is free, so the resource is looked for before the first record is read.
fn decode_resource(
    body: &[u8],
    received: Timestamp,
    max_fields: usize,
    events: &mut Vec<Event>,
) -> Result<(), DecodeError> {
    let resource = merge(body, RESOURCE, Kind::Resource)?.unwrap_or_default();
    let mut origin = Origin::new(resource, received, max_fields);
    for scope_logs in each(body, SCOPE_LOGS) {
        let scope_logs = scope_logs?;
        origin.enter_scope(merge(scope_logs, SCOPE, Kind::Scope)?);
        for record in each(scope_logs, LOG_RECORDS) {
            let record = record?;
            check_nested(record, Kind::Record)?;
            push(events, origin.event(Message::decode(record)?))?;
        }
    }
    Ok(())
}

/// A message field that is there more than once is merged, as protobuf says.
fn merge<M: Message + Default>(body: &[u8], tag: u32, kind: Kind) -> Result<Option<M>, DecodeError> {
    let mut merged = None;
    for payload in each(body, tag) {
        let payload = payload?;
        check_nested(payload, kind)?;
        merged.get_or_insert_with(M::default).merge(payload)?;
    }
    Ok(merged)
}
