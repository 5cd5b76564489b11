//! Bodies: read twice they give the same, and every event is within the limits. The counts of the answer are those of the events.

use locard_event::{Event, Timestamp};
use locard_indexer::{Action, Bulk, Delivery, Door, Form, HecOrigin, Settings};
use locard_wire::{Ack, Encoding};

use super::kind;
use crate::ground::NOW;

pub(crate) fn check(input: &[u8]) -> Result<String, String> {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (name, body) = input.split_at(end);
    let Some((door, encoding)) = door(name) else { return Ok("no such door".to_owned()) };
    let body = body.get(1..).unwrap_or_default().to_vec().into();
    let delivery = Delivery { door, encoding, batch: None, body };
    let settings = settings();
    let (events, ack) = match delivery.read(NOW, &settings) {
        Ok(read) => read,
        Err(error) => return Ok(format!("{} {}", delivery.door.name(), kind(&error.to_string()))),
    };
    match delivery.read(NOW, &settings) {
        Ok(again) if again == (events.clone(), ack.clone()) => {}
        Ok(again) => return Err(format!("it reads as {events:?}, then as {again:?}")),
        Err(error) => return Err(format!("it is read, then refused: {error}")),
    }
    events.iter().try_for_each(|event| check_bounds(event, &settings))?;
    check_ack(&events, &ack)?;
    let first = events.first().map(|event| event.fields.len().min(20));
    let why = ack.rejected.first().map(|rejected| kind(&rejected.reason)).unwrap_or_default();
    Ok(format!("{} {} {first:?} {why}", delivery.door.name(), events.len().min(3)))
}

/// Small limits are met more often.
fn settings() -> Settings {
    Settings {
        max_decompressed_bytes: 1 << 20,
        max_batch_events: 200,
        max_line_bytes: 512,
        max_fields: 24,
        max_name_bytes: 64,
        max_labels: 6,
        max_label_bytes: 256,
        ..Settings::at("/nowhere")
    }
}

fn door(name: &[u8]) -> Option<(Door, Encoding)> {
    let name = std::str::from_utf8(name).ok()?;
    let (name, encoding) = match name.split_once(' ') {
        Some((name, encoding)) => (name, Encoding::parse(encoding)?),
        None => (name, Encoding::Identity),
    };
    let one = Bulk {
        index: Some("i".into()),
        form: Form::One { action: Action::Index, id: Some("a".into()) },
        ..Bulk::default()
    };
    let door = match name {
        "otlp" => Door::Otlp,
        "otlp_json" => Door::OtlpJson,
        "ndjson" => Door::ndjson(),
        "hec" => Door::Hec(HecOrigin::default()),
        "hec_raw" => Door::HecRaw(HecOrigin::default()),
        "loki" => Door::Loki,
        "loki_json" => Door::LokiJson,
        "audit" => Door::K8sAudit,
        "bulk" => Door::Documents(Bulk::default()),
        "document" => Door::Documents(one),
        _ => return None,
    };
    Some((door, encoding))
}

fn check_bounds(event: &Event, settings: &Settings) -> Result<(), String> {
    let labels: usize = event.stream.iter().map(|(name, value)| name.len() + value.len()).sum();
    // The indexer's own flags come on top of what was sent.
    let own = 8;
    if event.message.len() > settings.max_line_bytes
        || event.fields.len() > settings.max_fields + own
        || event.stream.len() > settings.max_labels
        || labels > settings.max_label_bytes
    {
        return Err(format!("beyond the limits: {event:?}"));
    }
    if event.ingested != Some(NOW) || event.filed() < Timestamp::from_seconds(946_684_800) {
        return Err(format!("filed at {} although it came at {NOW}", event.filed()));
    }
    Ok(())
}

fn check_ack(events: &[Event], ack: &Ack) -> Result<(), String> {
    if ack.accepted != events.len() as u64 {
        return Err(format!("{} events, {} said to be accepted", events.len(), ack.accepted));
    }
    if ack.rejected_count < ack.rejected.len().saturating_sub(1) as u64 {
        return Err(format!("{} refused, {} told", ack.rejected_count, ack.rejected.len()));
    }
    Ok(())
}
