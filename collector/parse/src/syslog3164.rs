//! Syslog as BSD and every file under `/var/log` has it: `<34>Mar  1 12:00:00 host program[42]: text`.
//!
//! Source: RFC 3164 §4.1. Priority, host and tag may each be missing, and rsyslog's default since 2023 writes an RFC 3339 time. BusyBox
//! spells the priority behind the time, and OpenWrt's `logread` also begins with a weekday:
//! `Sun Mar  1 12:00:00 2026 authpriv.info dropbear[42]: text`.
//! A time without zone is read as UTC, one without year as [`crate::time::with_year`] says.

use locard_event::{Severity, Timestamp, name};

use crate::facts::Facts;
use crate::syslog::{self, Header};
use crate::time;

/// Reads `line` if it is this format.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    let Some(header) = header(line, facts) else { return false };
    syslog::add(&header, facts);
    true
}

fn header<'a>(line: &'a str, facts: &Facts<'_>) -> Option<Header<'a>> {
    let (priority, rest) = match syslog::priority(line) {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, line),
    };
    if let Some((time, rest)) = time::on_str(rest, |text| time::bsd(text, facts.received)) {
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let rest = rest.strip_prefix(' ').or_else(|| rest.is_empty().then_some(""))?;
        let origin = origin(rest);
        return Some(Header { priority: priority.or(origin.priority), time: Some(time), ..origin });
    }
    if let Some((time, rest)) = after_weekday(rest, facts) {
        let origin = origin(rest.strip_prefix(' ')?);
        let header = Header { priority: priority.or(origin.priority), time: Some(time), ..origin };
        return is_surely_syslog(&header).then_some(header);
    }
    if let Some((time, rest)) = iso(rest) {
        let origin = origin(rest.strip_prefix(' ')?);
        let header = Header { priority: priority.or(origin.priority), time: Some(time), ..origin };
        return (priority.is_some() || is_surely_syslog(&header)).then_some(header);
    }
    // RFC 3164 §4.3.3: without a time, everything behind the priority is content.
    if priority.is_none() {
        return from_journal(rest, facts);
    }
    Some(Header { priority, ..tagged(rest).unwrap_or(Header { body: rest, ..Header::default() }) })
}

/// `host program[42]: text`, what is left of a journal's lines when something cut off the time. Believed of a syslog source only.
fn from_journal<'a>(text: &'a str, facts: &Facts<'_>) -> Option<Header<'a>> {
    let header = (facts.label(name::DATASET) == Some("syslog")).then(|| origin(text))?;
    (header.pid.is_some() && is_surely_syslog(&header)).then_some(header)
}

/// `Sun Mar  1 12:00:00 2026`, which others than syslog write as well.
fn after_weekday<'a>(text: &'a str, facts: &Facts<'_>) -> Option<(Timestamp, &'a str)> {
    let (weekday, rest) = text.split_once(' ')?;
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&weekday).then_some(())?;
    time::on_str(rest, |text| time::bsd(text, facts.received))
}

fn iso(text: &str) -> Option<(Timestamp, &str)> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    time::on_str(text, time::rfc3339).or_else(|| {
        let (civil, rest) = time::on_str(text, time::date_time)?;
        Some((civil.timestamp()?, rest))
    })
}

/// Many applications begin their lines with an RFC 3339 time. It is syslog only if what follows looks like host and tag.
fn is_surely_syslog(header: &Header<'_>) -> bool {
    header.program.is_some()
        && (header.host.is_some_and(|host| Severity::parse(host).is_none()) || header.priority.is_some())
        && header.program.is_some_and(|program| Severity::parse(program).is_none())
}

/// Reads `host tag: text`, `tag: text` or `host text`, `facility.severity` before the tag.
fn origin(text: &str) -> Header<'_> {
    if let Some(header) = prioritised(text).or_else(|| tagged(text)) {
        return header;
    }
    match text.split_once(' ') {
        Some((host, rest)) if is_host(host) => {
            let header = prioritised(rest).or_else(|| tagged(rest));
            Header { host: Some(host), ..header.unwrap_or(Header { body: rest, ..Header::default() }) }
        }
        _ => Header { body: text, ..Header::default() },
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':'))
}

/// Reads `authpriv.info program[42]: text`.
fn prioritised(text: &str) -> Option<Header<'_>> {
    let (word, rest) = text.split_once(' ')?;
    let priority = syslog::named_priority(word)?;
    Some(Header { priority: Some(priority), ..tagged(rest)? })
}

/// Reads `program[42]: text` or `program: text`.
fn tagged(text: &str) -> Option<Header<'_>> {
    let length = text.bytes().take_while(|byte| is_tag_byte(*byte)).take(64).count();
    let (program, rest) = text.split_at_checked(length)?;
    if program.is_empty() {
        return None;
    }
    let (pid, rest) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (pid, rest) = rest.split_once(']')?;
            (is_pid(pid).then_some(pid)?, rest)
        }
        None => ("", rest),
    };
    let body = rest.strip_prefix(':')?;
    let body = body.strip_prefix(' ').or_else(|| body.is_empty().then_some(""))?;
    Some(Header { program: Some(program), pid: (!pid.is_empty()).then_some(pid), body, ..Header::default() })
}

/// `systemd-logind`, `postfix/smtpd`, `CRON`, `sshd(pam_unix)`, `dbus@1`.
fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'(' | b')' | b'@' | b'+' | b'~')
}

fn is_pid(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, host: Option<&str>, program: Option<&str>, pid: Option<&str>, body: &str) {
        let expected = Header { host, program, pid, body, ..Header::default() };
        assert_eq!(origin(text), expected, "{text}");
    }

    #[test]
    fn host_and_tag_may_each_be_missing() {
        check("web1 sshd[42]: hello: x", Some("web1"), Some("sshd"), Some("42"), "hello: x");
        check("sshd[42]: hello", None, Some("sshd"), Some("42"), "hello");
        check("web1 kernel: [1.2] x", Some("web1"), Some("kernel"), None, "[1.2] x");
        check("web1 -- MARK --", Some("web1"), None, None, "-- MARK --");
        check(
            "web1 last message repeated 3 times",
            Some("web1"),
            None,
            None,
            "last message repeated 3 times",
        );
        check("::1 postfix/smtpd[1]: x", Some("::1"), Some("postfix/smtpd"), Some("1"), "x");
        check("web1 cron:", Some("web1"), Some("cron"), None, "");
        check("", None, None, None, "");
    }
}
