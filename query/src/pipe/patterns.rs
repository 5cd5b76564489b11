//! `patterns`: the templates of the messages, how often each occurs, when first and last, and an example. `patterns new since=24h`:
//! those that no event before the last 24 hours has, among all that may be seen, whatever the filter.
//!
//! A template is a message with its variables left out. Events whose message is too long or too varied for one are in no row.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use locard_event::{EventId, Timestamp, Value, name};
use locard_filter::SyntaxError;
use locard_store::{PatternRow, pattern_of};

use super::read::Reader;
use super::record::Record;
use super::rows::Rows;

/// How far back `new` looks unless asked otherwise: a day.
const SINCE: i64 = 86_400 * 1_000_000_000;
/// Most rows that can be asked for.
const MAX_ROWS: usize = 1_000_000;
const COLUMNS: [&str; 8] =
    ["pattern", "template", "count", "share", "first_seen", "last_seen", "example", name::ID];

/// The pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patterns {
    /// Only those that no event older than this many nanoseconds has.
    pub new_since: Option<i64>,
    /// No more than so many.
    pub limit: Option<usize>,
}

impl Patterns {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let is_new = reader.keyword("new");
        let at = reader.position();
        let (mut since, mut limit) = (None, None);
        loop {
            if reader.option("since") {
                since = Some(reader.duration()?);
            } else if reader.option("limit") {
                limit = Some(reader.count(1..=MAX_ROWS)?);
            } else {
                break;
            }
        }
        match (is_new, since) {
            (true, since) => Ok(Self { new_since: Some(since.unwrap_or(SINCE)), limit }),
            (false, None) => Ok(Self { new_since: None, limit }),
            (false, Some(_)) => Err(reader.insert(at, "`since` of what?".into(), "new ")),
        }
    }
}

/// What is known of one template.
#[derive(Debug)]
struct Seen {
    template: Box<str>,
    count: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    example: Option<Example>,
}

/// The newest of the events that were offered.
#[derive(Debug)]
struct Example {
    place: (Timestamp, Option<EventId>),
    message: Box<str>,
}

/// The pipe at work.
#[derive(Debug)]
pub(super) struct PatternsWork {
    /// What is older than this is not new.
    new_since: Option<Timestamp>,
    limit: Option<usize>,
    patterns: HashMap<u64, Seen>,
    /// All records, with a template or without.
    total: u64,
    bytes: usize,
}

impl PatternsWork {
    pub(super) fn new(patterns: Patterns, now: Timestamp) -> Self {
        let new_since = patterns.new_since.map(|nanos| now.plus_nanos(nanos.saturating_neg()));
        Self { new_since, limit: patterns.limit, patterns: HashMap::new(), total: 0, bytes: 0 }
    }

    pub(super) fn push(&mut self, record: &Record<'_>) {
        self.total += 1;
        let Some(message) = record.message() else { return };
        let Some((id, template)) = pattern_of(&message) else { return };
        let time = record.filed();
        let example = || Example {
            place: (time.unwrap_or(Timestamp::MIN), record.id()),
            message: String::from_utf8_lossy(&message).into(),
        };
        let is_newest = self.patterns.get(&id).is_none_or(|seen| seen.last <= time);
        let example = is_newest.then(example);
        self.add(id, Seen { template: template.into(), count: 1, first: time, last: time, example });
    }

    /// Takes in what is known of a template elsewhere.
    pub(super) fn push_pattern(&mut self, row: PatternRow) {
        let PatternRow { id, template, count, first, last, example: (at, message) } = row;
        let message = String::from_utf8_lossy(&message).into();
        let example = Some(Example { place: (at.filed, Some(at.id)), message });
        let (first, last) = (Some(first), Some(last));
        self.add(id, Seen { template: template.into(), count, first, last, example });
    }

    /// Takes in how many records there are in what [`Self::push_pattern`] told of.
    pub(super) fn push_count(&mut self, records: u64) {
        self.total += records;
    }

    fn add(&mut self, id: u64, more: Seen) {
        let Some(seen) = self.patterns.get_mut(&id) else {
            self.bytes += more.bytes();
            self.patterns.insert(id, more);
            return;
        };
        self.bytes -= seen.bytes();
        seen.count += more.count;
        seen.first = [seen.first, more.first].into_iter().flatten().min();
        seen.last = seen.last.max(more.last);
        let place = |example: &Option<Example>| example.as_ref().map(|example| example.place);
        if place(&more.example) > place(&seen.example) {
            seen.example = more.example;
        }
        self.bytes += seen.bytes();
    }

    /// One like this that has seen nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self { patterns: HashMap::new(), total: 0, bytes: 0, ..*self }
    }

    /// Takes in what a fork has seen.
    pub(super) fn merge(&mut self, other: Self) {
        self.total += other.total;
        other.patterns.into_iter().for_each(|(id, seen)| self.add(id, seen));
    }

    /// Before when a template must not have been seen to be new.
    pub(super) fn new_since(&self) -> Option<Timestamp> {
        self.new_since
    }

    /// Which templates may be new.
    pub(super) fn ids(&self) -> HashSet<u64> {
        self.patterns.keys().copied().collect()
    }

    /// Leaves out what has been seen before.
    pub(super) fn forget(&mut self, ids: &HashSet<u64>) {
        self.patterns.retain(|id, _| !ids.contains(id));
        self.bytes = self.patterns.values().map(Seen::bytes).sum();
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The most frequent first.
    pub(super) fn finish(self) -> Rows {
        let Self { new_since, limit, patterns, total, .. } = self;
        let is_new =
            |seen: &Seen| new_since.is_none_or(|since| seen.first.is_none_or(|first| first >= since));
        let mut patterns: Vec<(u64, Seen)> = patterns.into_iter().filter(|(_, seen)| is_new(seen)).collect();
        patterns.sort_unstable_by(|(left_id, left), (right_id, right)| {
            let by_text = || left.template.cmp(&right.template).then(left_id.cmp(right_id));
            right.count.cmp(&left.count).then_with(by_text)
        });
        let mut rows = Rows::new(COLUMNS.map(str::to_owned).to_vec());
        let patterns = patterns.into_iter().take(limit.unwrap_or(usize::MAX));
        rows.rows = patterns.map(|(id, seen)| seen.row(id, total)).collect();
        rows
    }
}

impl Seen {
    /// What it takes here and as a row.
    fn bytes(&self) -> usize {
        let message = self.example.as_ref().map_or(0, |example| example.message.len());
        2 * size_of::<(u64, Self)>() + COLUMNS.len() * size_of::<Value>() + self.template.len() + message
    }

    fn row(self, id: u64, total: u64) -> Vec<Value> {
        let time = |time: Option<Timestamp>| time.map_or(Value::Null, Value::Time);
        let (place, message) = match self.example {
            Some(Example { place: (_, place), message }) => (place, Value::str(message)),
            None => (None, Value::Null),
        };
        vec![
            Value::from(pattern_text(id)),
            Value::str(self.template),
            Value::Int(i64::try_from(self.count).unwrap_or(i64::MAX)),
            Value::Float(share(self.count, total)),
            time(self.first),
            time(self.last),
            message,
            place.map_or(Value::Null, |id| Value::from(id.to_string())),
        ]
    }
}

/// Of all records, to six digits.
fn share(count: u64, total: u64) -> f64 {
    (count as f64 / total.max(1) as f64 * 1e6).round() / 1e6
}

/// The name of a pattern as it is written: 16 hex digits.
pub(super) fn pattern_text(id: u64) -> String {
    format!("{id:016x}")
}
