//! Printing events and rows: JSON, CSV, raw lines, or a table.
//!
//! Log content is written by anybody. On a terminal it is shown, never obeyed: see [`neutralise`].

mod csv;
mod event;
mod json;
mod neutral;
mod style;
mod table;

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(super) use neutral::neutralise;

use super::args::{Format, OutputArgs};
use csv::Csv;
use event::EventTable;
use style::Style;

/// One event as the server sent it.
pub(super) type Event = Map<String, Value>;

/// The rows that pipes made.
#[derive(Debug, Deserialize)]
pub(super) struct Rows {
    /// Names of the columns.
    pub(super) columns: Vec<String>,
    /// Cells, as many in each row as there are columns.
    pub(super) rows: Vec<Vec<Value>>,
    /// Why some number is an estimate.
    #[serde(default)]
    pub(super) inexact_because: Option<String>,
}

/// Prints to standard output in one format.
pub(super) struct Printer {
    out: BufWriter<io::StdoutLock<'static>>,
    format: Format,
    columns: Vec<String>,
    terminal: bool,
    style: Style,
    csv: Csv,
    events: EventTable,
}

impl Printer {
    pub(super) fn new(args: &OutputArgs) -> Self {
        let terminal = io::stdout().is_terminal();
        let format = args.output.unwrap_or(if terminal { Format::Table } else { Format::Json });
        let style = Style::of(anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never);
        Self {
            out: BufWriter::new(io::stdout().lock()),
            format,
            columns: args.columns.clone(),
            terminal,
            style,
            csv: Csv::new(args.columns.clone(), terminal),
            events: EventTable::default(),
        }
    }

    /// Prints a page of events.
    pub(super) fn events(&mut self, page: &[&RawValue]) -> io::Result<()> {
        match self.format {
            Format::Json => {
                page.iter().try_for_each(|raw| json::line(&mut self.out, raw.get(), self.terminal))
            }
            Format::Raw => {
                self.each(page, |printer, event| event::raw(&mut printer.out, event, printer.terminal))
            }
            Format::Csv => self.each(page, |printer, event| printer.csv.event(&mut printer.out, event)),
            Format::Table => {
                self.event_table(&page.iter().map(|raw| parse(raw)).collect::<io::Result<Vec<_>>>()?)
            }
        }
    }

    fn each(
        &mut self,
        page: &[&RawValue],
        mut print: impl FnMut(&mut Self, &Event) -> io::Result<()>,
    ) -> io::Result<()> {
        page.iter().try_for_each(|raw| print(self, &parse(raw)?))
    }

    /// Events with a time and a line have a layout of their own; what pipes left of others is a table.
    fn event_table(&mut self, events: &[Event]) -> io::Result<()> {
        let usual = |event: &Event| event.contains_key("message") && event.contains_key("@timestamp");
        if self.columns.is_empty() && events.iter().all(usual) {
            return self.events.print(&mut self.out, events, &self.style);
        }
        let columns = if self.columns.is_empty() { csv::union(events) } else { self.columns.clone() };
        let cell = |event: &Event, column: &String| event.get(column).cloned().unwrap_or_default();
        let rows = events.iter().map(|event| columns.iter().map(|column| cell(event, column)).collect());
        let rows = Rows { rows: rows.collect(), columns, inexact_because: None };
        table::print(&mut self.out, &rows, &self.style)
    }

    /// Prints rows.
    pub(super) fn rows(&mut self, rows: &Rows) -> io::Result<()> {
        match self.format {
            Format::Json => json::rows(&mut self.out, rows, self.terminal),
            Format::Csv => csv::rows(&mut self.out, rows, self.terminal),
            Format::Raw => table::raw(&mut self.out, rows, self.terminal),
            Format::Table => table::print(&mut self.out, rows, &self.style),
        }
    }

    /// Hands everything so far to whoever reads.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Prints what had to wait for the last event.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.csv.finish(&mut self.out)?;
        self.out.flush()
    }
}

fn parse(raw: &RawValue) -> io::Result<Event> {
    serde_json::from_str(raw.get()).map_err(io::Error::other)
}

/// A value as people read it: text without quotes, lists by commas.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
