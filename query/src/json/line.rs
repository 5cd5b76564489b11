//! [`LineWriter`]: rows of a split as lines of JSON, without putting events together. They say what [`super::EventJson`] says, byte
//! for byte; a test compares.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use locard_event::{Event, Stream, Value, name};
use locard_store::Row;

use super::text::{Clock, put_formatted, put_text};
use super::{EventJson, MESSAGE_BASE64, RESERVED, ValueJson};

/// Writes rows of one split, keeping what they share.
#[derive(Debug, Default)]
pub(crate) struct LineWriter {
    /// By the number of the stream.
    streams: Vec<Option<StreamText>>,
    said: Clock,
    ingested: Clock,
}

/// What a stream adds to each of its lines.
#[derive(Debug)]
struct StreamText {
    /// `,"_stream":"…"`
    id: Vec<u8>,
    /// In name order, each with its member.
    labels: Vec<(Box<str>, Vec<u8>)>,
}

impl StreamText {
    fn of(stream: &Stream) -> Self {
        let mut id = Vec::new();
        put_formatted(&mut id, format_args!(",\"{}\":\"{}\"", name::STREAM, stream.id()));
        let labels = stream.iter().filter(|(name, _)| !RESERVED.contains(name)).map(|(name, label)| {
            let mut text = Vec::new();
            put_name(&mut text, name);
            put_text(&mut text, label);
            (name.into(), text)
        });
        Self { id, labels: labels.collect() }
    }
}

impl LineWriter {
    /// Appends a line, its end included.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, row: &Row<'_>) {
        let id = row.position.id;
        put_formatted(out, format_args!("{{\"{}\":\"{id}\",\"{}\":\"", name::ID, name::TIMESTAMP));
        self.said.put(out, row.time);
        out.push(b'"');
        put_message(out, row.message);
        if let Some(ingested) = row.ingested {
            put_name(out, name::INGESTED);
            out.push(b'"');
            self.ingested.put(out, ingested);
            out.push(b'"');
        }
        let (number, stream) = row.stream;
        if self.streams.len() <= number {
            self.streams.resize_with(number + 1, || None);
        }
        if let Some(slot) = self.streams.get_mut(number) {
            let stream = slot.get_or_insert_with(|| StreamText::of(stream));
            out.extend_from_slice(&stream.id);
            put_named(out, stream, row);
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Labels and fields, merged: both are in name order, and a field hides a label of its name.
fn put_named(out: &mut Vec<u8>, stream: &StreamText, row: &Row<'_>) {
    let mut labels = stream.labels.iter().peekable();
    for (name, text) in row.fields() {
        while let Some((_, label)) = labels.next_if(|(label, _)| **label < *name) {
            out.extend_from_slice(label);
        }
        labels.next_if(|(label, _)| **label == *name);
        out.extend_from_slice(text);
    }
    labels.for_each(|(_, label)| out.extend_from_slice(label));
}

fn put_message(out: &mut Vec<u8>, message: &[u8]) {
    put_name(out, name::MESSAGE);
    match std::str::from_utf8(message) {
        Ok(text) => put_text(out, text),
        Err(_) => {
            put_text(out, &String::from_utf8_lossy(message));
            put_name(out, MESSAGE_BASE64);
            put_text(out, &STANDARD.encode(message));
        }
    }
}

/// Appends what comes before a value that is not the first.
fn put_name(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    put_text(out, name);
    out.push(b':');
}

/// Appends a field as a member; nothing if it says something that is the event's own.
pub(crate) fn put_field(name: &str, value: &Value, out: &mut Vec<u8>) {
    if RESERVED.contains(&name) {
        return;
    }
    put_name(out, name);
    match value {
        Value::Str(text) => put_text(out, text),
        Value::Int(number) => put_formatted(out, format_args!("{number}")),
        // Writing into memory does not fail, and every value can be written.
        other => drop(serde_json::to_writer(out, &ValueJson(other))),
    }
}

/// An event as a line, its end included.
pub(crate) fn line(event: &Event) -> Vec<u8> {
    let mut line = serde_json::to_vec(&EventJson::whole(event)).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use locard_event::Timestamp;

    use super::*;

    #[test]
    fn a_message_is_written_as_that_of_an_event() {
        for message in [&b""[..], b"plain", b"a \"b\" \\ \n", b"caf\xe9", "\u{e9}".as_bytes()] {
            let stream = Arc::new(Stream::new([("a", "b")]));
            let event = line(&Event::new(Timestamp::from_seconds(7), stream, message.to_vec()));
            let mut text = Vec::new();
            put_message(&mut text, message);
            assert!(memchr::memmem::find(&event, &text).is_some(), "{}", String::from_utf8_lossy(&text));
        }
    }
}
