//! Splunk's HTTP event collector: JSON objects one after the other, with white space between them or without; or raw lines.
//!
//! A body is accepted as a whole or refused with the number of the first event that is wrong, as Splunk numbers them.
//! Source: Splunk, *Format events for HTTP Event Collector*.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, Stream, Timestamp, name};
use locard_parse::flatten::flatten_value;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::labels::Streams;
use super::ndjson::{self, Names, Options, lines, read_time};
use super::{MAX_BODY_VALUES, Raw, check_dataset};
use crate::delivery::{Error, HecFault, HecOrigin};
use crate::wal::ReadLimits;

/// `event.dataset` where nothing names an index.
const DATASET: &str = "hec";
const SOURCE: &str = "splunk.source";
const SOURCETYPE: &str = "splunk.sourcetype";
/// Members of an envelope that mean nothing here and are kept.
const MAX_OTHERS: usize = 64;

/// What one object says.
#[derive(Default)]
struct Envelope<'t> {
    event: Option<&'t RawValue>,
    time: Option<&'t RawValue>,
    host: Option<Json>,
    source: Option<Json>,
    sourcetype: Option<Json>,
    index: Option<Json>,
    fields: Option<&'t RawValue>,
    others: Vec<(String, &'t RawValue)>,
    left_out: usize,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// Of a member that is said twice the last counts.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Envelope<'de>, A::Error> {
        let mut found = Envelope::default();
        while let Some(key) = members.next_key::<Cow<'de, str>>()? {
            match &*key {
                "event" => found.event = members.next_value()?,
                "fields" => found.fields = members.next_value()?,
                "time" => found.time = members.next_value()?,
                "host" => found.host = single(members.next_value()?),
                "source" => found.source = single(members.next_value()?),
                "sourcetype" => found.sourcetype = single(members.next_value()?),
                "index" => found.index = single(members.next_value()?),
                _ if found.others.len() < MAX_OTHERS => {
                    found.others.push((key.into_owned(), members.next_value()?));
                }
                _ => {
                    members.next_value::<&RawValue>()?;
                    found.left_out += 1;
                }
            }
        }
        Ok(found)
    }
}

/// A text, number or boolean; a list or an object there is kept as its text. Empty is nothing.
fn single(raw: &RawValue) -> Option<Json> {
    match serde_json::from_str(raw.get()) {
        Ok(Json::Null) => None,
        Ok(Json::String(text)) if text.is_empty() => None,
        Ok(value @ (Json::String(_) | Json::Number(_) | Json::Bool(_))) => Some(value),
        _ => Some(Json::String(raw.get().to_owned())),
    }
}

fn text(value: Option<&Json>) -> Option<Cow<'_, str>> {
    match value? {
        Json::String(text) => Some(text.into()),
        other => Some(other.to_string().into()),
    }
}

/// Seconds, as a number or a text, or any other time that NDJSON takes. A number's own digits are read, not its nearest float.
fn time(said: Option<&RawValue>) -> Result<Option<Timestamp>, HecFault> {
    let Some((raw, value)) = said.and_then(|raw| Some((raw.get(), single(raw)?))) else { return Ok(None) };
    let time = Timestamp::parse(raw).ok().or_else(|| read_time(&value));
    time.map(Some).ok_or(HecFault::Format)
}

/// Reads the events of `body`, which is raw lines or objects, and hands them out.
pub(super) fn read(
    body: &Bytes,
    origin: &HecOrigin,
    raw: bool,
    (received, limits): (Timestamp, &ReadLimits),
    each: impl FnMut(Raw),
) -> Result<(), Error> {
    let names = NamesOwned::default();
    let options = Options {
        names: Names {
            time_fields: &[],
            message_fields: &names.message,
            stream_fields: &names.stream,
            dataset: DATASET,
            of_documents: false,
        },
        keep_original: false,
        received,
        limits,
    };
    let reader = Reader {
        origin,
        options: &options,
        streams: Streams::new(&names.stream, DATASET),
        last: None,
        room: MAX_BODY_VALUES,
        number: 0,
        each,
    };
    if raw { reader.read_lines(body) } else { reader.read_objects(body) }
}

struct NamesOwned {
    message: Vec<String>,
    stream: Vec<String>,
}

impl Default for NamesOwned {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            message: names(&["message", "msg", "log", "_msg"]),
            stream: names(&["host.name", "event.dataset", "kubernetes"]),
        }
    }
}

/// What is said of an event's origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Labels {
    host: Option<String>,
    source: Option<String>,
    sourcetype: Option<String>,
    index: Option<String>,
}

struct Reader<'o, F> {
    origin: &'o HecOrigin,
    options: &'o Options<'o>,
    streams: Streams<'o>,
    /// What was said last, of which stream, and what that made.
    last: Option<(Labels, Arc<Stream>, Arc<Stream>)>,
    room: usize,
    /// Of the event, from 0.
    number: u64,
    each: F,
}

impl<F: FnMut(Raw)> Reader<'_, F> {
    fn read_lines(mut self, body: &Bytes) -> Result<(), Error> {
        let labels = self.labels(&Envelope::default());
        for line in lines(body) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            self.count()?;
            let plain = self.streams.take(&mut locard_event::Fields::new());
            let mut event = Event::new(self.options.received, plain, Bytes::copy_from_slice(line));
            event.stream = self.stream(&labels, &event.stream);
            self.accept(Raw { event, time_known: false, whole_line: false, left_out: 0 })?;
        }
        self.end()
    }

    fn read_objects(mut self, body: &Bytes) -> Result<(), Error> {
        let text = String::from_utf8_lossy(body);
        let mended = matches!(text, Cow::Owned(_));
        let envelopes = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
        for envelope in envelopes.into_iter::<Envelope<'_>>() {
            self.count()?;
            let envelope = envelope.map_err(|_| self.fault(HecFault::Format))?;
            let mut raw = self.event(&envelope)?;
            if mended {
                let why = "the body is not valid UTF-8; this event was read with replacement characters";
                raw.event.fields.set_default(name::ERROR_MESSAGE, why);
            }
            self.accept(raw)?;
        }
        self.end()
    }

    fn count(&self) -> Result<(), Error> {
        let max_events = self.options.limits.max_events;
        if self.number == max_events as u64 { Err(Error::TooMany { max_events }) } else { Ok(()) }
    }

    fn accept(&mut self, raw: Raw) -> Result<(), Error> {
        if check_dataset(&raw.event).is_err() {
            return Err(self.fault(HecFault::Index));
        }
        (self.each)(raw);
        self.number += 1;
        Ok(())
    }

    fn end(&self) -> Result<(), Error> {
        if self.number == 0 { Err(self.fault(HecFault::NoData)) } else { Ok(()) }
    }

    fn fault(&self, fault: HecFault) -> Error {
        Error::BadEvent { number: self.number, fault }
    }

    fn event(&mut self, envelope: &Envelope<'_>) -> Result<Raw, Error> {
        let time = time(envelope.time).map_err(|fault| self.fault(fault))?;
        let mut raw = self.content(envelope.event)?;
        if let Some(time) = time {
            (raw.event.time, raw.time_known) = (time, true);
        }
        self.add_fields(envelope, &mut raw)?;
        raw.event.stream = self.stream(&self.labels(envelope), &raw.event.stream);
        Ok(raw)
    }

    /// The event itself: a text is the line, an object is read as a line of NDJSON is.
    fn content(&mut self, event: Option<&RawValue>) -> Result<Raw, Error> {
        let text = event.map(RawValue::get).filter(|text| *text != "null");
        let text = text.ok_or_else(|| self.fault(HecFault::Missing))?;
        if text.starts_with('{') {
            let read = ndjson::fully(text.as_bytes(), self.options, &mut self.room, &mut self.streams);
            return read.map_err(|_| self.fault(HecFault::Format));
        }
        let line = match serde_json::from_str::<String>(text) {
            Ok(line) if line.is_empty() => return Err(self.fault(HecFault::Blank)),
            Ok(line) => line,
            Err(_) if text.starts_with('"') => return Err(self.fault(HecFault::Format)),
            Err(_) => text.to_owned(),
        };
        let stream = self.streams.take(&mut locard_event::Fields::new());
        let event = Event::new(self.options.received, stream, line);
        Ok(Raw { event, time_known: false, whole_line: false, left_out: 0 })
    }

    /// `fields` as they are called, and what else the envelope says, under `splunk.`.
    fn add_fields(&mut self, envelope: &Envelope<'_>, raw: &mut Raw) -> Result<(), Error> {
        let max_fields = self.options.limits.max_fields;
        let fields = &mut raw.event.fields;
        if let Some(said) = envelope.fields.filter(|said| said.get() != "null") {
            ndjson::fits(said.get().as_bytes(), &mut self.room).map_err(|_| self.fault(HecFault::Fields))?;
            let object: serde_json::Map<String, Json> =
                serde_json::from_str(said.get()).map_err(|_| self.fault(HecFault::Fields))?;
            if object.values().any(is_nested) {
                return Err(self.fault(HecFault::Fields));
            }
            for (name, value) in object {
                raw.left_out += flatten_value(&name, value, fields, max_fields);
            }
        }
        for (name, value) in &envelope.others {
            ndjson::fits(value.get().as_bytes(), &mut self.room).map_err(|_| self.fault(HecFault::Format))?;
            let value = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().into());
            raw.left_out += flatten_value(&format!("splunk.{name}"), value, fields, max_fields);
        }
        raw.left_out += envelope.left_out;
        ndjson::set_aside_reserved(fields);
        Ok(())
    }

    fn labels(&self, envelope: &Envelope<'_>) -> Labels {
        let or = |said: &Option<Json>, default: &Option<String>| {
            text(said.as_ref()).map(Cow::into_owned).or_else(|| default.clone())
        };
        Labels {
            host: or(&envelope.host, &self.origin.host),
            source: or(&envelope.source, &self.origin.source),
            sourcetype: or(&envelope.sourcetype, &self.origin.sourcetype),
            index: or(&envelope.index, &self.origin.index),
        }
    }

    /// The stream of the event's own labels with those of the envelope; what the event says of its host itself is nearer.
    fn stream(&mut self, labels: &Labels, own: &Arc<Stream>) -> Arc<Stream> {
        if let Some((known, of, stream)) = &self.last
            && known == labels
            && Arc::ptr_eq(of, own)
        {
            return Arc::clone(stream);
        }
        let said = |name: &str| own.get(name).is_some();
        let Labels { host, source, sourcetype, index } = labels;
        let path = source.as_ref().filter(|source| is_path(source) && !said(name::FILE_PATH));
        let added = [
            (name::HOST, host.as_ref().filter(|_| !said(name::HOST))),
            (SOURCE, source.as_ref()),
            (SOURCETYPE, sourcetype.as_ref()),
            (name::FILE_PATH, path),
            (name::DATASET, index.as_ref()),
        ];
        let added: Vec<(&str, &str)> =
            added.into_iter().filter_map(|(name, value)| Some((name, value?.as_str()))).collect();
        let kept = own.iter().filter(|(name, _)| added.iter().all(|(other, _)| other != name));
        let stream = Arc::new(Stream::new(kept.chain(added.iter().copied())));
        self.last = Some((labels.clone(), Arc::clone(own), Arc::clone(&stream)));
        stream
    }
}

/// Indexed fields are flat: texts, numbers, booleans, and lists of them.
fn is_nested(value: &Json) -> bool {
    match value {
        Json::Object(_) => true,
        Json::Array(values) => values.iter().any(|value| matches!(value, Json::Object(_) | Json::Array(_))),
        _ => false,
    }
}

/// `/var/log/x` or `C:\x`.
fn is_path(source: &str) -> bool {
    let drive = |source: &str| source.as_bytes().get(1..3) == Some(br":\");
    source.starts_with('/') || drive(source)
}

#[cfg(test)]
mod tests {
    use locard_event::Value;

    use super::*;
    use crate::Door;
    use crate::receive::tests::{check_events, refused};

    fn hec() -> Door {
        Door::Hec(HecOrigin::default())
    }

    #[test]
    fn objects_follow_one_another_with_or_without_space() {
        for gap in ["", "\n", " \r\n\n "] {
            let body = ["{\"event\":\"a\"}", "{\"event\":\"b\"}", ""].join(gap);
            let events = check_events(&hec(), body);
            assert_eq!(events.iter().map(|event| &event.message[..]).collect::<Vec<_>>(), [b"a", b"b"]);
        }
    }

    #[test]
    fn what_the_envelope_says_becomes_labels_time_and_fields() {
        let body = r#"{"time":"1764000000.123456789","host":"n1","source":"/var/log/a","sourcetype":"st","index":"main",
            "fields":{"tier":"gold","n":7,"l":["a","b"]},"event":{"message":"hello","user":{"name":"ann"}},"x":{"y":1}}"#;
        let event = check_events(&hec(), body).remove(0);
        assert_eq!(event.time, Timestamp::from_nanos(1_764_000_000_123_456_789));
        assert_eq!(event.message, "hello");
        let labels: Vec<_> = event.stream.iter().collect();
        let expected = [
            ("event.dataset", "main"),
            ("host.name", "n1"),
            ("log.file.path", "/var/log/a"),
            ("splunk.source", "/var/log/a"),
            ("splunk.sourcetype", "st"),
        ];
        assert_eq!(labels, expected);
        let fields: Vec<_> =
            event.fields.iter().map(|(name, value)| (name, value.text().into_owned())).collect();
        assert_eq!(fields.len(), 5);
        assert_eq!(event.fields.get("l"), Some(&Value::List(vec!["a".into(), "b".into()])));
        for (name, value) in [("tier", "gold"), ("n", "7"), ("user.name", "ann"), ("splunk.x.y", "1")] {
            assert_eq!(event.get(name).unwrap().text(), value, "{name}");
        }
    }

    #[test]
    fn a_time_is_a_number_or_a_text_in_seconds() {
        for time in ["1764000000.5", "\"1764000000.500\""] {
            let event = check_events(&hec(), format!("{{\"time\":{time},\"event\":1}}")).remove(0);
            assert_eq!(event.time, Timestamp::from_nanos(1_764_000_000_500_000_000));
            assert_eq!(event.message, "1");
        }
    }

    #[test]
    fn the_request_says_what_events_do_not() {
        let origin = HecOrigin { host: Some("h".into()), index: Some("i".into()), ..HecOrigin::default() };
        let events = check_events(&Door::Hec(origin.clone()), r#"{"event":"a"}{"event":"b","host":"own"}"#);
        assert_eq!(events[0].stream.get("host.name"), Some("h"));
        assert_eq!(events[1].stream.get("host.name"), Some("own"));
        let events = check_events(&Door::HecRaw(origin), "one\r\n\n caf\u{e9} \n");
        assert_eq!(
            events.iter().map(|e| &e.message[..]).collect::<Vec<_>>(),
            [&b"one"[..], " café ".as_bytes()]
        );
        assert_eq!(events[0].stream.get("event.dataset"), Some("i"));
    }

    #[test]
    fn the_first_wrong_event_is_numbered_from_0() {
        let good = r#"{"event":"a"}"#;
        for (bad, fault) in [
            ("{", HecFault::Format),
            ("[]", HecFault::Format),
            (r#"{"event":"x","time":"noon"}"#, HecFault::Format),
            (r#"{"time":1}"#, HecFault::Missing),
            (r#"{"event":null}"#, HecFault::Missing),
            (r#"{"event":""}"#, HecFault::Blank),
            (r#"{"event":"x","fields":{"a":{"b":1}}}"#, HecFault::Fields),
            (r#"{"event":"x","fields":7}"#, HecFault::Fields),
            (r#"{"event":"x","index":"Bad Name"}"#, HecFault::Index),
        ] {
            let error = refused(&hec(), format!("{good}{bad}"));
            assert!(matches!(error, Error::BadEvent { number: 1, fault: f } if f == fault), "{bad}: {error}");
        }
        for empty in ["", " \n"] {
            let error = refused(&hec(), empty);
            assert!(matches!(error, Error::BadEvent { number: 0, fault: HecFault::NoData }), "{error}");
        }
    }
}
