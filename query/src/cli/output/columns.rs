//! [`Columns`]: cells under their names, aligned, within the width of the terminal.

use std::io::{self, Write};

use super::cell::Cell;
use super::style::{Style, Tone};

/// Between two columns.
const GAP: &str = "  ";
/// No column is cut below this for want of room.
const LEAST: usize = 12;

/// Columns that only ever grow, so that pages line up.
#[derive(Debug, Default)]
pub(super) struct Columns {
    widths: Vec<usize>,
    begun: bool,
}

/// A column's name and how its cells stand.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: Cell,
    /// Numbers stand to the right.
    pub(super) right: bool,
    /// What its cells are.
    pub(super) tone: Tone,
}

/// A row and what stands in front of it.
#[derive(Debug)]
pub(super) struct Row {
    /// In front of all columns; empty for most tables.
    pub(super) lead: &'static str,
    /// A cell a column.
    pub(super) cells: Vec<Cell>,
    /// What is around a match, not the match.
    pub(super) faint: bool,
}

/// How a table is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    /// Colours.
    pub(super) style: Style,
    /// Columns of the terminal; nothing: as wide as it gets.
    pub(super) room: Option<usize>,
    /// Whether the names of the columns are printed.
    pub(super) header: bool,
}

impl Columns {
    /// Prints rows, under the header if these are the first.
    pub(super) fn print(
        &mut self,
        out: &mut impl Write,
        columns: &[Column],
        rows: &[Row],
        layout: &Layout,
    ) -> io::Result<()> {
        let lead = rows.first().map_or("", |row| row.lead);
        self.measure(columns, rows, layout, lead.len());
        if layout.header && !self.begun {
            let names = columns.iter().map(|column| column.name.clone()).collect();
            let header = self.line(columns, &names, &Layout { style: Style::default(), ..*layout }, None);
            let pad = " ".repeat(lead.len());
            writeln!(out, "{}", layout.style.heading(format!("{pad}{header}").trim_end()))?;
        }
        self.begun = true;
        rows.iter().try_for_each(|row| {
            let faint = row.faint.then_some(Tone::Dim);
            let line = self.line(columns, &row.cells, layout, faint);
            writeln!(out, "{}{line}", layout.style.heading(row.lead))
        })
    }

    fn measure(&mut self, columns: &[Column], rows: &[Row], layout: &Layout, lead: usize) {
        self.widths.resize(columns.len(), 0);
        for (index, (width, column)) in self.widths.iter_mut().zip(columns).enumerate() {
            let name = if layout.header { column.name.width() } else { 0 };
            let widest = rows.iter().filter_map(|row| row.cells.get(index)).map(Cell::width).max();
            *width = (*width).max(name).max(widest.unwrap_or_default());
        }
        if let Some(room) = layout.room {
            shrink(&mut self.widths, columns, room.saturating_sub(lead));
        }
    }

    fn line(&self, columns: &[Column], cells: &Vec<Cell>, layout: &Layout, tone: Option<Tone>) -> String {
        let mut line = String::new();
        let last = columns.len().saturating_sub(1);
        for (index, ((column, cell), width)) in columns.iter().zip(cells).zip(&self.widths).enumerate() {
            let tone = tone.unwrap_or(column.tone);
            let pad = if column.right { (*width).max(cell.width()) } else { cell.width() };
            if index > 0 {
                line.push_str(GAP);
            }
            // The last one is never cut: nothing stands behind it, and it is usually the line itself.
            let width = if index == last { pad } else { *width };
            line.push_str(&cell.fitted(width, column.right, layout.style, tone));
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    }
}

/// Takes from the widest texts but the last until half the room is left for it, and none is below the least. Part of a number or of a time
/// would be another one: they stay whole.
fn shrink(widths: &mut [usize], columns: &[Column], room: usize) {
    let Some((last, others)) = widths.split_last_mut() else { return };
    let gaps = GAP.len() * others.len();
    let budget = room.saturating_sub(gaps + (*last).min(room / 2));
    while others.iter().sum::<usize>() > budget {
        let texts = others.iter_mut().zip(columns).filter(|(_, column)| !column.is_whole());
        let widest = texts.map(|(width, _)| width).max().filter(|width| **width > LEAST);
        let Some(widest) = widest else { break };
        *widest -= 1;
    }
}

impl Column {
    fn is_whole(&self) -> bool {
        self.right || self.tone == Tone::Dim
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn column(name: &str, right: bool) -> Column {
        Column { name: Cell::new(name, &[]), right, tone: Tone::Plain }
    }

    #[track_caller]
    fn check(columns: &[Column], pages: &[&[&[&str]]], layout: &Layout, expected: Expect) {
        let mut table = Columns::default();
        let mut out = Vec::new();
        for page in pages {
            let rows: Vec<Row> = page
                .iter()
                .map(|row| Row {
                    lead: "",
                    cells: row.iter().map(|text| Cell::new(text, &[])).collect(),
                    faint: false,
                })
                .collect();
            table.print(&mut out, columns, &rows, layout).unwrap();
        }
        expected.assert_eq(&String::from_utf8(out).unwrap());
    }

    #[test]
    fn pages_line_up_under_one_header() {
        let columns = [column("host.name", false), column("n", true), column("message", false)];
        let layout = Layout { header: true, ..Layout::default() };
        let pages: [&[&[&str]]; 2] =
            [&[&["漢字", "7", "first"], &["", "", ""]], &[&["a-rather-long-name", "42", "second"]]];
        check(
            &columns,
            &pages,
            &layout,
            expect![[r#"
                host.name  n  message
                漢字       7  first

                a-rather-long-name  42  second
            "#]],
        );
        check(
            &columns,
            &pages[..1],
            &Layout { header: false, ..layout },
            expect![[r#"
                漢字  7  first

            "#]],
        );
    }

    #[test]
    fn what_does_not_fit_is_cut_visibly_and_the_last_column_never() {
        let columns = [column("a", false), column("b", false), column("message", false)];
        let row: &[&str] =
            &["short", "a-very-long-value-of-some-label", "and the line, which is long as well"];
        check(
            &columns,
            &[&[row]],
            &Layout { header: true, room: Some(40), ..Layout::default() },
            expect![[r#"
                a      b             message
                short  a-very-long…  and the line, which is long as well
            "#]],
        );
        let whole =
            [Column { tone: Tone::Dim, ..column("a", false) }, column("b", true), column("message", false)];
        check(
            &whole,
            &[&[&["2026-11-24T08:00:00.000Z", "1234567890123456", "line"]]],
            &Layout { room: Some(30), ..Layout::default() },
            expect![[r#"
                2026-11-24T08:00:00.000Z  1234567890123456  line
            "#]],
        );
        check(
            &columns,
            &[&[row]],
            &Layout::default(),
            expect![[r#"
                short  a-very-long-value-of-some-label  and the line, which is long as well
            "#]],
        );
    }
}
