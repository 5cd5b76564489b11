//! CSV (RFC 4180), every cell safe to open in a spreadsheet, and on a terminal safe to look at.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ::csv::{QuoteStyle, WriterBuilder};
use serde_json::Value;

use super::neutral::neutralise;
use super::{Event, Rows, text};

/// The columns every event has, first.
const FIRST: [&str; 3] = ["_id", "@timestamp", "message"];

/// Collects events until their columns are known.
#[derive(Debug)]
pub(super) struct Csv {
    columns: Vec<String>,
    begun: bool,
    terminal: bool,
    waiting: Vec<Event>,
}

impl Csv {
    /// With columns, events are printed at once; without, after the last one.
    pub(super) fn new(columns: Vec<String>, terminal: bool) -> Self {
        Self { columns, begun: false, terminal, waiting: Vec::new() }
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
        self.columns = union(&waiting);
        self.begin(out)?;
        waiting.iter().try_for_each(|event| self.line(out, event))
    }

    fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        record(out, self.columns.iter().map(header), self.terminal)
    }

    fn line(&self, out: &mut impl Write, event: &Event) -> io::Result<()> {
        let cell = |column: &String| event.get(column).map(cell).unwrap_or_default();
        record(out, self.columns.iter().map(cell), self.terminal)
    }
}

/// Prints rows under their header.
pub(super) fn rows(out: &mut impl Write, rows: &Rows, terminal: bool) -> io::Result<()> {
    record(out, rows.columns.iter().map(header), terminal)?;
    rows.rows.iter().try_for_each(|row| record(out, row.iter().map(cell), terminal))
}

/// The names in any of the events: those every event has first, the others in order.
pub(super) fn union(events: &[Event]) -> Vec<String> {
    let names: BTreeSet<&String> = events.iter().flat_map(|event| event.keys()).collect();
    let first =
        FIRST.iter().filter(|first| names.iter().any(|name| name == *first)).map(|name| (*name).to_owned());
    let rest = names.iter().filter(|name| !FIRST.contains(&name.as_str())).map(|name| (*name).clone());
    first.chain(rest).collect()
}

fn record(out: &mut impl Write, cells: impl Iterator<Item = String>, terminal: bool) -> io::Result<()> {
    let cells = cells.map(|cell| if terminal { neutralise(&cell).into_owned() } else { cell });
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
fn cell(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
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

    #[track_caller]
    fn check(columns: &[&str], events: &[Value], expected: &str) {
        let mut csv = Csv::new(columns.iter().map(|column| (*column).to_owned()).collect(), false);
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
            let mut csv = Csv::new(Vec::new(), terminal);
            csv.event(&mut events, event).unwrap();
            csv.finish(&mut events).unwrap();
            rows(&mut of_rows, &table, terminal).unwrap();
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
            assert_eq!(cell(&cell_value), expected);
        }
        for (name, expected) in
            [("@timestamp", "@timestamp"), ("@SUM(A1)", "'@SUM(A1)"), ("=x", "'=x"), ("user", "user")]
        {
            assert_eq!(header(&name.to_owned()), expected);
        }
    }
}
