//! The log lines of Kubernetes' own components: `I0324 12:00:00.123456   42 file.go:12] "text" key="value"`.
//!
//! Source: k8s.io/klog v2, `klog.go` (header) and `internal/serialize` (pairs). The header has no year and no zone: the year comes from
//! the time of receipt, the zone is UTC, which is what container images run in.

use locard_event::{Severity, Timestamp};

use crate::facts::Facts;
use crate::json::{MAX_FIELDS, note_left_out};
use crate::logfmt::Pairs;
use crate::{app, logfmt, time};

/// Reads `line` if it is a klog line.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    let Some(header) = header(line, facts.received) else { return false };
    facts.time(header.time);
    facts.level(header.severity);
    facts.set_text("log.origin.file.name", header.file);
    facts.set_number("log.origin.file.line", header.line);
    facts.set_number("process.thread.id", header.thread);
    if let Some(Pairs { said, left_out }) = tail(header.text) {
        note_left_out(left_out, MAX_FIELDS, facts);
        app::add(said, facts);
    }
    true
}

struct Header<'a> {
    severity: Severity,
    time: Timestamp,
    thread: &'a str,
    file: &'a str,
    line: &'a str,
    text: &'a str,
}

fn header(line: &str, received: Timestamp) -> Option<Header<'_>> {
    let severity = match line.bytes().next()? {
        b'I' => Severity::Info,
        b'W' => Severity::Warn,
        b'E' => Severity::Error,
        b'F' => Severity::Fatal,
        _ => return None,
    };
    let (time, rest) = time::on_str(line.get(1..)?, |text| month_day_clock(text, received))?;
    let (thread, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let (origin, text) = rest.split_once(']')?;
    let (file, line) = origin.rsplit_once(':')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(thread) || !is_number(line) || file.is_empty() || file.contains(' ') {
        return None;
    }
    Some(Header { severity, time, thread, file, line, text: text.trim_start() })
}

/// `0324 12:00:00.123456`.
fn month_day_clock(input: &[u8], received: Timestamp) -> Option<(Timestamp, &[u8])> {
    let (month, rest) = time::two_digits(input)?;
    let (day, rest) = time::two_digits(rest)?;
    let (civil, rest) = time::clock(rest.strip_prefix(b" ")?)?;
    let civil = time::Civil { month, day, ..civil };
    Some((time::with_year(civil, received)?, rest.strip_prefix(b" ")?))
}

/// The pairs behind a quoted text, if it has any.
fn tail(text: &str) -> Option<Pairs> {
    let quoted = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = quoted.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let pairs = quoted.get(end + 1..)?.strip_prefix(' ')?;
    Some(logfmt::pairs(pairs.trim()))
}
