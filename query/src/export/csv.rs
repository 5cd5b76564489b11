//! CSV (RFC 4180, lines end in CRLF), every cell safe to open in a spreadsheet.

use std::borrow::Cow;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use locard_event::{Event, Value, name};

use super::cell::{cell, text, text_of_json};
use crate::pipe::{Shown, Table};

/// Writes rows under columns that are known before.
#[derive(Debug)]
pub(crate) struct Csv {
    columns: Vec<String>,
    writer: Writer<Vec<u8>>,
}

impl Csv {
    /// With a header, unless what comes is put behind what came before.
    pub(crate) fn new(columns: Vec<String>, with_header: bool) -> Self {
        let mut writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .quote_style(QuoteStyle::Necessary)
            .from_writer(Vec::new());
        if with_header && !columns.is_empty() {
            put(&mut writer, columns.iter().map(|name| header(name)));
        }
        Self { columns, writer }
    }

    pub(crate) fn event(&mut self, event: &Event, shown: &Shown) {
        let Self { columns, writer } = self;
        put(
            writer,
            columns.iter().map(|name| {
                let value = cell(event, shown, name);
                value.map(|value| safe(&value).into_owned()).unwrap_or_default()
            }),
        );
    }

    /// Columns are looked up by name; one that the table has twice is taken at its place.
    pub(crate) fn rows(&mut self, table: &Table) {
        let Self { columns, writer } = self;
        let places: Vec<Option<usize>> = match *columns == table.columns {
            true => (0..columns.len()).map(Some).collect(),
            false => columns.iter().map(|name| table.columns.iter().position(|own| own == name)).collect(),
        };
        for row in &table.rows {
            let cells = places.iter().map(|place| place.and_then(|place| row.get(place)));
            put(writer, cells.map(|value| value.map(safe_json).unwrap_or_default()));
        }
    }

    /// What was written since.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let written = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .quote_style(QuoteStyle::Necessary)
            .from_writer(Vec::new());
        // Writing into memory does not fail.
        std::mem::replace(&mut self.writer, written).into_inner().unwrap_or_default()
    }
}

/// Writing into memory does not fail.
fn put<C: AsRef<str>>(writer: &mut Writer<Vec<u8>>, cells: impl Iterator<Item = C>) {
    cells.for_each(|cell| drop(writer.write_field(cell.as_ref())));
    drop(writer.write_record(None::<&[u8]>));
}

/// Names come from log lines as values do, so they are made harmless too. `@timestamp` alone is ours and stays as it is: scripts look
/// for that column, and no spreadsheet has a function of that name.
fn header(name: &str) -> Cow<'_, str> {
    if name == name::TIMESTAMP { name.into() } else { harmless(name.into()) }
}

/// Numbers cannot be formulas, and stay numbers; everything else can.
fn safe(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Int(_) | Value::Float(_) => text(value),
        value => harmless(text(value)),
    }
}

fn safe_json(value: &serde_json::Value) -> Cow<'_, str> {
    match value {
        serde_json::Value::Number(_) => text_of_json(value),
        value => harmless(text_of_json(value)),
    }
}

/// A cell that a spreadsheet would run begins with an apostrophe, which makes it text (OWASP, CSV injection).
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{text}").into()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use locard_event::{Stream, Timestamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_numbers_stay_numbers() {
        let columns = ["a", "=b", "c"].map(str::to_owned).to_vec();
        let mut csv = Csv::new(columns.clone(), true);
        let rows = vec![
            vec![json!("=1+1"), json!(-1), json!("-1")],
            vec![json!("@x"), json!("\tx"), json!("+x")],
            vec![json!("a,\"b\"\nc"), json!(null), json!(["=1", 2])],
        ];
        csv.rows(&Table { columns, rows, inexact_because: None });
        assert_eq!(
            String::from_utf8(csv.take()).unwrap(),
            "a,'=b,c\r\n'=1+1,-1,'-1\r\n'@x,'\tx,'+x\r\n\"a,\"\"b\"\"\nc\",,\"[\"\"=1\"\",2]\"\r\n"
        );
        assert_eq!(csv.take(), b"");
    }

    #[test]
    fn events_have_the_cells_of_their_json() {
        let columns =
            ["_id", "@timestamp", "message", "message_base64", "n", "host"].map(str::to_owned).to_vec();
        let stream = Arc::new(Stream::new([("host", "=a")]));
        let mut event = Event::new(Timestamp::from_seconds(0), stream, &b"\xff"[..]);
        event.fields.set("n", Value::Float(1.0));
        let mut csv = Csv::new(columns, false);
        csv.event(&event, &Shown::All);
        assert_eq!(
            String::from_utf8(csv.take()).unwrap(),
            ",1970-01-01T00:00:00.000Z,\u{fffd},/w==,1.0,'=a\r\n"
        );
    }
}
