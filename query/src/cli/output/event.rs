//! Events for people: a line each with time, level, origin and message; or the message alone.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use locard_event::name;
use serde_json::Value;

use super::cell::Cell;
use super::style::{Style, Tone};
use super::{Event, Look, text};

/// Widest an origin column gets before it pushes the message away.
const MAX_ORIGIN: usize = 32;

/// Names whose values are times.
const TIMES: [&str; 3] = [name::TIMESTAMP, name::TIME, name::INGESTED];

/// An event, and whether it is there for itself or for a match near it.
#[derive(Debug)]
pub(super) struct Seen {
    /// The event.
    pub(super) event: Event,
    /// In front of it; empty when there is no context.
    pub(super) lead: &'static str,
    /// Around a match, not a match.
    pub(super) faint: bool,
}

/// Prints events in columns that only ever grow, so that pages line up.
#[derive(Debug, Default)]
pub(super) struct EventTable {
    time: usize,
    host: usize,
    source: usize,
}

impl EventTable {
    pub(super) fn print(&mut self, out: &mut impl Write, events: &[Seen], look: &Look) -> io::Result<()> {
        let lines: Vec<Line> = events.iter().map(|seen| Line::of(seen, look)).collect();
        let widest = |of: fn(&Line) -> &Cell| lines.iter().map(|line| of(line).width()).max();
        self.time = self.time.max(widest(|line| &line.time).unwrap_or_default());
        self.host = self.host.max(widest(|line| &line.host).unwrap_or_default().min(MAX_ORIGIN));
        self.source = self.source.max(widest(|line| &line.source).unwrap_or_default().min(MAX_ORIGIN));
        events.iter().zip(&lines).try_for_each(|(seen, line)| self.line(out, seen, line, look.style))
    }

    fn line(&self, out: &mut impl Write, seen: &Seen, line: &Line, style: Style) -> io::Result<()> {
        let tone = if seen.faint { Tone::Dim } else { Tone::Plain };
        writeln!(
            out,
            "{}{} {} {} {} {}",
            style.heading(seen.lead),
            line.time.fitted(self.time, false, style, Tone::Dim),
            style.level(&line.level),
            padded(&line.host, self.host, style),
            padded(&line.source, self.source, style),
            line.message.painted(style, tone),
        )
    }
}

/// A name that is longer than its column is shown all the same.
fn padded(cell: &Cell, width: usize, style: Style) -> String {
    cell.fitted(width.max(cell.width()), false, style, Tone::Origin)
}

/// What a line shows of an event.
struct Line {
    time: Cell,
    level: String,
    host: Cell,
    source: Cell,
    message: Cell,
}

impl Line {
    fn of(seen: &Seen, look: &Look) -> Self {
        let event = &seen.event;
        Self {
            time: cell(event, name::TIMESTAMP, look),
            level: cell(event, name::LEVEL, look).plain(),
            host: first(event, &["host.name", "kubernetes.node.name"], look),
            source: source(event, look),
            message: if seen.faint { plain(event) } else { cell(event, name::MESSAGE, look) },
        }
    }
}

fn plain(event: &Event) -> Cell {
    Cell::new(&event.get(name::MESSAGE).map(text).unwrap_or_default(), &[])
}

/// The value of a field on one line, the places that matched marked.
pub(super) fn cell(event: &Event, field: &str, look: &Look) -> Cell {
    let Some(value) = event.get(field) else { return Cell::default() };
    let text = text(value);
    if TIMES.contains(&field) {
        return Cell::new(&look.zone.shown(&text), &[]);
    }
    if !look.style.is_coloured() {
        return Cell::new(&text, &[]);
    }
    let spans = match (field, value) {
        (name::MESSAGE, _) => look.marks.in_message(event, &text),
        (_, Value::Array(values)) => elements(values, field, look),
        _ => look.marks.spans(field, &text),
    };
    Cell::new(&text, &spans)
}

/// Each element of a list is asked by itself.
fn elements(values: &[Value], field: &str, look: &Look) -> Vec<std::ops::Range<usize>> {
    let (mut at, mut spans) = (0, Vec::new());
    for value in values {
        let text = text(value);
        let found = look.marks.spans(field, &text).into_iter();
        spans.extend(found.map(|span| span.start + at..span.end + at));
        at += text.len() + super::LIST_SEPARATOR.len();
    }
    spans
}

fn first(event: &Event, names: &[&str], look: &Look) -> Cell {
    let there = names.iter().find(|name| event.get(**name).is_some_and(|value| !text(value).is_empty()));
    there.map(|name| cell(event, name, look).without_tabs()).unwrap_or_default()
}

/// The narrowest thing that says who wrote it.
fn source(event: &Event, look: &Look) -> Cell {
    let of = |name: &str| event.get(name).map(text).unwrap_or_default();
    let (namespace, pod) = (of("kubernetes.namespace"), of("kubernetes.pod.name"));
    if pod.is_empty() {
        return first(event, &["process.name", "service.name", "log.file.path", "event.dataset"], look);
    }
    Cell::new(&format!("{namespace}/{pod}"), &[]).without_tabs()
}

/// The line as it was written: byte for byte into a pipe; without power, and marked, for people.
pub(super) fn raw(out: &mut impl Write, event: &Event, look: &Look) -> io::Result<()> {
    let message = event.get(name::MESSAGE).and_then(Value::as_str).unwrap_or_default();
    if look.for_people {
        let spans = if look.style.is_coloured() { look.marks.in_message(event, message) } else { Vec::new() };
        return writeln!(out, "{}", Cell::lines(message, &spans).painted(look.style, Tone::Plain));
    }
    let base64 = event.get("message_base64").and_then(Value::as_str);
    match base64.and_then(|text| STANDARD.decode(text).ok()) {
        Some(bytes) => out.write_all(&bytes)?,
        None => out.write_all(message.as_bytes())?,
    }
    out.write_all(b"\n")
}

/// The values of fields between tabs.
pub(super) fn values(out: &mut impl Write, event: &Event, fields: &[String], look: &Look) -> io::Result<()> {
    let value = |field: &String| {
        if look.for_people {
            cell(event, field, look).without_tabs().painted(look.style, Tone::Plain)
        } else {
            event.get(field).map(text).unwrap_or_default()
        }
    };
    writeln!(out, "{}", fields.iter().map(value).collect::<Vec<_>>().join("\t"))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::super::marks::Marks;
    use super::*;

    fn seen(value: Value) -> Seen {
        Seen { event: value.as_object().unwrap().clone(), lead: "", faint: false }
    }

    #[test]
    fn columns_line_up_and_nothing_escapes() {
        let events = [
            seen(
                json!({"@timestamp": "2026-11-24T08:00:00.000Z", "log.level": "error", "host.name": "node-10",
                "process.name": "sshd", "message": "red \u{1b}[31malarm\nsecond"}),
            ),
            seen(json!({"@timestamp": "2026-11-24T08:00:00.000Z", "host.name": "漢",
                "kubernetes.namespace": "shop", "kubernetes.pod.name": "cart-1", "message": "hi"})),
        ];
        let mut out = Vec::new();
        EventTable::default().print(&mut out, &events, &Look::default()).unwrap();
        expect![[r#"
            2026-11-24T08:00:00.000Z ◆ error  node-10 sshd        red ␛[31malarm␊second
            2026-11-24T08:00:00.000Z ○        漢      shop/cart-1 hi
        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }

    #[test]
    fn matches_are_marked_and_what_is_around_them_is_faint() {
        let event = json!({"@timestamp": "t", "host.name": "web", "message": "root \u{1b}[2J at web"});
        let mut around = seen(event.clone());
        (around.lead, around.faint) = ("  ", true);
        let look = Look { style: Style::of(true), marks: Marks::of("root host.name:web"), ..Look::default() };
        let mut out = Vec::new();
        EventTable::default().print(&mut out, &[seen(event), around], &look).unwrap();
        let shown = String::from_utf8(out).unwrap().replace('\u{1b}', "^");
        expect![[r#"
            ^[2mt^[0m ^[2m○       ^[0m ^[31;1mweb^[0m  ^[31;1mroot^[0m ␛[2J at ^[31;1mweb^[0m
            ^[1m  ^[0m^[2mt^[0m ^[2m○       ^[0m ^[31;1mweb^[0m  ^[2mroot ␛[2J at web^[0m
        "#]]
        .assert_eq(&shown);
    }

    #[test]
    fn raw_is_exact_in_a_pipe_and_harmless_for_people() {
        let event = seen(json!({"message": "a\u{1b}\u{fffd}", "message_base64": "YRv/"})).event;
        for (for_people, expected) in [(false, b"a\x1b\xff\n".as_slice()), (true, "a␛\u{fffd}\n".as_bytes())]
        {
            let mut out = Vec::new();
            raw(&mut out, &event, &Look { for_people, ..Look::default() }).unwrap();
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn elements_of_a_list_are_marked_by_themselves() {
        let event = seen(json!({"tags": ["ab", "b", "ü"]})).event;
        let look = Look { style: Style::of(true), marks: Marks::of("tags=b tags=ü"), ..Look::default() };
        let shown = cell(&event, "tags", &look).painted(look.style, Tone::Plain).replace('\u{1b}', "^");
        assert_eq!(shown, "ab, ^[31;1mb^[0m, ^[31;1mü^[0m");
    }
}
