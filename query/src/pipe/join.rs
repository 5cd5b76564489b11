//! `join user.name [ event.action:login | stats count() as logins by user.name ]`: what another search of the same events and times found
//! about the same values.
//!
//! `join type=left` keeps records that have no match, `max=5` takes up to five matches of each (1 unless asked otherwise). The other search is
//! done first, and bounded: the answer says so where it was cut. Its fields do not replace what a record has.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use locard_event::Value;
use locard_filter::SyntaxError;

use super::Query;
use super::edit::Changes;
use super::order;
use super::read::Reader;
use super::record::Record;

/// Most matches of one record that can be asked for.
const MAX_MATCHES: usize = 100;

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The fields that must agree.
    pub on: Vec<Box<str>>,
    /// Whether records without a match are kept.
    pub left: bool,
    /// How many matches a record may have.
    pub max: usize,
    /// The other search.
    pub query: Box<Query>,
    /// Which of the joins of the query it is.
    pub number: usize,
}

impl Join {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let (mut left, mut max) = (false, 1);
        loop {
            if reader.option("type") || reader.option("kind") {
                left = match reader.identifier() {
                    Some((word, _))
                        if ["left", "outer"].iter().any(|left| word.eq_ignore_ascii_case(left)) =>
                    {
                        true
                    }
                    Some((word, _)) if word.eq_ignore_ascii_case("inner") => false,
                    Some((word, span)) => return Err(reader.unknown("type", word, span, &["inner", "left"])),
                    None => return Err(reader.expected("`inner` or `left`")),
                };
            } else if reader.option("max") {
                max = reader.count(1..=MAX_MATCHES)?;
            } else {
                break;
            }
        }
        reader.keyword("by");
        reader.keyword("on");
        let on = reader.fields()?;
        let query = Box::new(reader.bracketed()?);
        Ok(Self { on, left, max, query, number: 0 })
    }
}

/// What the other search of a join found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinTable {
    /// Names, all different.
    pub columns: Vec<String>,
    /// Cells by column.
    pub rows: Vec<Vec<Value>>,
}

/// A join and its other side, indexed.
#[derive(Debug)]
pub(super) struct Bound {
    join: Join,
    table: Arc<JoinTable>,
    rows: HashMap<Vec<Key>, Vec<usize>>,
}

/// A value as joins compare it: the same number, or the same text.
type Key = String;

impl Bound {
    pub(super) fn new(join: &Join, table: Arc<JoinTable>) -> Self {
        let mut rows: HashMap<Vec<Key>, Vec<usize>> = HashMap::new();
        let places: Vec<_> =
            join.on.iter().map(|name| table.columns.iter().position(|column| **column == **name)).collect();
        for (at, row) in table.rows.iter().enumerate() {
            let cell = |place: &Option<usize>| place.and_then(|place| row.get(place)).unwrap_or(&Value::Null);
            let cells: Vec<&Value> = places.iter().map(cell).collect();
            for key in keys(&cells) {
                let matches = rows.entry(key).or_default();
                if matches.len() < join.max && matches.last() != Some(&at) {
                    matches.push(at);
                }
            }
        }
        Self { join: join.clone(), table, rows }
    }

    pub(super) fn reads(&self) -> impl Iterator<Item = &str> {
        self.join.on.iter().map(|field| &**field).chain(self.makes())
    }

    pub(super) fn makes(&self) -> impl Iterator<Item = &str> {
        self.table
            .columns
            .iter()
            .map(String::as_str)
            .filter(|column| !self.join.on.iter().any(|on| **on == **column))
    }

    /// What each match adds to a record; one that adds nothing where there is none and that is kept.
    pub(super) fn matches(&self, record: &Record<'_>) -> Vec<Changes> {
        let values: Vec<_> = self.join.on.iter().map(|field| record.value(field)).collect();
        let values: Vec<&Value> = values.iter().map(|value| &**value).collect();
        let mut found: Vec<usize> = Vec::new();
        for key in keys(&values) {
            for row in self.rows.get(&key).into_iter().flatten() {
                if found.len() < self.join.max && !found.contains(row) {
                    found.push(*row);
                }
            }
        }
        if found.is_empty() {
            return if self.join.left { vec![Vec::new()] } else { Vec::new() };
        }
        let adds = |row: usize| {
            let cells = self.table.columns.iter().zip(self.table.rows.get(row).into_iter().flatten());
            let new = cells.filter(|(column, value)| {
                **value != Value::Null && record.get(column).is_none_or(|own| *own == Value::Null)
            });
            new.map(|(column, value)| (column.as_str().into(), value.clone())).collect()
        };
        found.into_iter().map(adds).collect()
    }
}

/// Every way to take one element of each value; none where one has nothing.
fn keys(values: &[&Value]) -> Vec<Vec<Key>> {
    const MOST: usize = 100;
    let mut keys: Vec<Vec<Key>> = vec![Vec::new()];
    for value in values {
        let mut elements: Vec<&Value> =
            value.elements().iter().filter(|element| **element != Value::Null).collect();
        elements.dedup_by(|left, right| order::same(left, right));
        let longer = |key: Vec<Key>| {
            elements.iter().map(move |element| [&*key, &[compared(element)]].concat()).collect::<Vec<_>>()
        };
        keys = keys.into_iter().flat_map(longer).take(MOST).collect();
    }
    keys
}

/// Numbers by their value however they are written, all else by its text.
fn compared(value: &Value) -> Key {
    match value.as_f64() {
        Some(number) if !matches!(value, Value::Int(_)) => number.to_string(),
        _ => value.text().into_owned(),
    }
}
