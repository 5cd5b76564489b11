//! Printing events and rows: JSON, CSV, raw lines, or a table.
//!
//! Log content is written by anybody. Where people look at it, it is shown, never obeyed: see [`neutralise`].

mod cell;
mod columns;
mod csv;
mod event;
mod json;
mod look;
mod marks;
mod neutral;
mod style;
mod table;
mod zone;

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub(super) use marks::Marks;
pub(super) use neutral::{neutralise, neutralise_lines};
pub(super) use zone::Zone;

use super::args::{Format, OutputArgs};
use columns::{Column, Columns, Row};
use csv::{Csv, Form};
use event::{EventTable, Seen};
use look::Look;
use style::Tone;

/// Between the elements of a list.
const LIST_SEPARATOR: &str = ", ";
/// Between groups of neighbours that do not touch.
const GROUP_SEPARATOR: &str = "--";

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

/// What an event is among matches and what is around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which group of neighbours it is in.
    pub(super) group: usize,
    /// Whether it is a match itself.
    pub(super) is_match: bool,
}

/// Prints to standard output in one format.
pub(super) struct Printer {
    out: BufWriter<io::StdoutLock<'static>>,
    format: Format,
    fields: Vec<String>,
    look: Look,
    csv: Csv,
    events: EventTable,
    columns: Columns,
    /// Names of the columns when nobody chose them.
    found: Vec<String>,
}

impl Printer {
    /// A printer that marks nothing.
    pub(super) fn new(args: &OutputArgs) -> Self {
        Self::marking(args, Marks::default())
    }

    /// A printer that marks where events matched.
    pub(super) fn marking(args: &OutputArgs, marks: Marks) -> Self {
        let terminal = io::stdout().is_terminal();
        let format = args.output.unwrap_or(if terminal { Format::Table } else { Format::Json });
        let look = Look::of(args, format, terminal, marks);
        Self {
            out: BufWriter::new(io::stdout().lock()),
            format,
            fields: args.fields.clone(),
            csv: Csv::new(args.fields.clone(), Form::of(&look)),
            look,
            events: EventTable::default(),
            columns: Columns::default(),
            found: Vec::new(),
        }
    }

    /// Prints a page of events.
    pub(super) fn events(&mut self, page: &[&RawValue]) -> io::Result<()> {
        self.page(page, None)
    }

    /// Prints neighbours: matches and what is around them, parted from the group before.
    pub(super) fn group(&mut self, group: usize, events: &[(&RawValue, bool)]) -> io::Result<()> {
        if group > 0 && matches!(self.format, Format::Table | Format::Raw) {
            writeln!(self.out, "{}", self.look.style.dim(GROUP_SEPARATOR))?;
        }
        let page: Vec<&RawValue> = events.iter().map(|(raw, _)| *raw).collect();
        let parts: Vec<Part> =
            events.iter().map(|(_, is_match)| Part { group, is_match: *is_match }).collect();
        self.page(&page, Some(&parts))
    }

    fn page(&mut self, page: &[&RawValue], parts: Option<&[Part]>) -> io::Result<()> {
        let part = |at: usize| parts.and_then(|parts| parts.get(at)).copied();
        match self.format {
            Format::Table => {
                let seen = page.iter().enumerate().map(|(at, raw)| Ok(seen(parse(raw)?, part(at))));
                self.event_table(&seen.collect::<io::Result<Vec<_>>>()?)
            }
            _ => page.iter().enumerate().try_for_each(|(at, raw)| self.one(raw, part(at))),
        }
    }

    fn one(&mut self, raw: &RawValue, part: Option<Part>) -> io::Result<()> {
        match self.format {
            Format::Json => self.object(raw, part),
            Format::Csv => {
                let mut event = parse(raw)?;
                if let Some(part) = part {
                    event.insert(json::MATCH.to_owned(), part.is_match.into());
                    event.insert(json::GROUP.to_owned(), part.group.into());
                }
                self.csv.event(&mut self.out, &event)
            }
            _ if self.fields.is_empty() => event::raw(&mut self.out, &parse(raw)?, &self.look),
            _ => event::values(&mut self.out, &parse(raw)?, &self.fields, &self.look),
        }
    }

    fn object(&mut self, raw: &RawValue, part: Option<Part>) -> io::Result<()> {
        let mut json = match self.fields.as_slice() {
            [] => raw.get().to_owned(),
            fields => json::chosen(&parse(raw)?, fields),
        };
        if let Some(part) = part {
            json = json::placed(&json, part);
        }
        json::line(&mut self.out, &json, &self.look)
    }

    /// Events with a time and a line have a layout of their own; what pipes left of others is a table.
    fn event_table(&mut self, events: &[Seen]) -> io::Result<()> {
        let usual = |seen: &Seen| seen.event.contains_key("message") && seen.event.contains_key("@timestamp");
        if self.fields.is_empty() && events.iter().all(usual) {
            return self.events.print(&mut self.out, events, &self.look);
        }
        if self.fields.is_empty() {
            self.find(events);
        }
        let fields = if self.fields.is_empty() { &self.found } else { &self.fields };
        let columns: Vec<Column> = fields.iter().map(|field| column(field, events)).collect();
        let rows: Vec<Row> = events.iter().map(|seen| row(seen, fields, &self.look)).collect();
        self.columns.print(&mut self.out, &columns, &rows, &self.look.layout())
    }

    /// A page with names that those before did not have begins a table of its own: nothing is left out.
    fn find(&mut self, events: &[Seen]) {
        let names = csv::union(events.iter().map(|seen| &seen.event));
        if names.iter().any(|name| !self.found.contains(name)) {
            self.found = names;
            self.columns = Columns::default();
        }
    }

    /// Prints rows.
    pub(super) fn rows(&mut self, rows: &Rows) -> io::Result<()> {
        match self.format {
            Format::Json => json::rows(&mut self.out, rows, &self.look),
            Format::Csv => csv::rows(&mut self.out, rows, &Form::of(&self.look)),
            Format::Raw => table::raw(&mut self.out, rows, &self.look),
            Format::Table => table::print(&mut self.out, rows, &self.look),
        }
    }

    /// Prints a number alone; an object where objects are printed.
    pub(super) fn number(&mut self, number: u64) -> io::Result<()> {
        match self.format {
            Format::Json => json::line(&mut self.out, &format!("{{\"count\":{number}}}"), &self.look),
            Format::Csv | Format::Raw | Format::Table => writeln!(self.out, "{number}"),
        }
    }

    /// Prints text as it is; for people without power.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        let shown = if self.look.for_people { neutralise_lines(text) } else { text.into() };
        self.out.write_all(shown.as_bytes())
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

fn seen(event: Event, part: Option<Part>) -> Seen {
    let lead = match part {
        None => "",
        Some(Part { is_match: true, .. }) => "> ",
        Some(_) => "  ",
    };
    Seen { event, lead, faint: part.is_some_and(|part| !part.is_match) }
}

fn column(field: &str, events: &[Seen]) -> Column {
    let tone = match field {
        locard_event::name::LEVEL => Tone::Level,
        locard_event::name::TIMESTAMP => Tone::Dim,
        _ => Tone::Plain,
    };
    let right = table::is_numeric(events.iter().filter_map(|seen| seen.event.get(field)));
    Column { name: cell::Cell::new(field, &[]).without_tabs(), right, tone }
}

fn row(seen: &Seen, fields: &[String], look: &Look) -> Row {
    let cell = |field: &String| event::cell(&seen.event, field, look).without_tabs();
    Row { lead: seen.lead, cells: fields.iter().map(cell).collect(), faint: seen.faint }
}

fn parse(raw: &RawValue) -> io::Result<Event> {
    serde_json::from_str(raw.get()).map_err(io::Error::other)
}

/// A value as people read it: text without quotes, lists by commas.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(LIST_SEPARATOR),
        other => other.to_string(),
    }
}
