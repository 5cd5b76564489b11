//! [`Encoder`]: batches of results as bytes of one format.

use std::io;

use bytes::Bytes;
use locard_event::{Event, name};
use serde_json::json;

use super::cell::text_of_json;
use super::csv::Csv;
use super::format::Format;
use super::json::put;
use super::parquet::Parquet;
use super::seal::Verdict;
use crate::pipe::{Shown, Table};
use crate::search::{Line, pieces};

/// A part of what is exported.
#[derive(Debug)]
pub(crate) enum Batch {
    /// Events written out as lines of JSON.
    Lines(Vec<Line>),
    /// Events, and what of them is shown.
    Events(Vec<Event>, Shown),
    /// Rows that pipes made.
    Rows(Table),
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.len(),
            Self::Events(events, _) => events.len(),
            Self::Rows(table) => table.rows.len(),
        }
    }
}

/// Writes batches.
#[derive(Debug)]
pub(crate) enum Encoder {
    Ndjson {
        fields: Vec<Box<str>>,
    },
    Json {
        fields: Vec<Box<str>>,
        /// Whether something stands in the array already.
        begun: bool,
        /// Whether its bracket was opened before.
        opened: bool,
    },
    Csv(Box<Csv>),
    Raw,
    Parquet(Box<Parquet>),
}

impl Encoder {
    /// One for `format`. `columns` are those of a table, or the fields that are asked for; `goes_on` if what it writes is put behind
    /// what another has written; `about` is what a file can say of what was asked.
    pub(crate) fn new(
        format: Format,
        columns: Vec<String>,
        goes_on: bool,
        about: Vec<(&'static str, String)>,
    ) -> Self {
        let fields = |columns: Vec<String>| columns.into_iter().map(Box::from).collect();
        match format {
            Format::Ndjson => Self::Ndjson { fields: fields(columns) },
            Format::Json => Self::Json { fields: fields(columns), begun: goes_on, opened: goes_on },
            Format::Csv => Self::Csv(Box::new(Csv::new(columns, !goes_on))),
            Format::Raw => Self::Raw,
            Format::Parquet => Self::Parquet(Box::new(Parquet::new(columns, about))),
        }
    }

    /// The bytes of a batch.
    ///
    /// # Errors
    /// The format cannot hold it.
    pub(crate) fn encode(&mut self, batch: &Batch) -> io::Result<Vec<Bytes>> {
        let mut out = Vec::new();
        match (self, batch) {
            (Self::Ndjson { fields }, Batch::Lines(lines)) if fields.is_empty() => {
                return Ok(pieces(lines));
            }
            (Self::Ndjson { fields }, batch) => put(batch, fields, &mut out, |out, before| {
                if !before {
                    out.push(b'\n');
                }
            }),
            (Self::Json { fields, begun, opened }, batch) => put(batch, fields, &mut out, |out, before| {
                if before {
                    let between: &[u8] = match (*opened, *begun) {
                        (false, _) => b"[\n",
                        (true, true) => b",\n",
                        (true, false) => b"",
                    };
                    out.extend_from_slice(between);
                    (*opened, *begun) = (true, true);
                }
            }),
            (Self::Csv(csv), batch) => {
                match batch {
                    Batch::Lines(_) => {}
                    Batch::Events(events, shown) => events.iter().for_each(|event| csv.event(event, shown)),
                    Batch::Rows(table) => csv.rows(table),
                }
                out = csv.take();
            }
            (Self::Raw, batch) => raw(batch, &mut out),
            (Self::Parquet(parquet), batch) => out = parquet.batch(batch)?,
        }
        Ok(vec![out.into()])
    }

    /// Whether what comes last is a summary of all before it, which is then what the digest is of.
    pub(crate) fn sums_up(&self) -> bool {
        matches!(self, Self::Ndjson { .. })
    }

    /// What comes after the last batch. The verdict is about everything before it.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub(crate) fn finish(&mut self, verdict: &Verdict) -> io::Result<Vec<u8>> {
        Ok(match self {
            Self::Ndjson { .. } => format!("{}\n", json!({"_summary": verdict.json()})).into_bytes(),
            Self::Json { opened: false, .. } => b"[]\n".to_vec(),
            Self::Json { .. } => b"\n]\n".to_vec(),
            // A header alone, if there is nothing else.
            Self::Csv(csv) => csv.take(),
            Self::Raw => Vec::new(),
            Self::Parquet(parquet) => parquet.finish(verdict)?,
        })
    }
}

/// The very bytes of a message, a line each; a row's `message`, or its cells with tabs between them.
fn raw(batch: &Batch, out: &mut Vec<u8>) {
    match batch {
        Batch::Lines(_) => {}
        Batch::Events(events, shown) => {
            for event in events {
                if shown.shows(name::MESSAGE) {
                    out.extend_from_slice(&event.message);
                }
                out.push(b'\n');
            }
        }
        Batch::Rows(table) => {
            let message = table.columns.iter().position(|column| column == name::MESSAGE);
            for row in &table.rows {
                let cells: Vec<_> = match message.and_then(|at| row.get(at)) {
                    Some(message) => vec![text_of_json(message)],
                    None => row.iter().map(text_of_json).collect(),
                };
                out.extend_from_slice(cells.join("\t").as_bytes());
                out.push(b'\n');
            }
        }
    }
}
