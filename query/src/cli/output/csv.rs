//! CSV (RFC 4180), every cell safe to open in a spreadsheet, and on a terminal safe to look at.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ::csv::{QuoteStyle, WriterBuilder};
use serde_json::Value;

use super::neutral::neutralise;
use super::zone::Zone;
use super::{Event, Look, Rows, text};

/// The columns every event has, first.
const FIRST: [&str; 3] = ["_id", "@timestamp", "message"];

/// How cells are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    for_people: bool,
    header: bool,
    zone: Zone,
}

impl Form {
    pub(super) fn of(look: &Look) -> Self {
        Self { for_people: look.for_people, header: look.header, zone: look.zone.clone() }
    }
}

/// Collects events until their columns are known.
#[derive(Debug)]
pub(super) struct Csv {
    columns: Vec<String>,
    begun: bool,
    form: Form,
    waiting: Vec<Event>,
}

impl Csv {
    /// With columns, events are printed at once; without, after the last one.
    pub(super) fn new(columns: Vec<String>, form: Form) -> Self {
        Self { columns, begun: false, form, waiting: Vec::new() }
    }

    pub(super) fn event(&mut self, out: &mut impl Write, event: &Event) -> io::Result<()> {
        if self.columns.is_empty() {
            self.waiting.push(event.clone());
            return Ok(());
        }
        self.begin(out)?;
        self.line(out, event)
    }

    pub(super) fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        self.columns = union(waiting.iter());
        self.begin(out)?;
        waiting.iter().try_for_each(|event| self.line(out, event))
    }

    fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.begun || !self.form.header {
            return Ok(());
        }
        self.begun = true;
        record(out, self.columns.iter().map(header), self.form.for_people)
    }

    fn line(&self, out: &mut impl Write, event: &Event) -> io::Result<()> {
        let cell =
            |column: &String| event.get(column).map(|value| cell(value, &self.form.zone)).unwrap_or_default();
        record(out, self.columns.iter().map(cell), self.form.for_people)
    }
}

/// Prints rows under their header.
pub(super) fn rows(out: &mut impl Write, rows: &Rows, form: &Form) -> io::Result<()> {
    if form.header {
        record(out, rows.columns.iter().map(header), form.for_people)?;
    }
    let cells = |row: &Vec<Value>| row.iter().map(|value| cell(value, &form.zone)).collect::<Vec<_>>();
    rows.rows.iter().try_for_each(|row| record(out, cells(row).into_iter(), form.for_people))
}

/// The names in any of the events: those every event has first, the others in order.
pub(super) fn union<'e>(events: impl Iterator<Item = &'e Event>) -> Vec<String> {
    let names: BTreeSet<&String> = events.flat_map(|event| event.keys()).collect();
    let first =
        FIRST.iter().filter(|first| names.iter().any(|name| name == *first)).map(|name| (*name).to_owned());
    let rest = names.iter().filter(|name| !FIRST.contains(&name.as_str())).map(|name| (*name).clone());
    first.chain(rest).collect()
}

fn record(out: &mut impl Write, cells: impl Iterator<Item = String>, for_people: bool) -> io::Result<()> {
    let cells = cells.map(|cell| if for_people { neutralise(&cell).into_owned() } else { cell });
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(cells.map(String::into_bytes)).map_err(io::Error::other)?;
    out.write_all(&writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?)
}

/// Names come from log lines as values do, so they are made harmless too. `@timestamp` alone is ours and stays as it is: scripts look
/// for that column, and no spreadsheet has a function of that name.
fn header(name: &String) -> String {
    if name == "@timestamp" { name.clone() } else { harmless(name.clone()) }
}

/// Numbers cannot be formulas; everything else can.
fn cell(value: &Value, zone: &Zone) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => harmless(zone.shown(text).into_owned()),
        other => harmless(text(other)),
    }
}

/// A cell that a spreadsheet would run begins with an apostrophe, which makes it text (OWASP, CSV injection).
fn harmless(text: String) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{text}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(for_people: bool) -> Form {
        Form { for_people, header: true, zone: Zone::default() }
    }

    #[track_caller]
    fn check(columns: &[&str], events: &[Value], expected: &str) {
        let mut csv = Csv::new(columns.iter().map(|column| (*column).to_owned()).collect(), form(false));
        let mut out = Vec::new();
        for event in events {
            csv.event(&mut out, event.as_object().unwrap()).unwrap();
        }
        csv.finish(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn columns_are_all_names_or_those_asked_for() {
        let events =
            [json!({"message": "a", "z": 1}), json!({"message": "b\"c", "k": ["x", "y"], "_id": "0-1"})];
        check(
            &[],
            &events,
            "\"_id\",\"message\",\"k\",\"z\"\n\"\",\"a\",\"\",\"1\"\n\"0-1\",\"b\"\"c\",\"x, y\",\"\"\n",
        );
        check(&["z"], &events, "\"z\"\n\"1\"\n\"\"\n");
        check(&[], &[], "");
    }

    #[test]
    fn on_a_terminal_nothing_escapes() {
        let event = json!({"k\u{1b}": "a\u{1b}]0;x\u{7}\nb"});
        let event = event.as_object().unwrap();
        let table = Rows {
            columns: event.keys().cloned().collect(),
            rows: vec![event.values().cloned().collect()],
            inexact_because: None,
        };
        for (terminal, expected) in
            [(true, "\"k␛\"\n\"a␛]0;x␇␊b\"\n"), (false, "\"k\u{1b}\"\n\"a\u{1b}]0;x\u{7}\nb\"\n")]
        {
            let (mut events, mut of_rows) = (Vec::new(), Vec::new());
            let mut csv = Csv::new(Vec::new(), form(terminal));
            csv.event(&mut events, event).unwrap();
            csv.finish(&mut events).unwrap();
            rows(&mut of_rows, &table, &form(terminal)).unwrap();
            assert_eq!(String::from_utf8(events).unwrap(), expected);
            assert_eq!(String::from_utf8(of_rows).unwrap(), expected);
        }
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (cell_value, expected) in [
            (json!("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0"),
            (json!("+1"), "'+1"),
            (json!("-1"), "'-1"),
            (json!(-1), "-1"),
            (json!("@sum"), "'@sum"),
            (json!("\t=1"), "'\t=1"),
            (json!("\r=1"), "'\r=1"),
            (json!(["=1", "x"]), "'=1, x"),
            (json!("fine"), "fine"),
        ] {
            assert_eq!(cell(&cell_value, &Zone::default()), expected);
        }
        for (name, expected) in
            [("@timestamp", "@timestamp"), ("@SUM(A1)", "'@SUM(A1)"), ("=x", "'=x"), ("user", "user")]
        {
            assert_eq!(header(&name.to_owned()), expected);
        }
    }
}
