//! What applications write: JSON, klog, logfmt, access lines, or a line that begins with a time.

use locard_event::{Fields, Severity, Timestamp, Value, name};

use crate::facts::Facts;
use crate::{access, generic, json, klog, logfmt, weberror};

/// Reads a line of a container, or of a file that nothing more is known of.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    structured(line, facts)
        || access::read(line, facts)
        || weberror::read(line, facts)
        || generic::read(line, facts)
}

/// Reads text that is JSON, klog or logfmt as a whole.
pub(crate) fn structured(text: &str, facts: &mut Facts<'_>) -> bool {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => json::read(text, facts),
        Some(b'I' | b'W' | b'E' | b'F') if klog::read(text, facts) => true,
        Some(byte) if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@') => logfmt::read(text, facts),
        _ => false,
    }
}

/// Adds what an application said in named values: its time and level in their own names, and everything as it was named.
pub(crate) fn add(mut said: Fields, facts: &mut Facts<'_>) {
    if let Some(severity) = level(&said) {
        facts.level(severity);
        said.remove(name::LEVEL);
    }
    if let Some(time) = time(&mut said) {
        facts.time(time);
    }
    for (from, to) in [
        ("trace_id", "trace.id"),
        ("traceId", "trace.id"),
        ("traceID", "trace.id"),
        ("span_id", "span.id"),
        ("spanId", "span.id"),
    ] {
        if let Some(Value::Str(id)) = said.get(from) {
            facts.set_text(to, id);
        }
    }
    for (name, value) in said {
        facts.set_app(name, value);
    }
}

/// Names under which loggers put their level, the most telling first.
const LEVEL_NAMES: [&str; 10] = [
    "log.level",
    "level",
    "severity",
    "lvl",
    "@l",
    "loglevel",
    "log_level",
    "levelname",
    "severity_text",
    "Level",
];

fn level(said: &Fields) -> Option<Severity> {
    if let (Some(Value::Str(letter)), true) = (said.get("s"), said.get(MONGO_TIME).is_some()) {
        return Severity::parse(letter);
    }
    // Of a member said more than once the last counts.
    LEVEL_NAMES.iter().find_map(|name| match said.get(name)?.elements().last()? {
        Value::Str(text) => Severity::parse(text),
        Value::Int(number) => numeric_level(*number, said),
        _ => None,
    })
}

/// pino and bunyan count 10 to 60; GELF has syslog's codes.
fn numeric_level(number: i64, said: &Fields) -> Option<Severity> {
    if said.get("short_message").is_some() {
        return Severity::from_syslog(u8::try_from(number).ok()?);
    }
    Some(match number {
        10 => Severity::Trace,
        20 => Severity::Debug,
        30 => Severity::Info,
        40 => Severity::Warn,
        50 => Severity::Error,
        60 => Severity::Fatal,
        _ => return None,
    })
}

/// Names under which loggers put their time, as `/ingest/ndjson` has them, and those of Serilog and Python after.
const TIME_NAMES: [&str; 9] =
    ["@timestamp", "timestamp", "time", "ts", "_time", "@t", "asctime", "datetime", MONGO_TIME];

/// MongoDB writes `"t":{"$date":…},"s":"I"`.
const MONGO_TIME: &str = "t.$date";

/// The time said. `@timestamp` and `_time` are taken out: the event has them already.
fn time(said: &mut Fields) -> Option<Timestamp> {
    let (found, time) = TIME_NAMES.iter().find_map(|name| {
        let last = said.get(name)?.elements().last()?;
        Some((*name, time_of(last)?))
    })?;
    if matches!(found, name::TIMESTAMP | name::TIME) {
        said.remove(found);
    }
    Some(time)
}

fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Time(time) => Some(*time),
        Value::Int(number) => credible(Timestamp::from_epoch(*number)),
        // Its shortest digits are the ones that were written; a product of floats would not be.
        Value::Float(number) => credible(
            Timestamp::parse(&number.to_string()).or_else(|_| Timestamp::from_epoch_float(*number)).ok()?,
        ),
        Value::Str(text) => match generic::whole_time(text) {
            Some(time) => Some(time),
            None => credible(Timestamp::parse(text).ok()?),
        },
        _ => None,
    }
}

/// A small number under `time` or `ts` is an uptime or a duration, no date.
fn credible(time: Timestamp) -> Option<Timestamp> {
    (time >= Timestamp::from_seconds(946_684_800)).then_some(time)
}
