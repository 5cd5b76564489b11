//! `sort -n, user.name`: by columns, a dash for the greatest first. What is absent comes last either way.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use locard_event::{Event, Value};
use locard_filter::SyntaxError;

use super::Shown;
use super::order::compare_directed;
use super::read::Reader;
use super::record::Record;
use super::rows::Rows;

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// By what, the first deciding first; at least one.
    pub keys: Vec<SortKey>,
}

/// One column to sort by.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// Its name.
    pub column: Box<str>,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Sort {
    /// `sort [by] [-]column [asc|desc], …`.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        reader.keyword("by");
        let mut keys = vec![SortKey::parse(reader)?];
        while reader.eat(',') {
            keys.push(SortKey::parse(reader)?);
        }
        Ok(Self { keys })
    }

    fn values(&self, record: &Record<'_>) -> Vec<Value> {
        let value = |key: &SortKey| record.get(&key.column).map_or(Value::Null, std::borrow::Cow::into_owned);
        self.keys.iter().map(value).collect()
    }

    fn compare(&self, left: &[Value], right: &[Value]) -> Ordering {
        let pairs = self.keys.iter().zip(left.iter().zip(right));
        pairs
            .map(|(key, (left, right))| compare_directed(left, right, key.descending))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Sorts rows; equal ones keep their order.
    pub(super) fn apply(&self, rows: &mut Rows) {
        let columns = &rows.columns;
        rows.rows.sort_by_cached_key(|cells| Keyed {
            sort: self,
            values: self.values(&Record::Row { columns, cells }),
        });
    }
}

/// The values a row is sorted by, comparable.
struct Keyed<'a> {
    sort: &'a Sort,
    values: Vec<Value>,
}

impl Ord for Keyed<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sort.compare(&self.values, &other.values)
    }
}

impl PartialOrd for Keyed<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Keyed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Keyed<'_> {}

impl SortKey {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let dash = reader.eat('-');
        if !dash {
            reader.eat('+');
        }
        let column = reader.column()?;
        let descending = reader.keyword("desc") || dash;
        if !descending {
            reader.keyword("asc");
        }
        Ok(Self { column, descending })
    }
}

/// The pipe at work on events: keeps the first `most` of the order, or all.
#[derive(Debug)]
pub(super) struct SortWork {
    sort: Sort,
    shown: Shown,
    most: Option<usize>,
    kept: Vec<(Vec<Value>, Event)>,
    bytes: usize,
    seen: usize,
}

impl SortWork {
    pub(super) fn new(sort: Sort, shown: Shown, most: Option<usize>) -> Self {
        Self { sort, shown, most, kept: Vec::new(), bytes: 0, seen: 0 }
    }

    pub(super) fn push(&mut self, event: &Event) {
        let values = self.sort.values(&Record::Event { event, shown: &self.shown });
        self.bytes += bytes(&values, event);
        self.kept.push((values, event.clone()));
        self.seen += 1;
        self.cut_if_long();
    }

    /// One like this that has seen nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self::new(self.sort.clone(), self.shown.clone(), self.most)
    }

    /// Takes in what a fork has seen.
    pub(super) fn merge(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.kept.extend(other.kept);
        self.seen += other.seen;
        self.cut_if_long();
    }

    fn cut_if_long(&mut self) {
        // Cutting every so often costs less than keeping the order all the time.
        if let Some(most) = self.most
            && self.kept.len() > most.saturating_mul(2).saturating_add(1_000)
        {
            self.cut(most);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Cuts to what is needed, so that a limit on memory counts nothing else.
    pub(super) fn shrink(&mut self) {
        if let Some(most) = self.most {
            self.cut(most);
        }
    }

    fn cut(&mut self, most: usize) {
        let sort = &self.sort;
        self.kept.sort_by(|(left, left_event), (right, right_event)| {
            sort.compare(left, right).then_with(|| newest_first(left_event, right_event))
        });
        self.kept.truncate(most);
        self.bytes = self.kept.iter().map(|(values, event)| bytes(values, event)).sum();
    }

    /// The events in order, and whether some were cut off.
    pub(super) fn finish(mut self) -> (Vec<Event>, bool) {
        self.cut(self.most.unwrap_or(usize::MAX));
        let cut = self.kept.len() < self.seen;
        (self.kept.into_iter().map(|(_, event)| event).collect(), cut)
    }
}

/// So that the outcome does not depend on the order in which events are fed.
fn newest_first(left: &Event, right: &Event) -> Ordering {
    right.filed().cmp(&left.filed()).then_with(|| right.id.cmp(&left.id))
}

fn bytes(values: &[Value], event: &Event) -> usize {
    event.heap_bytes() + values.iter().map(|value| size_of::<Value>() + value.heap_bytes()).sum::<usize>()
}
