//! [`Columns`]: the names in what is exported, gathered by looking through all of it once, so that a table has a column for each.

use std::collections::BTreeSet;

use locard_event::name;

use super::cell::each;
use super::encoder::Batch;

/// Most columns of a table.
pub(crate) const MAX_COLUMNS: usize = 10_000;

/// The columns that every event has come first.
const FIRST: [&str; 3] = [name::ID, name::TIMESTAMP, name::MESSAGE];

/// Gathers names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    names: BTreeSet<Box<str>>,
    /// Those of a table, which has an order of its own.
    rows: Option<Vec<String>>,
}

impl Columns {
    /// Notes what a batch has; `false` once that is more than fit into a table.
    pub(crate) fn note(&mut self, batch: &Batch) -> bool {
        match batch {
            Batch::Lines(_) => {}
            Batch::Rows(table) => self.rows = Some(table.columns.clone()),
            Batch::Events(events, shown) => {
                for event in events {
                    each(event, shown, |name, _| {
                        if !self.names.contains(name) {
                            self.names.insert(name.into());
                        }
                    });
                }
            }
        }
        self.names.len() <= MAX_COLUMNS
    }

    /// Their names, in the order they stand in.
    pub(crate) fn into_names(self) -> Vec<String> {
        if let Some(rows) = self.rows {
            return rows;
        }
        let first = FIRST.iter().filter(|name| self.names.contains(**name)).map(|name| (*name).to_owned());
        let rest = self.names.iter().filter(|name| !FIRST.contains(&&***name)).map(|name| name.to_string());
        first.chain(rest).collect()
    }
}
