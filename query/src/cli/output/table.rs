//! Rows in aligned columns: numbers to the right, text to the left.

use std::io::{self, Write};

use serde_json::Value;

use super::cell::Cell;
use super::columns::{Column, Columns, Row};
use super::style::Tone;
use super::{Look, Rows, text};

/// Prints rows under their header.
pub(super) fn print(out: &mut impl Write, rows: &Rows, look: &Look) -> io::Result<()> {
    let column = |(index, name): (usize, &String)| Column {
        name: Cell::new(name, &[]).without_tabs(),
        right: is_numeric(rows.rows.iter().filter_map(|row| row.get(index))),
        tone: if name == locard_event::name::LEVEL { Tone::Level } else { Tone::Plain },
    };
    let columns: Vec<Column> = rows.columns.iter().enumerate().map(column).collect();
    let row = |row: &Vec<Value>| Row {
        lead: "",
        cells: row.iter().map(|value| shown(value, look).without_tabs()).collect(),
        faint: false,
    };
    let rows: Vec<Row> = rows.rows.iter().map(row).collect();
    Columns::default().print(out, &columns, &rows, &look.layout())
}

/// Prints rows by tabs, without a header.
pub(super) fn raw(out: &mut impl Write, rows: &Rows, look: &Look) -> io::Result<()> {
    rows.rows.iter().try_for_each(|row| {
        let cell = |value| if look.for_people { shown(value, look).plain() } else { text(value) };
        writeln!(out, "{}", row.iter().map(cell).collect::<Vec<_>>().join("\t"))
    })
}

fn shown(value: &Value, look: &Look) -> Cell {
    Cell::new(&look.zone.shown(&text(value)), &[])
}

/// Whether all that is there are numbers.
pub(super) fn is_numeric<'v>(cells: impl Iterator<Item = &'v Value>) -> bool {
    let mut cells = cells.filter(|cell| !cell.is_null()).peekable();
    cells.peek().is_some() && cells.all(Value::is_number)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_line_up_and_names_have_no_power_either() {
        let rows = Rows {
            columns: vec!["user.name\u{1b}".into(), "count".into()],
            rows: vec![
                vec![json!("root"), json!(42)],
                vec![json!("\u{1b}x"), json!(7)],
                vec![json!(null), json!(null)],
            ],
            inexact_because: None,
        };
        let mut out = Vec::new();
        print(&mut out, &rows, &Look { header: true, ..Look::default() }).unwrap();
        expect![[r#"
            user.name␛  count
            root           42
            ␛x              7

        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }
}
