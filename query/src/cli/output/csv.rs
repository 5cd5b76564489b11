//! CSV (RFC 4180), every cell safe to open in a spreadsheet.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ::csv::{QuoteStyle, WriterBuilder};
use serde_json::Value;

use super::{Event, Rows, text};

/// The columns every event has, first.
const FIRST: [&str; 3] = ["_id", "@timestamp", "message"];

/// Collects events until their columns are known.
#[derive(Debug)]
pub(super) struct Csv {
    columns: Vec<String>,
    begun: bool,
    waiting: Vec<Event>,
}

impl Csv {
    /// With columns, events are printed at once; without, after the last one.
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns, begun: false, waiting: Vec::new() }
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
        record(out, self.columns.iter().map(|column| harmless(column.clone())))
    }

    fn line(&self, out: &mut impl Write, event: &Event) -> io::Result<()> {
        let cell = |column: &String| event.get(column).map(cell).unwrap_or_default();
        record(out, self.columns.iter().map(cell))
    }
}

/// Prints rows under their header.
pub(super) fn rows(out: &mut impl Write, rows: &Rows) -> io::Result<()> {
    record(out, rows.columns.iter().map(|column| harmless(column.clone())))?;
    rows.rows.iter().try_for_each(|row| record(out, row.iter().map(cell)))
}

/// The names in any of the events: those every event has first, the others in order.
pub(super) fn union(events: &[Event]) -> Vec<String> {
    let names: BTreeSet<&String> = events.iter().flat_map(|event| event.keys()).collect();
    let first =
        FIRST.iter().filter(|first| names.iter().any(|name| name == *first)).map(|name| (*name).to_owned());
    let rest = names.iter().filter(|name| !FIRST.contains(&name.as_str())).map(|name| (*name).clone());
    first.chain(rest).collect()
}

fn record(out: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(Vec::new());
    writer.write_record(cells.map(String::into_bytes)).map_err(io::Error::other)?;
    out.write_all(&writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?)
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
        let mut csv = Csv::new(columns.iter().map(|column| (*column).to_owned()).collect());
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
        assert_eq!(harmless("@timestamp".into()), "'@timestamp");
    }
}
