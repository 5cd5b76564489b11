//! Journal entries as `journalctl -o json` exports them, one object a line.
//!
//! Values are strings; arrays of numbers where the bytes are not text; arrays of these where a field repeats; `null` where a value
//! was too large to export (systemd.io/JOURNAL_EXPORT_FORMATS, "Journal JSON Format"). Field names that begin with `_` were set
//! by journald itself and cannot be forged by a program; so their spelling is kept under `journald.`.

use locard_event::{Fields, Timestamp, Value, name};
use serde_json::{Map, Value as Json};

use crate::syslog::SEVERITY_CODE;

/// One journal entry.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// When its source wrote it, as `journalctl` shows it: the source's clock if it was noted, else the journal's.
    pub time: Timestamp,
    /// Where to resume with `--after-cursor`.
    pub cursor: Option<Box<str>>,
    /// The text of `MESSAGE`, byte for byte.
    pub message: Vec<u8>,
    /// Labels of its stream: `event.dataset` and `host.name`.
    pub labels: Vec<(&'static str, Box<str>)>,
    /// Everything else.
    pub fields: Fields,
}

/// Reads one line of `journalctl -o json`. `None`: not that format.
pub fn journald(line: &[u8]) -> Option<JournalEntry> {
    if !line.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let mut object: Map<String, Json> = serde_json::from_slice(line).ok()?;
    let journal_time = micros(object.get("__REALTIME_TIMESTAMP")?)?;
    object.remove("__REALTIME_TIMESTAMP");
    let source_time = object.get("_SOURCE_REALTIME_TIMESTAMP").and_then(micros);
    let mut fields = Fields::new();
    if source_time.is_some_and(|time| time != journal_time) {
        fields.set("journald.__realtime_timestamp", journal_time);
    }
    object.remove("_SOURCE_REALTIME_TIMESTAMP");
    let cursor = object.remove("__CURSOR").and_then(|cursor| cursor.as_str().map(Into::into));
    let message = message(object.remove("MESSAGE"), &mut fields);
    let mut labels = vec![(name::DATASET, "journald".into())];
    if let Some(Json::String(host)) = object.remove("_HOSTNAME") {
        labels.push((name::HOST, host.into()));
    }
    for (key, value) in object {
        set(&mut fields, &key, value);
    }
    Some(JournalEntry { time: source_time.unwrap_or(journal_time), cursor, message, labels, fields })
}

fn micros(value: &Json) -> Option<Timestamp> {
    let micros: i64 = value.as_str()?.parse().ok()?;
    micros.checked_mul(1000).map(Timestamp::from_nanos)
}

/// A repeated `MESSAGE` is joined with line ends; one too large to export is said to be so.
fn message(value: Option<Json>, fields: &mut Fields) -> Vec<u8> {
    match value {
        Some(Json::String(text)) => text.into_bytes(),
        Some(Json::Array(items)) => bytes(&items).unwrap_or_else(|| {
            let parts: Vec<Vec<u8>> = items.into_iter().map(|item| message(Some(item), fields)).collect();
            parts.join(&b'\n')
        }),
        Some(Json::Null) => {
            fields.set(name::ERROR_MESSAGE, "journalctl left out a message that was too large to export");
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn bytes(items: &[Json]) -> Option<Vec<u8>> {
    items.iter().map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect()
}

fn set(fields: &mut Fields, key: &str, value: Json) {
    let value = text(value);
    match key {
        // No level yet: the program may say in its text that it knows better, see `normalise`.
        "PRIORITY" => match code(&value).filter(|code| (0..=7).contains(code)) {
            Some(code) => fields.set(SEVERITY_CODE, code),
            None => fields.set("journald.priority", value),
        },
        "SYSLOG_IDENTIFIER" => fields.set(name::PROCESS_NAME, value),
        "_COMM" => {
            fields.set_default(name::PROCESS_NAME, value.clone());
            fields.set("journald._comm", value);
        }
        _ => match known(key) {
            Some((name, true)) => fields.set(name, code(&value).map_or(value, Value::Int)),
            Some((name, false)) => fields.set(name, value),
            None => fields.set(format!("journald.{}", key.to_ascii_lowercase()), value),
        },
    }
}

/// The ECS name of a journal field, and whether it is a number.
fn known(key: &str) -> Option<(&'static str, bool)> {
    Some(match key {
        "_PID" => ("process.pid", true),
        "_EXE" => ("process.executable", false),
        "_CMDLINE" => ("process.command_line", false),
        "_UID" => ("user.id", false),
        "_GID" => ("group.id", false),
        "_SYSTEMD_UNIT" => ("systemd.unit", false),
        "_TRANSPORT" => ("journald.transport", false),
        "_BOOT_ID" => ("host.boot.id", false),
        "_MACHINE_ID" => ("host.id", false),
        "SYSLOG_FACILITY" => ("log.syslog.facility.code", true),
        "CODE_FILE" => ("log.origin.file.name", false),
        "CODE_LINE" => ("log.origin.file.line", true),
        "CODE_FUNC" => ("log.origin.function", false),
        _ => return None,
    })
}

fn code(value: &Value) -> Option<i64> {
    match value {
        Value::Str(text) => text.parse().ok(),
        _ => None,
    }
}

/// Text where the bytes are text, else text with U+FFFD in the place of other bytes.
fn text(value: Json) -> Value {
    match value {
        Json::String(text) => text.into(),
        Json::Array(items) => match bytes(&items) {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
            None => Value::List(items.into_iter().map(text).collect()),
        },
        Json::Null | Json::Object(_) => Value::Null,
        Json::Bool(truth) => truth.into(),
        Json::Number(number) => number.as_i64().map_or_else(|| number.to_string().into(), Value::Int),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, message: &[u8], time: &str, fields: &[(&str, Value)]) {
        let entry = journald(line.as_bytes()).unwrap();
        assert_eq!(entry.message, message);
        assert_eq!(entry.time.to_string(), time);
        let fields: Fields = fields.iter().map(|(name, value)| (*name, value.clone())).collect();
        assert_eq!(entry.fields, fields);
    }

    #[test]
    fn known_fields_take_their_ecs_names() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1772366400000000","__CURSOR":"s=1;i=2","MESSAGE":"hi","PRIORITY":"3",
            "SYSLOG_IDENTIFIER":"sshd","_COMM":"sshd-session","_PID":"42","_UID":"0","_HOSTNAME":"node-1",
            "_SYSTEMD_UNIT":"ssh.service","_TRANSPORT":"syslog","_CAP_EFFECTIVE":"1ff"}"#;
        check(
            line,
            b"hi",
            "2026-03-01T12:00:00.000Z",
            &[
                ("log.syslog.severity.code", Value::Int(3)),
                ("process.name", "sshd".into()),
                ("journald._comm", "sshd-session".into()),
                ("process.pid", 42.into()),
                ("user.id", "0".into()),
                ("systemd.unit", "ssh.service".into()),
                ("journald.transport", "syslog".into()),
                ("journald._cap_effective", "1ff".into()),
            ],
        );
        let entry = journald(line.as_bytes()).unwrap();
        assert_eq!(entry.cursor.as_deref(), Some("s=1;i=2"));
        assert_eq!(entry.labels, [("event.dataset", "journald".into()), ("host.name", "node-1".into())]);
    }

    #[test]
    fn bytes_repeats_and_nulls_survive() {
        check(
            r#"{"__REALTIME_TIMESTAMP":"1772366400000001","_SOURCE_REALTIME_TIMESTAMP":"1772366400000000",
                "MESSAGE":[104,105,255,0],"X":["a","b",[255,65]],"BIG":null,"PRIORITY":"nine"}"#,
            b"hi\xff\0",
            "2026-03-01T12:00:00.000Z",
            &[
                ("journald.__realtime_timestamp", Timestamp::from_nanos(1_772_366_400_000_001_000).into()),
                ("journald.x", Value::List(vec!["a".into(), "b".into(), "\u{fffd}A".into()])),
                ("journald.big", Value::Null),
                ("journald.priority", "nine".into()),
            ],
        );
        check(
            r#"{"__REALTIME_TIMESTAMP":"1772366400000000","MESSAGE":["one",[116,119,111]]}"#,
            b"one\ntwo",
            "2026-03-01T12:00:00.000Z",
            &[],
        );
        let cut = journald(br#"{"__REALTIME_TIMESTAMP":"1772366400000000","MESSAGE":null}"#).unwrap();
        assert!(cut.fields.get(name::ERROR_MESSAGE).is_some());
    }

    #[test]
    fn anything_else_is_not_journald() {
        for line in ["", "x", "{}", r#"{"__REALTIME_TIMESTAMP":1}"#, r#"{"__REALTIME_TIMESTAMP":"x"}"#, "[1]"]
        {
            assert_eq!(journald(line.as_bytes()), None, "{line}");
        }
    }
}
