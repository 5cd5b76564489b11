//! [`Rows`]: a table between pipes, and the pipes that work on one.

#[cfg(test)]
mod tests;

use locard_event::Value;
use locard_filter::Matcher;
use serde_json::Value as Json;

use super::dedup::DedupWork;
use super::edit::{Edit, set_cell};
use super::join::Bound as Join;
use super::patterns::PatternsWork;
use super::pipeline::edits;
use super::record::{Record, on_rows};
use super::stats::StatsWork;
use super::timechart::TimechartWork;
use super::top::TopWork;
use super::{Pipe, PipeError, Setting, Table};

/// A table whose cells have their types still.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) inexact_because: Option<String>,
}

impl Rows {
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// The rows after `pipes`.
    pub(super) fn through(mut self, pipes: &[Pipe], setting: &Setting) -> Result<Self, PipeError> {
        for pipe in pipes {
            match pipe {
                Pipe::Limit(limit) => self.rows.truncate(*limit),
                Pipe::Sort(sort) => sort.apply(&mut self),
                Pipe::Fields(fields) => {
                    within("fields", fields.bytes(&self), setting)?;
                    fields.apply(&mut self);
                }
                Pipe::Where(filter) => {
                    let filter = on_rows(filter.clone().resolve(setting.now), &self.columns);
                    let matcher = Matcher::new(&filter)?;
                    let Self { columns, rows, .. } = &mut self;
                    rows.retain(|cells| matcher.matches(&Record::Row { columns, cells }.as_event()));
                }
                Pipe::Rename(rename) => rename.columns(&mut self.columns),
                Pipe::Rex(_) | Pipe::Parse(_) | Pipe::Eval(_) | Pipe::Lookup(_) => {
                    for edit in edits(pipe, setting)? {
                        self.edit(&edit, setting)?;
                    }
                }
                Pipe::Dedup(dedup) => {
                    let mut work = DedupWork::new(dedup.clone());
                    let Self { columns, rows, .. } = &mut self;
                    rows.retain(|cells| work.keeps(&Record::Row { columns, cells }));
                }
                Pipe::Join(join) => self.join(&setting.tables.join(join), setting)?,
                // The parser refuses them here.
                Pipe::Context(_) | Pipe::Transaction(_) => {}
                Pipe::Stats(stats) => {
                    let mut work = StatsWork::new(stats.clone());
                    self.each(|record| {
                        work.push(&record, 1);
                        within("stats", work.bytes(), setting)
                    })?;
                    self = work.finish().after(self);
                }
                Pipe::Top(top) => {
                    let mut work = TopWork::new(top.clone());
                    self.each(|record| {
                        work.push(&record, 1);
                        within("top", work.bytes(), setting)
                    })?;
                    self = work.finish().after(self);
                }
                Pipe::Patterns(patterns) => {
                    let mut work = PatternsWork::new(*patterns, setting.now);
                    self.each(|record| {
                        work.push(&record);
                        within("patterns", work.bytes(), setting)
                    })?;
                    self = work.finish().after(self);
                }
                Pipe::Timechart(timechart) => {
                    let mut work = TimechartWork::new(timechart.clone(), setting)?;
                    self.each(|record| {
                        work.push(&record, 1);
                        within("timechart", work.bytes(), setting)
                    })?;
                    self = work.finish()?.after(self);
                }
            }
        }
        Ok(self)
    }

    fn each(&self, mut visit: impl FnMut(Record<'_>) -> Result<(), PipeError>) -> Result<(), PipeError> {
        self.rows.iter().try_for_each(|cells| visit(Record::Row { columns: &self.columns, cells }))
    }

    fn edit(&mut self, edit: &Edit, setting: &Setting) -> Result<(), PipeError> {
        const ROWS_A_CHECK: usize = 256;
        let Self { columns, rows, .. } = self;
        let mut bytes = 0;
        for rows in rows.chunks_mut(ROWS_A_CHECK) {
            edit.of_rows(columns, rows);
            let cells = rows.iter().flatten().map(|value| size_of::<Value>() + value.heap_bytes());
            bytes += cells.sum::<usize>();
            within(edit.name(), bytes, setting)?;
        }
        self.square(setting)
    }

    fn join(&mut self, join: &Join, setting: &Setting) -> Result<(), PipeError> {
        let (mut bytes, before) = (0, std::mem::take(&mut self.rows));
        for row in before {
            for changes in join.matches(&Record::Row { columns: &self.columns, cells: &row }) {
                let mut joined = row.clone();
                for (name, value) in changes {
                    set_cell(&mut self.columns, &mut joined, &name, value);
                }
                bytes += joined.iter().map(|value| size_of::<Value>() + value.heap_bytes()).sum::<usize>();
                within("join", bytes, setting)?;
                self.rows.push(joined);
            }
        }
        self.square(setting)
    }

    /// Makes every row as long as there are columns.
    fn square(&mut self, setting: &Setting) -> Result<(), PipeError> {
        within("eval", self.columns.len().saturating_mul(self.rows.len()) * size_of::<Value>(), setting)?;
        let columns = self.columns.len();
        self.rows.iter_mut().for_each(|row| row.resize(columns, Value::Null));
        Ok(())
    }

    /// An estimate stays one, whatever is made of it.
    fn after(mut self, before: Self) -> Self {
        self.inexact_because = before.inexact_because.or(self.inexact_because);
        self
    }

    pub(super) fn table(self) -> Table {
        let rows = self.rows.iter().map(|row| row.iter().map(json).collect()).collect();
        Table { columns: self.columns, rows, inexact_because: self.inexact_because }
    }
}

fn within(pipe: &'static str, bytes: usize, setting: &Setting) -> Result<(), PipeError> {
    let limit_bytes = setting.memory_bytes;
    if bytes > limit_bytes { Err(PipeError::Memory { pipe, limit_bytes }) } else { Ok(()) }
}

/// Addresses and times as text, lists as arrays, as in events.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::List(values) => Json::Array(values.iter().map(json).collect()),
        Value::Str(_) | Value::Ip(_) | Value::Time(_) => Json::String(value.text().into_owned()),
    }
}
