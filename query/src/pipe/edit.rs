//! [`Edit`]: a pipe that gives one record values it had not, or other names. It works alike on events and on rows.

use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, Timestamp, Value, name};

use super::decode::Decode;
use super::eval::Eval;
use super::lookup::Bound as Lookup;
use super::record::Record;
use super::rename::Rename;
use super::rex::Rex;

/// A pipe that changes records one by one.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Eval(Eval, Timestamp),
    Rex(Rex),
    Decode(Decode),
    Rename(Rename),
    Lookup(Arc<Lookup>),
}

/// What an edit says of a record: names and their values, null for what is gone.
pub(super) type Changes = Vec<(Box<str>, Value)>;

impl Edit {
    /// What changes in a record. Assignments of `eval` are edits of their own: see [`Edit::each`].
    fn changes(&self, record: &Record<'_>) -> Changes {
        match self {
            Self::Eval(eval, now) => {
                let value = |assignment: &super::eval::Assignment| {
                    (assignment.name.clone(), assignment.value(record, *now))
                };
                eval.assignments.iter().map(value).collect()
            }
            Self::Rex(rex) => rex.changes(record),
            Self::Decode(decode) => decode.changes(record),
            Self::Rename(rename) => rename.changes(record),
            Self::Lookup(lookup) => lookup.changes(record),
        }
    }

    /// The pipe's name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Eval(..) => "eval",
            Self::Rex(_) => "rex",
            Self::Decode(_) => "parse",
            Self::Rename(_) => "rename",
            Self::Lookup(_) => "lookup",
        }
    }

    /// The edit as steps of which none looks at what it changes itself.
    pub(super) fn each(self) -> Vec<Self> {
        match self {
            Self::Eval(eval, now) => {
                let alone = |assignment| Self::Eval(Eval { assignments: vec![assignment] }, now);
                eval.assignments.into_iter().map(alone).collect()
            }
            edit => vec![edit],
        }
    }

    /// What changes in an event.
    pub(super) fn of_event(&self, record: &Record<'_>) -> Changes {
        self.changes(record)
    }

    /// Changes every row, which may get more columns.
    pub(super) fn of_rows(&self, columns: &mut Vec<String>, rows: &mut [Vec<Value>]) {
        for row in rows {
            let changes = self.changes(&Record::Row { columns, cells: row });
            for (name, value) in changes {
                set_cell(columns, row, &name, value);
            }
        }
    }

    /// The fields it looks at; nothing if that cannot be told.
    pub(super) fn reads(&self) -> Option<Vec<&str>> {
        match self {
            Self::Eval(eval, _) => {
                let mut names = Vec::new();
                for assignment in &eval.assignments {
                    assignment.expression.fields(&mut |name| names.push(name));
                }
                Some(names)
            }
            Self::Rex(rex) => Some(vec![&rex.field]),
            Self::Decode(_) => None,
            Self::Rename(rename) => Some(rename.names.iter().map(|(from, _)| &**from).collect()),
            Self::Lookup(lookup) => Some(lookup.reads().collect()),
        }
    }

    /// The fields it may change; nothing if that cannot be told.
    pub(super) fn makes(&self) -> Option<Vec<&str>> {
        match self {
            Self::Eval(eval, _) => Some(eval.assignments.iter().map(|made| &*made.name).collect()),
            Self::Rex(rex) => Some(rex.names().collect()),
            Self::Decode(_) => None,
            Self::Rename(rename) => {
                Some(rename.names.iter().flat_map(|(from, to)| [&**from, &**to]).collect())
            }
            Self::Lookup(lookup) => Some(lookup.makes().collect()),
        }
    }
}

/// Puts a value into a row, in a new column if there is none of that name.
pub(super) fn set_cell(columns: &mut Vec<String>, row: &mut Vec<Value>, name: &str, value: Value) {
    let at = columns.iter().position(|column| column == name).unwrap_or_else(|| {
        columns.push(name.to_owned());
        columns.len() - 1
    });
    if row.len() <= at {
        row.resize(at + 1, Value::Null);
    }
    if let Some(cell) = row.get_mut(at) {
        *cell = value;
    }
}

/// Changes an event. Which event it is, and when it was, stays.
pub(super) fn change(event: &mut Event, changes: Changes) {
    for (name, value) in changes {
        match (&*name, value) {
            (name::ID | name::STREAM | name::TIMESTAMP | name::TIME | name::PATTERN | name::INGESTED, _) => {}
            (name::MESSAGE, value) => event.message = Bytes::from(value.to_string()),
            // A label cannot be taken away, but hidden.
            (name, Value::Null) if event.stream.get(name).is_none() => {
                event.fields.remove(name);
            }
            (name, value) => event.fields.set(name, value),
        }
    }
}
