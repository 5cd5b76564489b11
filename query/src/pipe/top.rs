//! `top 10 user.name, source.ip`: the most frequent combinations of values, the most frequent first.
//!
//! A record with none of the fields is left out; with some of them, the others are null.

#[cfg(test)]
mod tests;

use locard_event::Value;
use locard_filter::SyntaxError;

use super::group::{Groups, each_key};
use super::key::Key;
use super::read::Reader;
use super::record::Record;
use super::rows::Rows;

/// How many rows there are unless asked otherwise.
const ROWS: usize = 10;

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    /// How many rows.
    pub limit: usize,
    /// Whose combinations; at least one.
    pub fields: Vec<Key>,
    /// Whether the least frequent are wanted: `rare`.
    pub rare: bool,
}

impl Top {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let limit = match reader.number() {
            Some((0, span)) => return Err(reader.replace(span, "no rows at all".into(), "1")),
            Some((limit, _)) => limit,
            None => ROWS,
        };
        reader.keyword("by");
        Ok(Self { limit, fields: Key::parse_list(reader)?, rare: false })
    }
}

/// The pipe at work.
#[derive(Debug)]
pub(super) struct TopWork {
    top: Top,
    groups: Groups<u64>,
}

impl TopWork {
    pub(super) fn new(top: Top) -> Self {
        Self { top, groups: Groups::new() }
    }

    /// Takes in a record that occurs so many times.
    pub(super) fn push(&mut self, record: &Record<'_>, times: u64) {
        each_key(record, &self.top.fields, |key| {
            if key.iter().any(|value| **value != Value::Null) {
                *self.groups.state(key, || 0) += times;
            }
        });
    }

    /// One like this that has seen nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self { top: self.top.clone(), groups: self.groups.fork() }
    }

    /// Takes in what a fork has seen.
    pub(super) fn merge(&mut self, other: Self) {
        self.groups.merge(other.groups, |own, their| *own += their);
    }

    /// The fields that it looks at.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.top.fields.iter().map(|key| &*key.field)
    }

    pub(super) fn bytes(&self) -> usize {
        self.groups.bytes()
    }

    pub(super) fn finish(self) -> Rows {
        let mut rows = Rows::new(self.top.fields.iter().map(Key::name).collect());
        rows.columns.push("count".into());
        let groups = match self.top.rare {
            true => self.groups.least(self.top.limit),
            false => self.groups.greatest(self.top.limit),
        };
        rows.rows = groups
            .into_iter()
            .map(|(mut key, count)| {
                key.push(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
                key
            })
            .collect();
        rows
    }
}
