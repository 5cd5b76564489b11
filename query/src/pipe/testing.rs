//! What the tests of pipes share: events, a search over them, and its outcome as text.

use std::sync::Arc;

use expect_test::Expect;
use locard_event::{Event, EventId, Stream, Timestamp, Value};
use locard_filter::Matcher;
use locard_store::GroupKey;
use serde_json::Value as Json;

use super::{Flow, Needs, Outcome, PipeError, Pipeline, Setting, Table, Tables, parse};

pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_772_366_400);

pub(super) fn setting() -> Setting {
    Setting {
        memory_bytes: 64 << 20,
        page: 100,
        filed: Timestamp::MIN..Timestamp::MAX,
        now: NOW,
        tables: Tables::default(),
    }
}

/// Events a minute apart, the last one at 12:00; fields from JSON, a number one to each event in `n`.
pub(super) fn events(lines: &[&str]) -> Vec<Event> {
    let stream = Arc::new(Stream::new([("host.name", "node-1"), ("event.dataset", "test")]));
    let count = lines.len() as i64;
    let event = |(index, line): (usize, &&str)| {
        let minutes = index as i64 + 1 - count;
        let mut event = Event::new(
            NOW.plus_nanos(minutes * 60_000_000_000),
            Arc::clone(&stream),
            format!("line {index}"),
        );
        event.id = Some(EventId::new(0, index as u64));
        let Json::Object(members) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        for (name, json) in &members {
            event.fields.set(name.as_str(), value(json));
        }
        event
    };
    lines.iter().enumerate().map(event).collect()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int)
        }
        Json::String(text) => Value::ip_or_str(text),
        Json::Array(elements) => Value::List(elements.iter().map(value).collect()),
        Json::Object(_) => panic!("{json}"),
    }
}

pub(super) const LOGINS: [&str; 8] = [
    r#"{"user": "root", "ip": "10.0.0.1", "code": 403, "took": 1.5}"#,
    r#"{"user": "root", "ip": "10.0.0.2", "code": 200, "took": 2}"#,
    r#"{"user": "alice", "ip": "10.0.0.1", "code": "200", "took": 4}"#,
    r#"{"user": "root", "ip": "10.0.0.1", "code": 403}"#,
    r#"{"ip": "9.0.0.1", "code": 500, "took": 0.5}"#,
    r#"{"user": ["alice", "bob"], "ip": "10.0.0.1", "code": 200}"#,
    r#"{"user": null, "code": 403}"#,
    r#"{"user": "bob", "ip": "10.0.0.3", "code": 200, "took": 1}"#,
];

/// Feeds what is needed, newest first, as a search does.
pub(super) fn run(query: &str, events: &[Event], setting: &Setting) -> Result<Outcome, PipeError> {
    let query = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query))).resolve(NOW);
    let matcher = Matcher::new(&query.filter).unwrap();
    let mut pipeline = Pipeline::new(&query.pipes, setting)?;
    let mut found: Vec<&Event> = events.iter().filter(|event| matcher.matches(event)).collect();
    match pipeline.needs() {
        Needs::Count => pipeline.push_count(found.len() as u64),
        Needs::Groups(keys) => {
            let mut grouped = Pipeline::new(&query.pipes, setting)?;
            for event in found {
                let values: Vec<Value> = keys.iter().map(|key| group_value(event, key)).collect();
                grouped.push_group(&values, 1)?;
                pipeline.push_event(event)?;
            }
            let outcome = pipeline.finish()?;
            assert_eq!(grouped.finish()?, outcome, "groups say something else than events");
            return Ok(outcome);
        }
        Needs::Patterns => {
            found.into_iter().try_for_each(|event| pipeline.push_event(event).map(|_| ()))?;
        }
        Needs::Events { ordered, at_most } => {
            if ordered {
                found.reverse();
            }
            for event in found.into_iter().take(at_most.unwrap_or(usize::MAX)) {
                if pipeline.push_event(event)? == Flow::Enough {
                    break;
                }
            }
        }
    }
    pipeline.finish()
}

/// A table as lines of cells, events as their shown values.
pub(super) fn show(outcome: &Outcome) -> String {
    let line = |cells: &[String]| format!("{}\n", cells.join(" | "));
    match outcome {
        Outcome::Table(Table { columns, rows, inexact_because }) => {
            let rows = rows.iter().map(|row| line(&row.iter().map(Json::to_string).collect::<Vec<_>>()));
            let note = inexact_because.iter().map(|reason| format!("{reason}\n"));
            std::iter::once(line(columns)).chain(rows).chain(note).collect()
        }
        Outcome::Events { events, shown, cut } => {
            let named = |event: &Event| {
                let names = ["message", "host.name", "user", "ip", "code"]
                    .into_iter()
                    .filter(|name| shown.shows(name));
                let values: Vec<_> =
                    names.filter_map(|name| event.get(name).map(|value| format!("{name}={value}"))).collect();
                line(&values)
            };
            let note = if *cut { "cut\n" } else { "" };
            events.iter().map(named).chain([note.to_owned()]).collect()
        }
    }
}

/// What a split says of an event in a group.
fn group_value(event: &Event, key: &GroupKey) -> Value {
    match key {
        GroupKey::Field(field) => event.get(field).map_or(Value::Null, std::borrow::Cow::into_owned),
        GroupKey::Bucket { origin, span_nanos } => {
            Value::Int((event.filed().nanos() - origin.nanos()).div_euclid(*span_nanos))
        }
        GroupKey::Pattern => locard_store::pattern_of(&event.message)
            .map_or(Value::Null, |(id, _)| super::patterns::pattern_text(id).into()),
    }
}

#[track_caller]
pub(super) fn check(query: &str, expected: Expect) {
    expected.assert_eq(&show(&run(query, &events(&LOGINS), &setting()).unwrap()));
}
