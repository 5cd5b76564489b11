//! [`Direct`]: an NDJSON line straight into an event.
//!
//! Reads what lines are like: objects whose members are all different, with a time that is one. Whatever else a line may be, it is
//! left to the slow way, which gives the same event for these lines too.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, Fields, Stream, Timestamp, Value, name};
use serde_json::Number;

use super::Raw;
use super::labels::{MAX_LABEL_BYTES, Streams};
use super::line::{Line, Said, text_value};
use super::members::Members;
use super::ndjson::{Options, is_read, read_time_text};
use super::plan::{Plan, Plans};
use super::texts::Texts;

/// What the lines of one body share. `'t` is the body.
pub(super) struct Direct<'t, 'o> {
    options: &'o Options<'o>,
    members: Members<'o>,
    plans: Plans,
    line: Line<'t>,
    texts: Texts,
    /// What is left of the body, this line included.
    rest: usize,
}

impl<'t, 'o> Direct<'t, 'o> {
    pub(super) fn new(options: &'o Options<'o>, bytes: usize) -> Self {
        Self {
            options,
            members: Members::new(&options.names),
            plans: Plans::default(),
            line: Line::default(),
            texts: Texts::default(),
            rest: bytes,
        }
    }

    /// Reads a line and takes its values out of the body's `room`; or does nothing, and the line is to be read in the slow way.
    pub(super) fn read(
        &mut self,
        line: &'t [u8],
        room: &mut usize,
        streams: &mut Streams<'_>,
    ) -> Option<Raw> {
        self.rest = self.rest.saturating_sub(line.len());
        if self.options.keep_original {
            return None;
        }
        self.line.read(std::str::from_utf8(line).ok()?, &mut self.members)?;
        let rest = room.checked_sub(self.line.values)?;
        if self.line.said.len() > self.options.limits.max_fields {
            return None;
        }
        let plan = self.plans.find(&self.line.members, &self.members, streams)?;
        let raw = self.event(line, &plan, streams)?;
        *room = rest;
        Some(raw)
    }

    fn event(&mut self, line: &[u8], plan: &Plan, streams: &mut Streams<'_>) -> Option<Raw> {
        let time = match plan.time {
            Some(place) => Some(read_time(self.line.said.get(place)?)?),
            None => None,
        };
        let stream = self.stream(plan, streams)?;
        let message = match plan.message {
            Some(place) => self.message(place)?,
            None => self.texts.keep(line, self.rest),
        };
        let whole_line = is_read(&self.options.names, plan.message.is_none(), stream.get(name::DATASET));
        let mut event = Event::new(time.unwrap_or(self.options.received), stream, message);
        event.fields = self.fields(plan);
        Some(Raw { event, time_known: time.is_some(), whole_line, left_out: 0 })
    }

    fn stream(&mut self, plan: &Plan, streams: &mut Streams<'_>) -> Option<Arc<Stream>> {
        for place in &plan.labels {
            let said = self.line.said.get_mut(*place)?;
            let text = label(std::mem::take(said))?;
            *said = Said::Text(text);
        }
        let said = &self.line.said;
        let text = |place: &usize| match said.get(*place) {
            Some(Said::Text(text)) => &**text,
            _ => "",
        };
        let (stream, good) = streams.stream(&plan.label_set, plan.labels.iter().map(text));
        good.then_some(stream)
    }

    fn message(&mut self, place: usize) -> Option<Bytes> {
        let text = match self.line.said.get(place)? {
            Said::Text(text) => return Some(self.texts.keep(text.as_bytes(), self.rest)),
            Said::Bool(truth) => truth.to_string(),
            Said::Int(number) => number.to_string(),
            Said::Float(number) => Number::from_f64(*number)?.to_string(),
            Said::Null | Said::List(_) => return None,
        };
        Some(self.texts.keep(text.as_bytes(), self.rest))
    }

    fn fields(&mut self, plan: &Plan) -> Fields {
        let mut values = Vec::with_capacity(plan.fields.len());
        for (place, ip) in &plan.fields {
            let said = self.line.said.get_mut(*place).map(std::mem::take).unwrap_or_default();
            values.push(value(said, *ip));
        }
        Fields::of(&plan.shape, values)
    }
}

fn value(said: Said<'_>, ip: bool) -> Value {
    match said {
        Said::Null => Value::Null,
        Said::Bool(truth) => Value::Bool(truth),
        Said::Int(number) => Value::Int(number),
        Said::Float(number) => Value::Float(number),
        Said::Text(text) => text_value(&text, ip),
        Said::List(values) => Value::List(values),
    }
}

/// The text of a label, if the value can be one.
fn label(said: Said<'_>) -> Option<Cow<'_, str>> {
    let text = match said {
        Said::Text(text) => text,
        Said::Null | Said::List(_) => return None,
        other => value(other, false).text().into_owned().into(),
    };
    (!text.is_empty() && text.len() <= MAX_LABEL_BYTES).then_some(text)
}

/// A number's own digits are read, not its nearest float.
fn read_time(said: &Said<'_>) -> Option<Timestamp> {
    match said {
        Said::Text(text) => read_time_text(text.trim()),
        Said::Int(number) => Some(Timestamp::from_epoch(*number)),
        Said::Float(number) => Timestamp::parse(&Number::from_f64(*number)?.to_string())
            .ok()
            .or_else(|| Timestamp::from_epoch_float(*number).ok()),
        Said::Null | Said::Bool(_) | Said::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::receive::ndjson::{Names, fully};
    use crate::wal::ReadLimits;

    const LIMITS: ReadLimits = ReadLimits {
        max_decompressed_bytes: 1 << 20,
        max_events: 100,
        max_line_bytes: 1 << 20,
        max_fields: 5,
        max_name_bytes: 100,
        max_labels: 10,
        max_label_bytes: 2000,
    };

    /// Reads the lines as those of one body, both ways; says of each whether the direct way took it.
    fn check(lines: &[String]) -> Vec<bool> {
        check_as(lines, true);
        check_as(lines, false)
    }

    fn check_as<'l>(lines: &'l [String], of_documents: bool) -> Vec<bool> {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let (time, message) =
            (list(&["@timestamp", "a.time", "time", "a.b.c"]), list(&["message", "a.msg", "a.b.c"]));
        let stream = list(&["host.name", "event.dataset", "kubernetes", "a.b"]);
        let names = Names {
            time_fields: &time,
            message_fields: &message,
            stream_fields: &stream,
            dataset: "d",
            of_documents,
        };
        let received = Timestamp::from_seconds(1_764_000_000);
        let options = Options { names, keep_original: false, received, limits: &LIMITS };
        let mut direct = Direct::new(&options, lines.iter().map(String::len).sum());
        let (mut one, mut two) = (Streams::new(&stream, "d"), Streams::new(&stream, "d"));
        let mut read = |line: &'l String| {
            let (mut room, mut same_room) = (40, 40);
            let Some(raw) = direct.read(line.as_bytes(), &mut room, &mut one) else { return false };
            let full = fully(line.as_bytes(), &options, &mut same_room, &mut two).unwrap();
            assert_eq!(raw.event, full.event, "{line}");
            assert_eq!(
                (raw.time_known, raw.whole_line, raw.left_out),
                (full.time_known, full.whole_line, 0),
                "{line}"
            );
            assert_eq!((full.left_out, room), (0, same_room), "{line}");
            true
        };
        lines.iter().map(&mut read).collect()
    }

    fn text(json: &str) -> String {
        json.to_owned()
    }

    #[test]
    fn usual_lines_are_read_directly() {
        let lines = [
            r#"{"time":"2026-11-24T08:00:00Z","message":"it \"is\"","host":{"name":"n1"},"n":1,"f":-2.5e3}"#,
            r#" {"time":1764000000.5,"message":7.0,"kubernetes":{"pod":{"name":"p"},"restarts":3},"x":null} "#,
            r#"{"a":{"time":1764000000,"b":{"c":"é"}},"source":{"ip":"10.0.0.1"},"list":[1,[true,null],"x"],"e":[]}"#,
            r#"{"time":"2026-11-24T08:00:00Z","@timestamp":"2026-11-24T09:00:00Z","a.b":12,"big":18446744073709551615}"#,
            r#"{"event":{"dataset":"k8s.audit"},"o":{},"host.ip":["::1","x"],"z":false}"#,
            "{}",
        ];
        assert_eq!(check(&lines.map(text)), [true; 6]);
    }

    #[test]
    fn odd_lines_are_left_to_the_slow_way() {
        let lines = [
            r#"{"a":1,"a":2}"#,
            r#"{"a.b":1,"a":{"b":2}}"#,
            r#"{"time":"yesterday"}"#,
            r#"{"time":{},"message":"x"}"#,
            r#"{"message":null}"#,
            r#"{"_id":"x"}"#,
            r#"{"event":{"dataset":"No"}}"#,
            r#"{"l":[{"a":1}]}"#,
            r#"{"":{"a":1}}"#,
            r#"{"a":"\ud83d"}"#,
            r#"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6}"#,
            r#"{"kubernetes":""}"#,
            "[1]",
            "7",
            r#"{"a":"#,
        ];
        assert_eq!(check(&lines.map(text)), [false; 15]);
        let deep = "{\"a\":".repeat(20) + "1" + &"}".repeat(20);
        let many: Vec<String> = (0..100).map(|n| format!("{{\"k{n}\":1}}")).collect();
        assert_eq!(check(&[deep]), [false]);
        assert_eq!(check(&many).iter().filter(|direct| **direct).count(), 64);
    }

    fn key() -> impl Strategy<Value = &'static str> {
        const KEYS: [&str; 16] = [
            "a",
            "b",
            "c",
            "a.b",
            "b.c",
            "time",
            "@timestamp",
            "message",
            "msg",
            "host.name",
            "host",
            "name",
            "kubernetes",
            "event.dataset",
            "ip",
            "_id",
        ];
        prop::sample::select(&KEYS[..])
    }

    fn value() -> impl Strategy<Value = String> {
        const VALUES: [&str; 16] = [
            "null",
            "true",
            "0",
            "-7",
            "1764000000",
            "1764000000.25",
            "1e300",
            "18446744073709551615",
            "\"\"",
            "\"x\"",
            r#""\n\u00e9""#,
            "\"2026-11-24T08:00:00Z\"",
            "\"10.0.0.1\"",
            "\"syslog\"",
            "{}",
            "[]",
        ];
        prop::sample::select(&VALUES[..]).prop_map(text).prop_recursive(4, 16, 4, |inner| {
            let object = prop::collection::vec((key(), inner.clone()), 0..4).prop_map(object);
            prop_oneof![3 => object, 1 => prop::collection::vec(inner, 0..4).prop_map(|list| format!("[{}]", list.join(",")))]
        })
    }

    fn object(members: Vec<(&str, String)>) -> String {
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{{}}}", members.join(", "))
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same_event(
            bodies in prop::collection::vec(prop::collection::vec((key(), value()), 0..6).prop_map(object), 1..8)
        ) {
            check(&bodies);
        }
    }
}
