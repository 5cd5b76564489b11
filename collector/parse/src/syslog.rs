//! What the two syslog formats share: priority, the fields of a header, and who reads the body.
//!
//! Does not know how a header is written, see [`crate::syslog3164`] and [`crate::syslog5424`].

use locard_event::{Severity, Timestamp, name};

use crate::facts::Facts;
use crate::{program, syslog3164, syslog5424};

/// The field of a priority's severity.
pub(crate) const SEVERITY_CODE: &str = "log.syslog.severity.code";

/// A line taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    pub(crate) priority: Option<u8>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) host: Option<&'a str>,
    pub(crate) program: Option<&'a str>,
    pub(crate) pid: Option<&'a str>,
    /// What the program wrote.
    pub(crate) body: &'a str,
}

/// Reads `line` as syslog of either kind, if it is.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    let line = without_octet_count(line);
    syslog5424::read(line, facts) || syslog3164::read(line, facts)
}

/// RFC 6587 §3.4.1 puts the length of a message and a space before it; some receivers write both to their file.
fn without_octet_count(line: &str) -> &str {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.get(digits..).and_then(|rest| rest.strip_prefix(' ')) {
        Some(rest) if (1..=7).contains(&digits) && rest.starts_with('<') => rest,
        _ => line,
    }
}

/// Reads `<34>` and what follows. At most 191 (RFC 5424 §6.2.1).
pub(crate) fn priority(line: &str) -> Option<(u8, &str)> {
    let (digits, rest) = line.strip_prefix('<')?.split_once('>')?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|priority| *priority <= 191).map(|priority| (priority, rest))
}

/// Reads `authpriv.info` as a priority, the way BusyBox and OpenWrt write it.
pub(crate) fn named_priority(word: &str) -> Option<u8> {
    const FACILITIES: [&str; 24] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
        "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5",
        "local6", "local7",
    ];
    const SEVERITIES: [&[&str]; 8] = [
        &["emerg", "panic"],
        &["alert"],
        &["crit"],
        &["err", "error"],
        &["warn", "warning"],
        &["notice"],
        &["info"],
        &["debug"],
    ];
    let (facility, severity) = word.split_once('.')?;
    let facility = FACILITIES.iter().position(|name| *name == facility)?;
    let severity = SEVERITIES.iter().position(|names| names.contains(&severity))?;
    u8::try_from(facility * 8 + severity).ok()
}

/// Adds what the header says, then what its program's body says.
pub(crate) fn add(header: &Header<'_>, facts: &mut Facts<'_>) {
    if let Some(time) = header.time {
        facts.time(time);
    }
    if let Some(host) = header.host {
        add_host(host, facts);
    }
    if let Some(program) = header.program {
        facts.set_text(name::PROCESS_NAME, program);
    }
    if let Some(pid) = header.pid {
        facts.set_number("process.pid", pid);
    }
    if let Some(priority) = header.priority {
        facts.set("log.syslog.priority", i64::from(priority));
        facts.set("log.syslog.facility.code", i64::from(priority / 8));
        facts.set(SEVERITY_CODE, i64::from(priority % 8));
    }
    program::read(header.program.unwrap_or_default(), header.body, facts);
    // Last: a body that names its own level knows better than the priority of its pipe.
    if let Some(severity) = header.priority.and_then(|priority| Severity::from_syslog(priority % 8)) {
        facts.level(severity);
    }
}

/// The label `host.name`, where the source has one, says on which machine the line was found; a line that came over the network names
/// another, or another spelling.
fn add_host(host: &str, facts: &mut Facts<'_>) {
    match facts.label(name::HOST) {
        None => facts.set_text(name::HOST, host),
        Some(label) if label != host => facts.set_text("log.syslog.hostname", host),
        Some(_) => {}
    }
}
