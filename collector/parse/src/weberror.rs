//! Error lines of nginx (`2026/03/01 12:00:00 [error] 1#2: *3 text, client: …`) and Apache (`[Sun Mar 01 …] [core:error] …`).

use std::net::IpAddr;

use locard_event::{Severity, Timestamp};

use crate::facts::{Facts, Side};
use crate::{time, url};

/// Reads `line` if it is either.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    match line.as_bytes().first() {
        Some(b'0'..=b'9') => nginx(line, facts).is_some(),
        Some(b'[') => apache(line, facts).is_some(),
        _ => false,
    }
}

fn nginx(line: &str, facts: &mut Facts<'_>) -> Option<()> {
    if line.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let (civil, rest) = time::on_str(line, time::date_time)?;
    let (level, rest) = rest.strip_prefix(" [")?.split_once("] ")?;
    let severity = Severity::parse(level)?;
    let (process, text) = rest.split_once(": ")?;
    let (pid, thread) = process.split_once('#')?;
    facts.time(civil.timestamp()?);
    facts.level(severity);
    facts.set_number("process.pid", pid);
    facts.set_number("process.thread.id", thread);
    nginx_request(text, facts);
    Some(())
}

/// `text, client: A, server: S, request: "R", upstream: "U", host: "H", referrer: "F"`. The text holds the decoded path and the end the
/// referrer, both as the client chose them, and both may read like the rest: where there are several, all are kept.
fn nginx_request(text: &str, facts: &mut Facts<'_>) {
    const CLIENT: &str = ", client: ";
    let after =
        |lead: &'static str| text.match_indices(lead).filter_map(move |(at, _)| text.get(at + lead.len()..));
    let clients: Vec<&str> = after(CLIENT).map(|rest| rest.split(',').next().unwrap_or(rest)).collect();
    let is_plain = clients.len() == 1 && after(", request: \"").count() <= 1;
    facts.set_any_address(Side::Source, clients);
    if !is_plain {
        let targets = after(", request: \"").filter_map(|rest| rest.split('"').next()?.split(' ').nth(1));
        facts.set_any("url.original", targets);
        return;
    }
    let (before, request) = text.split_once(", request: \"").unwrap_or((text, ""));
    let server = before.split_once(CLIENT).and_then(|(_, client)| client.split_once(", server: "));
    facts.set_text("nginx.error.server", server.map_or("", |(_, server)| server));
    let Some((request, rest)) = request.split_once('"') else { return };
    url::add_request(request, facts);
    for (lead, field) in [(", host: \"", "url.domain"), (", referrer: \"", "http.request.referrer")] {
        if let Some((value, _)) = rest.split_once(lead).and_then(|(_, rest)| rest.split_once('"')) {
            facts.set_text(field, value);
        }
    }
}

fn apache(line: &str, facts: &mut Facts<'_>) -> Option<()> {
    let (first, behind) = group(line)?;
    let (origin, mut rest) = match apache_time(first, facts) {
        Some(time) => {
            let (origin, rest) = group(behind)?;
            facts.time(time);
            (origin, rest)
        }
        // Through syslog it leaves out the time.
        None if behind.starts_with("[pid ") || behind.starts_with("[client ") => (first, behind),
        None => return None,
    };
    let (module, level) = origin.rsplit_once(':').unwrap_or(("", origin));
    facts.level(Severity::parse(level.trim_end_matches(|char: char| char.is_ascii_digit()))?);
    facts.set_text("apache.error.module", module);
    while let Some((text, after)) = group(rest) {
        apache_group(text, facts);
        // `(13)Permission denied: ` may stand before the client.
        rest = match after.strip_prefix('(').and_then(|error| error.split_once(": ")) {
            Some((_, after)) => after,
            None => after,
        };
    }
    Some(())
}

/// `Sun Mar 01 12:00:00.880562 2026`.
fn apache_time(text: &str, facts: &Facts<'_>) -> Option<Timestamp> {
    let (_weekday, text) = text.split_at_checked(4)?;
    let (time, rest) = time::bsd(text.as_bytes(), facts.received)?;
    rest.is_empty().then_some(time)
}

/// `[text] rest`; the text may hold an address in brackets.
fn group(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    inside.split_once("] ").or_else(|| Some((inside.strip_suffix(']')?, "")))
}

fn apache_group(text: &str, facts: &mut Facts<'_>) {
    if let Some(process) = text.strip_prefix("pid ") {
        let (pid, thread) = process.split_once(":tid ").unwrap_or((process, ""));
        facts.set_number("process.pid", pid);
        facts.set_number("process.thread.id", thread);
    } else if let Some(client) = text.strip_prefix("client ").or_else(|| text.strip_prefix("remote ")) {
        apache_client(client, facts);
    }
}

/// Apache 2.4, which writes the process first, always writes a port; 2.2 never does.
fn apache_client(client: &str, facts: &mut Facts<'_>) {
    let with_port = facts.get("process.pid").is_some() || client.parse::<IpAddr>().is_err();
    match client.rsplit_once(':') {
        Some((address, port)) if with_port => {
            facts.set_address(Side::Source, address);
            facts.set_port(Side::Source, port);
        }
        _ => facts.set_address(Side::Source, client),
    }
}
