//! Loki's push request, in protobuf and in JSON: lines by stream, with labels.
//!
//! Labels become the stream's labels under their own names, and under ECS names where they mean what ECS has a word for.
//! Source: Grafana Loki, *HTTP API, Ingest logs*.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::str::CharIndices;
use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, Severity, Stream, Timestamp, name};
use locard_wire::{LokiEntry, decode_loki};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ndjson::{self, RESERVED, fits};
use super::{MAX_BODY_VALUES, Raw, Rejections, check_dataset, refuse, take_room};
use crate::delivery::Error;
use crate::wal::ReadLimits;

/// `event.dataset` of streams that do not say theirs.
const DATASET: &str = "loki";

/// Labels that mean what ECS has a word for.
const ECS: [(&str, &str); 9] = [
    ("host", name::HOST),
    ("hostname", name::HOST),
    ("namespace", name::NAMESPACE),
    ("pod", name::POD_NAME),
    ("container", name::CONTAINER_NAME),
    ("node_name", "kubernetes.node.name"),
    ("filename", name::FILE_PATH),
    ("service_name", "service.name"),
    ("stream", name::IOSTREAM),
];
/// What says how bad it is, the surest first.
const LEVELS: [&str; 4] = ["level", "detected_level", "severity", "severity_text"];

type Labels = Vec<(String, String)>;

/// Reads a protobuf request that is not compressed any more. Its lines are numbered from 1.
pub(super) fn read(
    body: &Bytes,
    limits: &ReadLimits,
    rejections: &mut Rejections,
    each: impl FnMut(Raw),
) -> Result<(), Error> {
    let mut lines = Lines { limits, rejections, each, number: 0, events: 0 };
    let mut last: Option<(Vec<u8>, Origin)> = None;
    let mut outcome = Ok(());
    let decoded = decode_loki(body, |labels, entry| {
        let origin = match last.take().filter(|(text, _)| text == labels) {
            Some((_, origin)) => Ok(origin),
            None => read_labels(&String::from_utf8_lossy(labels)).map(Origin::new),
        };
        outcome = origin.and_then(|origin| {
            let (_, origin) = last.insert((labels.to_vec(), origin));
            lines.add(origin, entry)
        });
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    decoded.map_err(refuse)?;
    outcome
}

#[derive(Deserialize)]
struct Push<'t> {
    #[serde(borrow)]
    streams: Vec<&'t RawValue>,
}

#[derive(Deserialize)]
struct JsonStream<'t> {
    stream: BTreeMap<String, String>,
    #[serde(borrow)]
    values: Vec<&'t RawValue>,
}

/// `["<nanoseconds>", "<line>", {"name": "value"}]`.
#[derive(Deserialize)]
struct JsonEntry<'t>(
    #[serde(borrow)] &'t RawValue,
    #[serde(borrow)] Cow<'t, str>,
    #[serde(default)] BTreeMap<String, String>,
);

/// Reads a request in JSON. Its lines are numbered from 1.
pub(super) fn read_json(
    body: &Bytes,
    limits: &ReadLimits,
    rejections: &mut Rejections,
    each: impl FnMut(Raw),
) -> Result<(), Error> {
    let mut room = MAX_BODY_VALUES;
    take_room(body, &mut room)?;
    let text = String::from_utf8_lossy(body);
    let mut lines = Lines { limits, rejections, each, number: 0, events: 0 };
    let push: Push<'_> = serde_json::from_str(&text).map_err(|error| malformed(&error))?;
    for stream in push.streams {
        let JsonStream { stream, values } =
            serde_json::from_str(stream.get()).map_err(|error| malformed(&error))?;
        let origin = Origin::new(stream.into_iter().collect());
        for value in values {
            // One line may hold no more than one of NDJSON may.
            fits(value.get().as_bytes(), &mut MAX_BODY_VALUES.clone())
                .map_err(|reason| Error::Malformed { line: None, reason })?;
            let JsonEntry(time, line, metadata) =
                serde_json::from_str(value.get()).map_err(|error| malformed(&error))?;
            let time = nanoseconds(time.get())?;
            let metadata = metadata.into_iter().collect();
            lines.add(&origin, LokiEntry { time, line: Bytes::from(line.into_owned()), metadata })?;
        }
    }
    Ok(())
}

fn malformed(error: &serde_json::Error) -> Error {
    let line = Some(error.line() as u64).filter(|line| *line > 0);
    Error::Malformed { line, reason: format!("not a push request of Loki in JSON: {error}") }
}

/// Nanoseconds since 1970, in quotes; a bare number is understood too.
fn nanoseconds(raw: &str) -> Result<Timestamp, Error> {
    let digits = raw.trim_matches('"');
    let bad = |_| Error::Malformed {
        line: None,
        reason: format!("`{}` is not a time in nanoseconds", digits.chars().take(40).collect::<String>()),
    };
    digits.parse().map(Timestamp::from_nanos).map_err(bad)
}

/// The lines of one request.
struct Lines<'a, F> {
    limits: &'a ReadLimits,
    rejections: &'a mut Rejections,
    each: F,
    number: u64,
    events: usize,
}

impl<F: FnMut(Raw)> Lines<'_, F> {
    fn add(&mut self, origin: &Origin, entry: LokiEntry) -> Result<(), Error> {
        self.number += 1;
        let max_events = self.limits.max_events;
        if self.events == max_events {
            return Err(Error::TooMany { max_events });
        }
        let LokiEntry { time, line, metadata } = entry;
        // The rest of the body is not kept alive for the sake of a slice.
        let mut event = Event::new(time, Arc::clone(&origin.stream), line);
        let mut left_out = 0;
        for (name, value) in &metadata {
            if event.fields.len() < self.limits.max_fields {
                event.fields.append(name, value.as_str());
            } else {
                left_out += 1;
            }
        }
        ndjson::set_aside_reserved(&mut event.fields);
        if let Some(level) = level(&metadata).or_else(|| origin.level.clone()) {
            event.fields.set_default(name::LEVEL, level);
        }
        match check_dataset(&event) {
            Ok(()) => {
                self.events += 1;
                (self.each)(Raw { event, time_known: true, whole_line: false, left_out });
            }
            Err(reason) => self.rejections.add(self.number, reason),
        }
        Ok(())
    }
}

/// What the lines of one stream share.
struct Origin {
    stream: Arc<Stream>,
    level: Option<String>,
}

impl Origin {
    fn new(labels: Labels) -> Self {
        let level = level(&labels);
        let said = |wanted: &str| labels.iter().any(|(name, _)| name == wanted);
        let mut all: Labels = Vec::new();
        for (label, ecs) in ECS {
            let known = said(ecs) || all.iter().any(|(name, _)| name == ecs);
            if let Some((_, value)) = labels.iter().find(|(name, _)| name == label && !known) {
                all.push((ecs.to_owned(), value.clone()));
            }
        }
        if !said(name::DATASET) {
            all.push((name::DATASET.to_owned(), DATASET.to_owned()));
        }
        let own = labels.into_iter().filter(|(name, value)| !name.is_empty() && !value.is_empty());
        all.extend(own.map(|(name, value)| (set_aside(name), value)));
        Self { stream: Arc::new(Stream::new(all)), level }
    }
}

/// A label called like something of Locard's own would be hidden by it.
fn set_aside(name: String) -> String {
    if RESERVED.contains(&name.as_str()) { format!("attributes.{name}") } else { name }
}

/// In the words of `log.level` where it has one.
fn level(pairs: &[(String, String)]) -> Option<String> {
    let said = |wanted: &&str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let text = LEVELS.iter().find_map(said)?;
    match Severity::parse(text) {
        Some(severity) => Some(severity.name().to_owned()),
        None => Some(text.to_lowercase()).filter(|text| !text.is_empty() && text != "unknown"),
    }
}

/// Reads `{name="value", other="…"}`: names, and texts in Go's quotes.
fn read_labels(text: &str) -> Result<Labels, Error> {
    let bad = || Error::Malformed {
        line: None,
        reason: format!("`{}` are not labels of a stream", text.chars().take(80).collect::<String>()),
    };
    let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(bad)?;
    let (mut labels, mut rest) = (Labels::new(), inner.trim());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(bad)?;
        let (value, after) = unquote(after.trim_start()).ok_or_else(bad)?;
        let name = name.trim().trim_matches('"');
        if name.is_empty() || name.contains(['"', '{', '}', ',']) {
            return Err(bad());
        }
        labels.push((name.to_owned(), value));
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if after.is_empty() => after,
            None => return Err(bad()),
        };
    }
    Ok(labels)
}

/// A text in double quotes or in backquotes, as Go reads it, and what stands behind it.
fn unquote(text: &str) -> Option<(String, &str)> {
    if let Some(text) = text.strip_prefix('`') {
        let (value, rest) = text.split_once('`')?;
        return Some((value.to_owned(), rest));
    }
    let text = text.strip_prefix('"')?;
    let mut value = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((String::from_utf8_lossy(&value).into_owned(), text.get(at + 1..)?)),
            '\\' => escape(&mut chars, &mut value)?,
            _ => value.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    None
}

/// What stands behind a backslash: the Go specification, *Rune literals*.
fn escape(chars: &mut CharIndices<'_>, out: &mut Vec<u8>) -> Option<()> {
    let (_, kind) = chars.next()?;
    let byte = match kind {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' | '"' | '\'' => kind as u8,
        'x' => u8::try_from(number(chars, 0, 2, 16)?).ok()?,
        '0'..='7' => u8::try_from(number(chars, kind.to_digit(8)?, 2, 8)?).ok()?,
        'u' | 'U' => {
            let code = number(chars, 0, if kind == 'u' { 4 } else { 8 }, 16)?;
            let char = char::from_u32(code)?;
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        _ => return None,
    };
    out.push(byte);
    Some(())
}

/// So many more digits.
fn number(chars: &mut CharIndices<'_>, first: u32, count: usize, radix: u32) -> Option<u32> {
    (0..count)
        .try_fold(first, |value, _| value.checked_mul(radix)?.checked_add(chars.next()?.1.to_digit(radix)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Door;
    use crate::receive::tests::{check_events, refused};

    #[track_caller]
    fn check_labels(text: &str, expected: Option<&[(&str, &str)]>) {
        let read = read_labels(text).ok();
        let read = read.as_ref().map(|labels| {
            labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>()
        });
        assert_eq!(read.as_deref(), expected, "{text}");
    }

    #[test]
    fn labels_are_read_as_go_writes_them() {
        check_labels("{}", Some(&[]));
        check_labels(r#"{a="b"}"#, Some(&[("a", "b")]));
        check_labels(r#" { a = "b" , c="d, e=\"f\"}" , } "#, Some(&[("a", "b"), ("c", "d, e=\"f\"}")]));
        check_labels(r#"{a="\n\t\\\x41\101\u00e9\U0001f600"}"#, Some(&[("a", "\n\t\\AAé😀")]));
        check_labels("{a=`b\"c`}", Some(&[("a", "b\"c")]));
        for bad in [
            "",
            "a",
            "{",
            "{a}",
            "{a=}",
            "{a=b}",
            "{a=\"b}",
            r#"{a="b" c="d"}"#,
            r#"{a="\q"}"#,
            r#"{="b"}"#,
            "{a=\"\\U99999999\"}",
        ] {
            check_labels(bad, None);
        }
    }

    #[test]
    fn lines_have_their_streams_labels_their_time_and_what_is_beside_them() {
        let body = r#"{"streams":[{"stream":{"app":"web","namespace":"shop","level":"WARNING","_id":"x"},
            "values":[["1764000000123456789","first",{"trace_id":"t1","detected_level":"error"}],["1764000001000000000","second"]]}]}"#;
        let events = check_events(&Door::LokiJson, body);
        let labels: Vec<_> = events[0].stream.iter().collect();
        let expected = [
            ("app", "web"),
            ("attributes._id", "x"),
            ("event.dataset", "loki"),
            ("kubernetes.namespace", "shop"),
            ("level", "WARNING"),
            ("namespace", "shop"),
        ];
        assert_eq!(labels, expected);
        assert_eq!(events[0].time, Timestamp::from_nanos(1_764_000_000_123_456_789));
        assert_eq!((&events[0].message[..], &events[1].message[..]), (&b"first"[..], &b"second"[..]));
        assert_eq!(events[0].get("trace_id").unwrap().text(), "t1");
        assert_eq!(events[0].get("log.level").unwrap().text(), "error");
        assert_eq!(events[1].get("log.level").unwrap().text(), "warn");
    }

    #[test]
    fn what_is_no_push_request_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"streams":[{"stream":{},"values":[["now","x"]]}]}"#,
            r#"{"streams":[{"stream":{},"values":[["1"]]}]}"#,
            r#"{"streams":[{"stream":{"a":1},"values":[]}]}"#,
        ] {
            assert!(matches!(refused(&Door::LokiJson, bad), Error::Malformed { .. }), "{bad}");
        }
        assert!(matches!(refused(&Door::Loki, "\u{0}"), Error::Malformed { .. }));
        assert_eq!(check_events(&Door::LokiJson, r#"{"streams":[]}"#).len(), 0);
    }

    proptest! {
        #[test]
        fn no_labels_panic(text in "[{}a=\",`\\\\xu0-9 é]{0,40}") {
            drop(read_labels(&text));
        }
    }
}
