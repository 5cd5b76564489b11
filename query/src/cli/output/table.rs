//! Rows in aligned columns: numbers to the right, text to the left.

use std::io::{self, Write};

use serde_json::Value;

use super::neutral::neutralise;
use super::style::Style;
use super::{Rows, text};

/// Prints rows under their header.
pub(super) fn print(out: &mut impl Write, rows: &Rows, style: &Style) -> io::Result<()> {
    let cells: Vec<Vec<String>> = rows.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let header: Vec<String> = rows.columns.iter().map(|column| neutralise(column).into_owned()).collect();
    let widths: Vec<usize> =
        header.iter().enumerate().map(|(index, name)| width(index, name, &cells)).collect();
    let numeric: Vec<bool> = (0..header.len()).map(|index| is_numeric(index, &rows.rows)).collect();
    writeln!(out, "{}", style.heading(&line(&header, &widths, &numeric)))?;
    cells.iter().try_for_each(|row| writeln!(out, "{}", line(row, &widths, &numeric)))
}

/// Prints rows by tabs, without a header.
pub(super) fn raw(out: &mut impl Write, rows: &Rows, terminal: bool) -> io::Result<()> {
    rows.rows.iter().try_for_each(|row| {
        let cells = row.iter().map(|value| if terminal { shown(value) } else { text(value) });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("\t"))
    })
}

fn shown(value: &Value) -> String {
    neutralise(&text(value)).into_owned()
}

fn width(index: usize, name: &str, cells: &[Vec<String>]) -> usize {
    let widest = cells.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max();
    widest.unwrap_or_default().max(name.chars().count())
}

fn is_numeric(index: usize, rows: &[Vec<Value>]) -> bool {
    let mut cells = rows.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_null()).peekable();
    cells.peek().is_some() && cells.all(Value::is_number)
}

fn line(cells: &[String], widths: &[usize], numeric: &[bool]) -> String {
    let pad = |((cell, width), right): ((&String, &usize), &bool)| match right {
        true => format!("{cell:>width$}"),
        false => format!("{cell:width$}"),
    };
    let line = cells.iter().zip(widths).zip(numeric).map(pad).collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = Rows {
            columns: vec!["user.name".into(), "count".into()],
            rows: vec![
                vec![json!("root"), json!(42)],
                vec![json!("\u{1b}x"), json!(7)],
                vec![json!(null), json!(null)],
            ],
            inexact_because: None,
        };
        let mut out = Vec::new();
        print(&mut out, &rows, &Style::default()).unwrap();
        let expected = "user.name  count\nroot          42\n␛x             7\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
