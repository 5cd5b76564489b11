//! [`normalise`]: what a line says, as ECS fields.
//!
//! Decides which formats are tried by the dataset the source gave; each format is a file of its own and decides for itself whether a
//! line is its own. Does not touch the message.

use locard_event::{Event, Severity, Timestamp, name};

use crate::facts::Facts;
use crate::{app, audit, program, syslog};
use syslog::SEVERITY_CODE;

/// What is known besides the line.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// When the line was received: gives a year to RFC 3164 times, and a time to lines that have none.
    pub received: Timestamp,
    /// `event.time` was given by the source (a runtime's envelope, an OTLP time); a time in the line does not replace it.
    pub time_known: bool,
}

/// Reads the message of `event` by its dataset and its looks, and adds fields; those already there win. Never fails: what no
/// format fits stays a line; what looks like a format and is broken gets `error.message`.
///
/// Times without a zone are read as UTC.
pub fn normalise(event: &mut Event, context: Context) {
    let Event { message, fields, stream, time, .. } = event;
    let kind = Kind::of(stream.get(name::DATASET).unwrap_or_default());
    if matches!(kind, Kind::AsSent) {
        return;
    }
    let text = String::from_utf8_lossy(message);
    // Windows and some network devices end a line with more than a line feed.
    let line = text.trim_end_matches(['\r', '\n', '\0']);
    let process = fields.get(name::PROCESS_NAME).map(|process| process.text().into_owned());
    let mut facts = Facts::new(fields, stream, context.received);
    match kind {
        Kind::AsSent => {}
        Kind::Journal => journal(&process.unwrap_or_default(), line, &mut facts),
        Kind::Audit => audit::read_only(line, &mut facts),
        Kind::File => file(line, &mut facts),
        Kind::Application => _ = app::read(line, &mut facts),
    }
    if !context.time_known {
        *time = facts.said_time().unwrap_or(context.received);
    }
}

/// What may be expected of a dataset's lines.
#[derive(Clone, Copy)]
enum Kind {
    /// The sender named the fields itself.
    AsSent,
    /// The journal knows the program already.
    Journal,
    /// One audit event a line.
    Audit,
    /// Anything may be in a file of the node; only there audit events are believed, since a container can print what it likes.
    File,
    /// An application's own output.
    Application,
}

impl Kind {
    fn of(dataset: &str) -> Self {
        match dataset {
            "ndjson" | "k8s.event" | "auditd" => Self::AsSent,
            "journald" => Self::Journal,
            "k8s.audit" => Self::Audit,
            "syslog" | "file" => Self::File,
            _ => Self::Application,
        }
    }
}

/// What a service prints has the priority of its pipe, which is `info` whatever it says: a level in the text goes first.
fn journal(process: &str, line: &str, facts: &mut Facts<'_>) {
    // Before the line can say it.
    let code = facts.get(SEVERITY_CODE).and_then(|code| code.text().parse().ok());
    program::read(process, line, facts);
    if let Some(severity) = code.and_then(Severity::from_syslog) {
        facts.level(severity);
    }
}

fn file(line: &str, facts: &mut Facts<'_>) {
    let known = match line.as_bytes().first() {
        Some(b'{' | b' ') => audit::read(line, facts),
        Some(b'<' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => syslog::read(line, facts),
        _ => false,
    };
    if !known {
        app::read(line, facts);
    }
}
