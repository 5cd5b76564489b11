//! Events for people: a line each with time, level, origin and message; or the message alone.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::neutral::{neutralise, neutralise_lines};
use super::style::Style;
use super::{Event, text};

/// Widest an origin column gets before it pushes the message away.
const MAX_ORIGIN: usize = 32;

/// Prints events in columns that only ever grow, so that pages line up.
#[derive(Debug, Default)]
pub(super) struct EventTable {
    time: usize,
    host: usize,
    source: usize,
}

impl EventTable {
    pub(super) fn print(&mut self, out: &mut impl Write, events: &[Event], style: &Style) -> io::Result<()> {
        let widest = |of: fn(&Event) -> String| events.iter().map(|event| of(event).chars().count()).max();
        self.time = self.time.max(widest(time).unwrap_or_default());
        self.host = self.host.max(widest(host).unwrap_or_default().min(MAX_ORIGIN));
        self.source = self.source.max(widest(source).unwrap_or_default().min(MAX_ORIGIN));
        events.iter().try_for_each(|event| self.line(out, event, style))
    }

    fn line(&self, out: &mut impl Write, event: &Event, style: &Style) -> io::Result<()> {
        let (time_width, host_width, source_width) = (self.time, self.host, self.source);
        writeln!(
            out,
            "{} {} {} {} {}",
            style.dim(&format!("{:time_width$}", time(event))),
            style.level(&member(event, "log.level")),
            style.origin(&format!("{:host_width$}", host(event))),
            style.origin(&format!("{:source_width$}", source(event))),
            member(event, "message"),
        )
    }
}

fn member(event: &Event, name: &str) -> String {
    event.get(name).map(|value| neutralise(&text(value)).into_owned()).unwrap_or_default()
}

fn first(event: &Event, names: &[&str]) -> String {
    names.iter().map(|name| member(event, name)).find(|text| !text.is_empty()).unwrap_or_default()
}

fn time(event: &Event) -> String {
    member(event, "@timestamp")
}

fn host(event: &Event) -> String {
    first(event, &["host.name", "kubernetes.node.name"])
}

/// The narrowest thing that says who wrote it.
fn source(event: &Event) -> String {
    let (namespace, pod) = (member(event, "kubernetes.namespace"), member(event, "kubernetes.pod.name"));
    if pod.is_empty() {
        return first(event, &["process.name", "service.name", "log.file.path", "event.dataset"]);
    }
    format!("{namespace}/{pod}")
}

/// The line as it was written: byte for byte into a pipe, without power on a terminal.
pub(super) fn raw(out: &mut impl Write, event: &Event, terminal: bool) -> io::Result<()> {
    let message = event.get("message").and_then(Value::as_str).unwrap_or_default();
    let base64 = event.get("message_base64").and_then(Value::as_str);
    match base64.and_then(|text| STANDARD.decode(text).ok()) {
        Some(bytes) if !terminal => out.write_all(&bytes)?,
        _ if terminal => out.write_all(neutralise_lines(message).as_bytes())?,
        _ => out.write_all(message.as_bytes())?,
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(value: Value) -> Event {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn columns_line_up_and_nothing_escapes() {
        let events = [
            event(
                json!({"@timestamp": "2026-11-24T08:00:00.000Z", "log.level": "error", "host.name": "node-10",
                "process.name": "sshd", "message": "red \u{1b}[31malarm\nsecond"}),
            ),
            event(json!({"@timestamp": "2026-11-24T08:00:00.000Z", "host.name": "n",
                "kubernetes.namespace": "shop", "kubernetes.pod.name": "cart-1", "message": "hi"})),
        ];
        let mut out = Vec::new();
        EventTable::default().print(&mut out, &events, &Style::default()).unwrap();
        let expected = "\
2026-11-24T08:00:00.000Z ◆ error  node-10 sshd        red ␛[31malarm␊second
2026-11-24T08:00:00.000Z ○        n       shop/cart-1 hi
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn raw_is_exact_in_a_pipe_and_harmless_on_a_terminal() {
        let event = event(json!({"message": "a\u{1b}\u{fffd}", "message_base64": "YRv/"}));
        for (terminal, expected) in [(false, b"a\x1b\xff\n".as_slice()), (true, "a␛\u{fffd}\n".as_bytes())]
        {
            let mut out = Vec::new();
            raw(&mut out, &event, terminal).unwrap();
            assert_eq!(out, expected);
        }
    }
}
