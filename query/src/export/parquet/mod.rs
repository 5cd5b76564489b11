//! Apache Parquet: groups of rows, each written as soon as it is full, and a footer that says what the file is. What is held is one
//! group and what the footer will say of the groups before. The same rows make the same bytes, however they come in batches.
//!
//! `schema` which columns, `column` the values of a group, here their order.

mod column;
mod schema;

use std::collections::HashMap;
use std::io;

use ::parquet::errors::Result;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::writer::SerializedFileWriter;
use foldhash::fast::RandomState;
use locard_event::Event;

use super::cell::each;
use super::encoder::Batch;
use super::seal::Verdict;
use crate::json::put_field;
use crate::pipe::{Shown, Table};
use column::Column;
use schema::{REST, Spec};

pub(crate) use schema::MAX_COLUMNS;

/// A group is full at so many rows …
const GROUP_ROWS: usize = 1 << 16;
/// … or bytes, not packed.
const GROUP_BYTES: usize = 16 << 20;

/// Writes one file.
#[derive(Debug)]
pub(crate) struct Parquet {
    asked: Vec<String>,
    /// What the footer says beside the verdict.
    about: Vec<(&'static str, String)>,
    /// Begun with the first batch, which says what there is.
    file: Option<File>,
}

impl Parquet {
    pub(crate) fn new(asked: Vec<String>, about: Vec<(&'static str, String)>) -> Self {
        Self { asked, about, file: None }
    }

    /// What there is to be written with this batch.
    ///
    /// # Errors
    /// The file cannot hold it.
    pub(crate) fn batch(&mut self, batch: &Batch) -> io::Result<Vec<u8>> {
        match batch {
            Batch::Lines(_) => Ok(Vec::new()),
            Batch::Events(events, shown) => {
                let file = self.file(shown)?;
                events.iter().try_for_each(|event| file.event(event, shown))?;
                Ok(file.take())
            }
            Batch::Rows(table) => {
                let columns = schema::of_rows(&self.asked, table);
                let (specs, places): (Vec<Spec>, Vec<Option<usize>>) = columns.into_iter().unzip();
                let file = self.file.insert(File::new(&specs, false)?);
                file.rows(table, &places)?;
                Ok(file.take())
            }
        }
    }

    /// The last rows and the footer.
    ///
    /// # Errors
    /// As [`Parquet::batch`].
    pub(crate) fn finish(&mut self, verdict: &Verdict) -> io::Result<Vec<u8>> {
        let about = std::mem::take(&mut self.about);
        let file = self.file(&Shown::All)?;
        let said = verdict.said().into_iter().filter_map(|(key, value)| Some((key, value?)));
        for (key, value) in about.into_iter().chain(said) {
            file.writer.append_key_value_metadata(KeyValue::new(format!("locard.{key}"), value));
        }
        file.flush()?;
        file.writer.finish()?;
        Ok(file.take())
    }

    fn file(&mut self, shown: &Shown) -> Result<&mut File> {
        let Self { asked, file, .. } = self;
        match file {
            Some(file) => Ok(file),
            None => Ok(file.insert(File::new(&schema::of_events(asked, shown), asked.is_empty())?)),
        }
    }
}

/// A file that is begun.
#[derive(Debug)]
struct File {
    writer: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column>,
    places: HashMap<String, usize, RandomState>,
    /// Whether members that have no column are kept all the same.
    keeps_all: bool,
    /// In the group that is not written yet.
    rows: usize,
    /// Members of an event that no column tells.
    rest: Vec<u8>,
}

impl File {
    fn new(specs: &[Spec], keeps_all: bool) -> Result<Self> {
        let writer =
            SerializedFileWriter::new(Vec::new(), schema::message(specs)?, schema::properties(specs)?)?;
        let places = specs.iter().enumerate().map(|(place, spec)| (spec.name.clone(), place)).collect();
        let columns = specs.iter().map(|spec| Column::new(spec.kind)).collect();
        Ok(Self { writer, columns, places, keeps_all, rows: 0, rest: Vec::new() })
    }

    fn event(&mut self, event: &Event, shown: &Shown) -> Result<()> {
        let Self { columns, places, keeps_all, rest, .. } = self;
        rest.clear();
        each(event, shown, |name, value| {
            let column = places.get(name).filter(|_| name != REST).and_then(|place| columns.get_mut(*place));
            let is_told = column.map_or(!*keeps_all, |column| column.put(value));
            if !is_told {
                put_field(name, value, rest);
            }
        });
        if let Some(comma) = rest.first_mut() {
            *comma = b'{';
            rest.push(b'}');
            let column = places.get(REST).and_then(|place| columns.get_mut(*place));
            column.into_iter().for_each(|column| column.put_text(rest));
        }
        self.row()
    }

    fn rows(&mut self, table: &Table, places: &[Option<usize>]) -> Result<()> {
        for row in &table.rows {
            for (column, place) in self.columns.iter_mut().zip(places) {
                if let Some(cell) = place.and_then(|place| row.get(place)) {
                    column.put_cell(cell);
                }
            }
            self.row()?;
        }
        Ok(())
    }

    /// Ends a row, and the group if it is full.
    fn row(&mut self) -> Result<()> {
        self.rows += 1;
        let (rows, mut bytes) = (self.rows, 0);
        for column in &mut self.columns {
            column.pad(rows);
            bytes += column.bytes();
        }
        if rows >= GROUP_ROWS || bytes >= GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes the group.
    fn flush(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut into) = group.next_column()? else { break };
            column.write(&mut into)?;
            into.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// What was written since.
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.inner_mut())
    }
}

#[cfg(test)]
mod tests;
