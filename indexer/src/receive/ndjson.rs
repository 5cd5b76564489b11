//! NDJSON: one JSON object a line.
//!
//! A line that is no object is refused and reported; the others are accepted. A line with invalid UTF-8 or half a character inside is kept: its message
//! is the whole line as received, its other members are read with replacement characters, and `error.message` says so.

use std::borrow::Cow;

use bytes::Bytes;
use locard_event::{Event, Fields, Timestamp, name};
use locard_parse::flatten::{flatten, flatten_value};
use serde_json::{Map, Value};

use super::direct::Direct;
use super::json::{self, Repeated};
use super::labels::Streams;
use super::surrogate;
use super::{MAX_BODY_VALUES, Raw, Rejections, check_dataset};
use crate::delivery::Error;
use crate::wal::ReadLimits;

/// Most JSON values in one line, as in one OTLP record: a few bytes of text each, many times that as a tree.
pub(super) const MAX_LINE_VALUES: usize = locard_wire::MAX_NESTED;

/// Which members mean what.
#[derive(Debug)]
pub(super) struct Names<'a> {
    pub(super) time_fields: &'a [String],
    pub(super) message_fields: &'a [String],
    pub(super) stream_fields: &'a [String],
    pub(super) dataset: &'a str,
    /// The lines are documents of that dataset, whatever they say themselves, and keep every member under its name: what means the
    /// time or the message is gone from the fields only if it is called so.
    pub(super) of_documents: bool,
}

impl Names<'_> {
    /// Whether the member that means the time or the message stays a field.
    pub(super) fn keeps(&self, member: &str) -> bool {
        self.of_documents && !matches!(member, name::TIMESTAMP | name::MESSAGE)
    }
}

pub(super) struct Options<'a> {
    pub(super) names: Names<'a>,
    pub(super) keep_original: bool,
    pub(super) received: Timestamp,
    pub(super) limits: &'a ReadLimits,
}

type Object = Map<String, Value>;

/// Reads the lines of `body` and hands out their events. Blank ones are ignored.
pub(super) fn read(
    body: &Bytes,
    options: &Options<'_>,
    rejections: &mut Rejections,
    mut each: impl FnMut(Raw),
) -> Result<(), Error> {
    let mut streams = Streams::new(options.names.stream_fields, options.names.dataset);
    let mut direct = Direct::new(options, body.len());
    let (mut room, mut events) = (MAX_BODY_VALUES, 0);
    // Editors and PowerShell put a byte order mark in front.
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    for (line, number) in lines(text).zip(1u64..) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        if events == options.limits.max_events {
            return Err(Error::TooMany { max_events: options.limits.max_events });
        }
        let read = match direct.read(line, &mut room, &mut streams) {
            Some(raw) => Ok(raw),
            None => fully(line, options, &mut room, &mut streams),
        };
        match read {
            Ok(raw) => {
                events += 1;
                each(raw);
            }
            Err(reason) => rejections.add(number, reason),
        }
    }
    Ok(())
}

pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some((line, after)) = memchr::memchr(b'\n', text).and_then(|end| text.split_at_checked(end))
        else {
            rest = None;
            return Some(text);
        };
        rest = after.get(1..);
        Some(line)
    })
}

/// Reads a line whatever is in it, or says why it is refused.
pub(super) fn fully(
    line: &[u8],
    options: &Options<'_>,
    room: &mut usize,
    streams: &mut Streams<'_>,
) -> Result<Raw, String> {
    fits(line, room)?;
    let raw = event(parse(line, options.limits.max_fields)?, line, options, streams);
    check_dataset(&raw.event).map(|()| raw)
}

/// Takes the line's values out of the body's `room`, or says why the line is not to be read.
pub(super) fn fits(line: &[u8], room: &mut usize) -> Result<(), String> {
    let values = count_values(line);
    if values > MAX_LINE_VALUES {
        return Err(format!("the line holds more than {MAX_LINE_VALUES} values"));
    }
    let Some(rest) = room.checked_sub(values) else {
        return Err(format!("the body holds more than {MAX_BODY_VALUES} values up to this line"));
    };
    *room = rest;
    Ok(())
}

/// At least as many as the values of a line: whatever a value is, it stands at the beginning or after one of these outside a string.
pub(super) fn count_values(line: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (1, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'{' | b'[' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// What a line says, and what had to be mended to read it.
fn parse(line: &[u8], max_fields: usize) -> Result<(Object, Repeated, Option<&'static str>), String> {
    let text = String::from_utf8_lossy(line);
    let mut mended = matches!(text, Cow::Owned(_)).then_some("is not valid UTF-8");
    let mut read = json::read(&text, max_fields);
    if read.is_err()
        && let Some(text) = surrogate::mend(&text)
    {
        read = json::read(&text, max_fields);
        mended = mended.or(Some("holds half a character, as `\\ud83d` alone"));
    }
    match read {
        Ok((Value::Object(object), repeated)) => Ok((object, repeated, mended)),
        Ok((other, _)) => Err(format!("the line is {}, not a JSON object", kind(&other))),
        Err(error) => Err(reason(&error)),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The parser's words with the column only: its line is always 1.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("not valid JSON: {what} at column {}", error.column())
}

fn event(
    (mut object, repeated, mended): (Object, Repeated, Option<&'static str>),
    line: &[u8],
    options: &Options<'_>,
    streams: &mut Streams<'_>,
) -> Raw {
    let names = &options.names;
    let (time, bad_time) = take_time(&mut object, names);
    let text = String::from_utf8_lossy(line);
    let own = take_message(&mut object, names).filter(|_| mended.is_none());
    let is_whole = own.is_none();
    let message = own.unwrap_or_else(|| Bytes::copy_from_slice(line));
    let mut fields = Fields::new();
    let left_out = flatten_all(object, repeated, &mut fields, options.limits.max_fields);
    set_aside_reserved(&mut fields);
    if names.of_documents {
        set_aside_dataset(&mut fields, names.dataset);
    }
    let stream = streams.take(&mut fields);
    let whole_line = is_read(names, is_whole, stream.get(name::DATASET));
    if options.keep_original {
        fields.set(name::ORIGINAL, &*text);
    }
    if let Some(why) = mended {
        fields.set_default(name::ERROR_MESSAGE, format!("the line {why}; it is kept whole as the message"));
    } else if let Some(member) = bad_time {
        fields.set_default(name::ERROR_MESSAGE, format!("`{member}` is not a time"));
    }
    let mut event = Event::new(time.unwrap_or(options.received), stream, message);
    event.fields = fields;
    Raw { event, time_known: time.is_some(), whole_line, left_out }
}

/// Whether there is nothing more to read in a line. An audit event is one object: its meaning is read from the line. Documents say
/// themselves what they mean, unless their index is called like what Locard collects.
pub(super) fn is_read(names: &Names<'_>, is_whole: bool, dataset: Option<&str>) -> bool {
    let collected = ["syslog", "file", "journald", "container", "k8s.audit"];
    match dataset {
        Some("k8s.audit") => false,
        Some(dataset) if names.of_documents => is_whole || !collected.contains(&dataset),
        _ => is_whole,
    }
}

/// What a document says of its dataset, where that is not its index.
fn set_aside_dataset(fields: &mut Fields, index: &str) {
    if let Some(own) = fields.remove(name::DATASET)
        && own.text() != index
    {
        fields.append(&format!("attributes.{}", name::DATASET), own);
    }
}

/// Names that mean something of Locard's own. A member called so would be hidden by it, so it is kept under `attributes.`, as
/// through the OTLP door.
pub(super) const RESERVED: [&str; 8] = [
    name::ID,
    name::STREAM,
    name::TIME,
    name::TIMESTAMP,
    name::MESSAGE,
    name::INGESTED,
    name::TIME_SUSPECT,
    name::PATTERN,
];

pub(super) fn set_aside_reserved(fields: &mut Fields) {
    for reserved in RESERVED {
        if let Some(value) = fields.remove(reserved) {
            fields.append(&format!("attributes.{reserved}"), value);
        }
    }
}

/// What was said first stands first. Returns how many members were left out.
fn flatten_all(object: Object, repeated: Repeated, fields: &mut Fields, max_fields: usize) -> usize {
    let mut left_out = repeated.left_out;
    for (path, values) in repeated.values {
        for value in values {
            left_out += flatten_value(&path, value, fields, max_fields);
        }
    }
    left_out + flatten(object, fields, max_fields)
}

/// Takes the first member that is a time; else says which one should have been.
fn take_time<'a>(object: &mut Object, names: &Names<'a>) -> (Option<Timestamp>, Option<&'a str>) {
    let mut bad = None;
    for name in names.time_fields {
        let Some(value) = find(object, name) else { continue };
        match read_time(value) {
            Some(time) => {
                if !names.keeps(name) {
                    take(object, name);
                }
                return (Some(time), None);
            }
            None => bad = bad.or(Some(name.as_str())),
        }
    }
    (None, bad)
}

/// A number's own digits are read, not its nearest float: `1764000000.123456789` keeps its nanoseconds where JSON kept them.
pub(super) fn read_time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => read_time_text(text.trim()),
        Value::Number(number) => Timestamp::parse(&number.to_string())
            .ok()
            .or_else(|| Timestamp::from_epoch_float(number.as_f64()?).ok()),
        _ => None,
    }
}

/// A time without a zone is UTC, as in log lines.
pub(super) fn read_time_text(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|_| Timestamp::parse_rfc3339(&format!("{}Z", text.replace(',', ".")))).ok()
}

fn take_message(object: &mut Object, names: &Names<'_>) -> Option<Bytes> {
    let single = |name: &&String| {
        matches!(find(object, name), Some(Value::String(_) | Value::Number(_) | Value::Bool(_)))
    };
    let name = names.message_fields.iter().find(single)?;
    let value = if names.keeps(name) { find(object, name).cloned() } else { take(object, name) };
    match value? {
        Value::String(text) => Some(Bytes::from(text)),
        other => Some(Bytes::from(other.to_string())),
    }
}

/// A member by its name, or by a dotted path into nested objects.
fn find<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    find(object.get(first)?.as_object()?, rest)
}

fn take(object: &mut Object, name: &str) -> Option<Value> {
    if let Some(value) = object.remove(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    take(object.get_mut(first)?.as_object_mut()?, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Door;
    use crate::receive::{MAX_LIST_VALUES, Received, receive};
    use locard_wire::Encoding;

    const LIMITS: ReadLimits = ReadLimits {
        max_decompressed_bytes: 1 << 20,
        max_events: 100,
        max_line_bytes: 64,
        max_fields: 8,
        max_name_bytes: 100,
        max_labels: 4,
        max_label_bytes: 200,
    };

    fn received() -> Timestamp {
        Timestamp::parse("2026-11-24T08:00:00Z").unwrap()
    }

    fn read(body: impl Into<Bytes>) -> Received {
        receive(&Door::ndjson(), Encoding::Identity, &body.into(), received(), &LIMITS).unwrap()
    }

    #[track_caller]
    fn check_time(member: &str, expected: &str) {
        let received = read(format!("{{\"ts\":{member},\"msg\":\"x\"}}"));
        assert_eq!(received.events[0].time.to_string(), expected, "{member}");
    }

    #[test]
    fn times_in_every_unit() {
        check_time("1764000000", "2025-11-24T16:00:00.000Z");
        check_time("1764000000123", "2025-11-24T16:00:00.123Z");
        check_time("1764000000123456", "2025-11-24T16:00:00.123456Z");
        check_time("1764000000123456789", "2025-11-24T16:00:00.123456789Z");
        check_time("1764000000.123456", "2025-11-24T16:00:00.123456Z");
        check_time("1.764e9", "2025-11-24T16:00:00.000Z");
        check_time("\"1764000000\"", "2025-11-24T16:00:00.000Z");
        check_time("\"2025-11-24T17:00:00.5+01:00\"", "2025-11-24T16:00:00.500Z");
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        check_time("\"2025-11-24T16:00:00\"", "2025-11-24T16:00:00.000Z");
        check_time("\"2025-11-24 16:00:00,250\"", "2025-11-24T16:00:00.250Z");
    }

    #[test]
    fn a_member_named_like_our_own_is_set_aside() {
        let event =
            &read(r#"{"msg":"x","_id":"AV1x","event":{"ingested":"2001-01-01T00:00:00Z"}}"#).events[0];
        assert_eq!(event.get("attributes._id").unwrap().text(), "AV1x");
        assert_eq!(event.get("attributes.event.ingested").unwrap().text(), "2001-01-01T00:00:00Z");
        assert_eq!(event.fields.len(), 2);
    }

    #[test]
    fn an_object_without_a_message_is_read_once() {
        let door = Door::Ndjson {
            time_fields: vec!["time".into()],
            message_fields: vec!["msg".into()],
            stream_fields: vec!["host.name".into()],
            dataset: "myapp".into(),
            keep_original: false,
        };
        let body = Bytes::from(r#"{"host":{"name":"h9"},"n":1,"time":"2026-11-24T09:00:00Z"}"#);
        let received = receive(&door, Encoding::Identity, &body, received(), &LIMITS).unwrap();
        let names: Vec<_> = received.events[0].fields.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["n"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(read("\u{feff}{\"msg\":\"a\"}\n{\"msg\":\"b\"}".to_owned()).ack.accepted, 2);
    }

    #[test]
    fn a_time_that_is_none_leaves_the_time_of_receipt_and_says_so() {
        let event = &read(r#"{"time":"yesterday","msg":"x"}"#).events[0];
        assert_eq!(event.time, received());
        assert_eq!(event.get("error.message").unwrap().text(), "`time` is not a time");
        assert_eq!(event.get("time").unwrap().text(), "yesterday");
        let event = &read(r#"{"time":"yesterday","ts":1764000000,"msg":"x"}"#).events[0];
        assert_eq!(event.time, Timestamp::from_seconds(1_764_000_000));
    }

    #[track_caller]
    fn check_message(line: &str, expected: &str) {
        assert_eq!(read(line.to_owned()).events[0].message, expected, "{line}");
    }

    #[test]
    fn the_message_is_the_first_of_its_members_or_the_line() {
        check_message(r#"{"msg":"two","message":"one"}"#, "one");
        check_message(r#"{"log":"three\n","a":1}"#, "three\n");
        check_message(r#"{"message":{"a":1},"msg":"two"}"#, "two");
        check_message(r#" {"message":null, "a":1} "#, r#" {"message":null, "a":1} "#);
        check_message(r#"{"message":7}"#, "7");
    }

    #[track_caller]
    fn check_fields(members: &str, expected: &[(&str, &str)]) {
        let event = &read(format!("{{\"msg\":\"x\",{members}}}")).events[0];
        for (name, value) in expected {
            assert_eq!(event.fields.get(name).unwrap().to_string(), *value, "{members}");
        }
    }

    #[test]
    fn members_that_meet_at_one_name_are_all_kept() {
        check_fields(r#""a.b":1,"a":{"b":2}"#, &[("a.b", "[2, 1]")]);
        check_fields(r#""a":1,"a":"two","a":[3]"#, &[("a", "[1, two, 3]")]);
        check_fields(r#""a":{"b":1},"a":{"c":2}"#, &[("a.b", "1"), ("a.c", "2")]);
        check_fields(r#""a":[{"b":1,"b":2}]"#, &[("a.b", "[1, 2]")]);
        let event = &read(r#"{"msg":"one","ts":1764000000,"msg":"two","ts":1764000001}"#).events[0];
        assert_eq!(event.message, "two");
        assert_eq!(event.time, Timestamp::from_seconds(1_764_000_001));
        assert_eq!(event.get("msg").unwrap().text(), "one");
        assert_eq!(event.get("ts").unwrap().text(), "1764000000");
    }

    #[track_caller]
    fn check_rejected(line: &str, expected: &str) {
        let received = read(format!("{{\"msg\":\"a\"}}\n\n{line}\r\n{{\"msg\":\"b\"}}"));
        assert_eq!(received.ack.accepted, 2);
        assert_eq!(received.ack.rejected.len(), 1, "{line}");
        assert_eq!(received.ack.rejected[0].line, 3);
        assert_eq!(received.ack.rejected[0].reason, expected);
    }

    #[test]
    fn a_bad_line_is_reported_and_the_good_ones_are_kept() {
        check_rejected("[1]", "the line is an array, not a JSON object");
        check_rejected("7", "the line is a number, not a JSON object");
        check_rejected("{\"a\":", "not valid JSON: EOF while parsing a value at column 5");
        check_rejected("{} x", "not valid JSON: trailing characters at column 4");
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        check_rejected(&deep, "not valid JSON: recursion limit exceeded at column 132");
    }

    #[test]
    fn a_dataset_that_breaks_the_rule_costs_its_own_line_only() {
        for bad in [r#""../etc""#, r#""A""#, r#"["ok","no ok"]"#] {
            let received =
                read(format!("{{\"msg\":\"a\"}}\n{{\"event\":{{\"dataset\":{bad}}}}}\n{{\"msg\":\"b\"}}"));
            assert_eq!((received.ack.accepted, received.ack.rejected[0].line), (2, 2), "{bad}");
            assert!(received.ack.rejected[0].reason.starts_with("`event.dataset` is `"), "{bad}");
        }
        let event = &read(r#"{"msg":"x","event.dataset":"my.app"}"#).events[0];
        assert_eq!(event.stream.get("event.dataset"), Some("my.app"));
    }

    #[test]
    fn labels_beyond_the_limits_become_fields() {
        let members: Vec<String> = (0..6).map(|n| format!("\"l{n}\":\"{n}\"")).collect();
        let received = read(format!("{{\"msg\":\"x\",\"kubernetes\":{{{}}}}}", members.join(",")));
        let event = &received.events[0];
        let labels: Vec<_> = event.stream.iter().map(|(name, _)| name).collect();
        assert_eq!(labels, ["event.dataset", "kubernetes.l0", "kubernetes.l1", "kubernetes.l2"]);
        let fields: Vec<_> = event.fields.iter().map(|(name, _)| name).collect();
        assert_eq!(fields, ["kubernetes.l3", "kubernetes.l4", "kubernetes.l5"]);
        assert_eq!(received.cuts.fields, 0);
    }

    #[test]
    fn names_beyond_the_limit_are_left_out_and_marked() {
        let long = "n".repeat(101);
        let received =
            read(format!("{{\"msg\":\"x\",\"{long}\":1,\"kubernetes\":{{\"{long}\":2}},\"a\":3}}"));
        let event = &received.events[0];
        let fields: Vec<_> = event.fields.iter().map(|(name, _)| name).collect();
        assert_eq!((fields, event.stream.len(), received.cuts.fields), (vec!["a", "log.flags"], 1, 2));
        assert_eq!(event.get("log.flags").unwrap().text(), "fields_left_out");
    }

    #[test]
    fn refused_lines_beyond_the_list_are_counted() {
        let received = read("x\n".repeat(1_000));
        assert_eq!(received.ack.rejected_count, 1_000);
        assert_eq!(received.ack.rejected.len(), 101);
        let last = received.ack.rejected.last().unwrap();
        assert_eq!((last.line, last.reason.as_str()), (1_000, "900 more lines were refused, this one last"));
    }

    /// A body of a few kilobytes when compressed must not become gigabytes.
    #[test]
    fn a_line_or_a_body_of_too_many_values_is_refused() {
        let limits = ReadLimits { max_decompressed_bytes: 64 << 20, ..LIMITS };
        let line = |values: usize| format!("{{\"a\":[{}0]}}\n", "0,".repeat(values - 1));
        let reasons = |body: String| {
            let read =
                receive(&Door::ndjson(), Encoding::Identity, &body.into(), received(), &limits).unwrap();
            (read.ack.accepted, read.ack.rejected.iter().map(|line| line.reason.clone()).collect::<Vec<_>>())
        };
        let (accepted, refused) = reasons("{\"msg\":\"x\"}\n".to_owned() + &line(MAX_LINE_VALUES));
        assert_eq!((accepted, refused), (1, vec!["the line holds more than 262144 values".to_owned()]));
        let (accepted, refused) = reasons(line(200_000).repeat(25));
        assert_eq!((accepted, refused.len()), (20, 5));
        assert!(refused[0].starts_with("the body holds more than"), "{refused:?}");
        let (accepted, _) = reasons(format!("{{\"msg\":\"\\\"{}\"}}", "[,{".repeat(MAX_LINE_VALUES)));
        assert_eq!(accepted, 1);
    }

    #[test]
    fn a_long_list_is_cut_and_marked() {
        let received = read(format!("{{\"msg\":\"x\",\"a\":[{}0],\"b\":[1,2]}}", "0,".repeat(20_000)));
        let event = &received.events[0];
        assert_eq!(event.fields.get("a").unwrap().elements().len(), MAX_LIST_VALUES);
        assert_eq!(event.get("log.flags").unwrap().text(), "fields_left_out");
        assert_eq!(received.cuts.fields, 20_001 + 2 - MAX_LIST_VALUES as u64);
    }

    #[test]
    fn invalid_utf_8_keeps_the_line() {
        let line = b"{\"msg\":\"caf\xe9\",\"ts\":1764000000,\"host.name\":\"n1\"}";
        let received = read(line.to_vec());
        let event = &received.events[0];
        assert_eq!(&event.message[..], line);
        assert_eq!(event.stream.get("host.name"), Some("n1"));
        assert_eq!(event.time, Timestamp::from_seconds(1_764_000_000));
        assert!(event.get("error.message").unwrap().text().contains("UTF-8"));
    }

    #[test]
    fn long_messages_and_many_fields_are_cut_and_marked() {
        let event = &read(format!("{{\"msg\":\"{}\"}}", "x".repeat(65))).events[0];
        assert_eq!(event.message.len(), 64);
        assert_eq!(event.get("log.flags").unwrap().text(), "truncated");
        let many: Vec<String> = (0..20).map(|n| format!("\"f{n}\":{n}")).collect();
        let received = read(format!("{{\"msg\":\"x\",{}}}", many.join(",")));
        assert_eq!(received.cuts.fields, 12);
        assert_eq!(received.events[0].get("log.flags").unwrap().text(), "fields_left_out");
    }

    #[test]
    fn a_suspect_time_is_flagged_and_only_by_us() {
        let event = &read(r#"{"ts":1,"msg":"x"}"#).events[0];
        assert_eq!(event.get("locard.time_suspect").unwrap().text(), "before_2000");
        assert_eq!(event.filed(), received());
        let event = &read(r#"{"ts":1764000000,"msg":"x","locard.time_suspect":"future"}"#).events[0];
        assert_eq!(event.get("locard.time_suspect"), None);
    }

    #[test]
    fn limits_on_the_whole_body() {
        let many = Bytes::from("{}\n".repeat(101));
        let result = receive(&Door::ndjson(), Encoding::Identity, &many, received(), &LIMITS);
        assert!(matches!(result, Err(Error::TooMany { max_events: 100 })));
        let large = Bytes::from(vec![b' '; (1 << 20) + 1]);
        let result = receive(&Door::ndjson(), Encoding::Identity, &large, received(), &LIMITS);
        assert!(matches!(result, Err(Error::TooLarge { .. })));
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let result = receive(&Door::ndjson(), encoding, &"{}".into(), received(), &LIMITS);
            assert!(matches!(result, Err(Error::Malformed { .. })), "{encoding:?}");
        }
    }

    #[test]
    fn the_object_can_be_kept() {
        let mut door = Door::ndjson();
        if let Door::Ndjson { keep_original, .. } = &mut door {
            *keep_original = true;
        }
        let line = r#"{"b": 1.0,  "msg":"x"}"#;
        let received = receive(&door, Encoding::Identity, &line.into(), received(), &LIMITS).unwrap();
        assert_eq!(received.events[0].get("event.original").unwrap().text(), line);
    }
}
