//! `transaction auditd.ses maxpause=5m`: events that belong together, a row for each group of them.
//!
//! Events that agree in the fields are one transaction as long as they follow each other within `maxpause` and all lie within `maxspan`; one that
//! matches `startswith` begins another, one that matches `endswith` ends it. A row has `_time` (the first event's), `duration` in
//! nanoseconds, `events` (how many), `closed` (whether it ended by itself, not with the range of the search), and every field of its events: the value, or the list of the different values in the
//! order they came. Events with none of the fields are left out. Rows come in the order of their first event, the newest first.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use locard_event::{Event, Timestamp, Value, name};
use locard_filter::{Filter, Matcher, SyntaxError};

use super::group::{Groups, each_key};
use super::key::Key;
use super::read::Reader;
use super::record::Record;
use super::rows::Rows;
use super::{Pipe, PipeError, Setting, Shown};

/// Most events in one transaction unless asked otherwise.
const MAX_EVENTS: usize = 1_000;
/// Most different values of one field that a row lists.
const MAX_VALUES: usize = 1_000;
/// The columns that every row has.
const COLUMNS: [&str; 4] = [name::TIME, "duration", "events", "closed"];

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// What its events agree in; none: all belong together.
    pub by: Vec<Key>,
    /// Longest time between two events, in nanoseconds.
    pub max_pause: Option<i64>,
    /// Longest time from the first to the last, in nanoseconds.
    pub max_span: Option<i64>,
    /// Most events.
    pub max_events: usize,
    /// What begins one.
    pub starts_with: Option<Filter>,
    /// What ends one.
    pub ends_with: Option<Filter>,
}

impl Transaction {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let mut pipe = Self {
            by: Vec::new(),
            max_pause: None,
            max_span: None,
            max_events: MAX_EVENTS,
            starts_with: None,
            ends_with: None,
        };
        while !reader.at_end() {
            if reader.option("maxpause") {
                pipe.max_pause = Some(reader.duration()?);
            } else if reader.option("maxspan") {
                pipe.max_span = Some(reader.duration()?);
            } else if reader.option("maxevents") {
                pipe.max_events = reader.count(1..=100_000)?;
            } else if reader.option("startswith") {
                pipe.starts_with = Some(reader.filter_value()?);
            } else if reader.option("endswith") {
                pipe.ends_with = Some(reader.filter_value()?);
            } else if !reader.eat(',') && !reader.keyword("by") {
                pipe.by.push(Key::parse(reader)?);
            }
        }
        let bounded = pipe.max_pause.is_some() || pipe.max_span.is_some();
        if pipe.by.is_empty() && !bounded && pipe.starts_with.is_none() && pipe.ends_with.is_none() {
            return Err(reader.expected("a field").hint("as in transaction user.name maxpause=5m"));
        }
        Ok(pipe)
    }
}

/// The pipe at work: gathers what it needs of the events, in any order.
#[derive(Debug)]
pub(super) struct TransactionWork {
    pipe: Transaction,
    shown: Shown,
    /// The fields that the pipes behind look at; nothing: all.
    wanted: Option<BTreeSet<Box<str>>>,
    edges: std::sync::Arc<(Option<Matcher>, Option<Matcher>)>,
    seen: Vec<Member>,
    bytes: usize,
}

/// What is kept of an event.
#[derive(Debug)]
struct Member {
    time: Timestamp,
    id: Option<locard_event::EventId>,
    keys: Vec<Value>,
    starts: bool,
    ends: bool,
    values: Vec<(Box<str>, Value)>,
}

impl TransactionWork {
    pub(super) fn new(
        pipe: Transaction,
        shown: Shown,
        rest: &[Pipe],
        setting: &Setting,
    ) -> Result<Self, PipeError> {
        let matcher = |filter: &Option<Filter>| {
            filter.clone().map(|filter| Matcher::new(&filter.resolve(setting.now))).transpose()
        };
        let edges = std::sync::Arc::new((matcher(&pipe.starts_with)?, matcher(&pipe.ends_with)?));
        Ok(Self { pipe, shown, wanted: wanted(rest), edges, seen: Vec::new(), bytes: 0 })
    }

    pub(super) fn push(&mut self, event: &Event) {
        let record = Record::Event { event, shown: &self.shown };
        let seen = record.as_event();
        let asks = |matcher: &Option<Matcher>| matcher.as_ref().is_some_and(|matcher| matcher.matches(&seen));
        let (starts, ends) = (asks(&self.edges.0), asks(&self.edges.1));
        let values = self.values(&record, event);
        let mut keys = Vec::new();
        each_key(&record, &self.pipe.by, |key| {
            if key.is_empty() || key.iter().any(|value| **value != Value::Null) {
                keys.push(key.iter().map(|value| Value::clone(value)).collect::<Vec<_>>());
            }
        });
        for keys in keys {
            let member =
                Member { time: event.filed(), id: event.id, keys, starts, ends, values: values.clone() };
            self.bytes += member.bytes();
            self.seen.push(member);
        }
    }

    /// The values that a row will list.
    fn values(&self, record: &Record<'_>, event: &Event) -> Vec<(Box<str>, Value)> {
        let own = [name::MESSAGE, name::ID];
        let labels = event.stream.iter().map(|(name, _)| name);
        let fields = event.fields.iter().map(|(name, _)| name);
        let mut names: Vec<&str> = own.into_iter().chain(labels).chain(fields).collect();
        names.sort_unstable();
        names.dedup();
        let wanted = |name: &&str| {
            let is_wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(*name));
            is_wanted && !self.pipe.by.iter().any(|key| key.network.is_none() && *key.field == **name)
        };
        let names = names.into_iter().filter(wanted);
        names.filter_map(|name| Some((name.into(), record.get(name)?.into_owned()))).collect()
    }

    pub(super) fn fork(&self) -> Self {
        Self {
            pipe: self.pipe.clone(),
            shown: self.shown.clone(),
            wanted: self.wanted.clone(),
            edges: std::sync::Arc::clone(&self.edges),
            seen: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.bytes += other.bytes;
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn finish(self) -> Rows {
        let Self { pipe, mut seen, .. } = self;
        seen.sort_by_key(|member| (member.time, member.id));
        let mut open: Groups<Option<usize>> = Groups::new();
        let mut groups: Vec<Group> = Vec::new();
        for member in seen {
            let key: Vec<_> = member.keys.iter().map(std::borrow::Cow::Borrowed).collect();
            let current = open.state(&key, || None);
            if let Some(group) = current.and_then(|at| groups.get_mut(at))
                && !group.takes(&member, &pipe)
            {
                group.closed = true;
                *current = None;
            }
            // Without its beginning it is none, if beginnings are told.
            if current.is_none() && pipe.starts_with.is_some() && !member.starts {
                continue;
            }
            let at = *current.get_or_insert_with(|| {
                groups.push(Group::new(member.keys.clone(), member.time));
                groups.len() - 1
            });
            let Some(group) = groups.get_mut(at) else { continue };
            let ends = member.ends;
            group.add(member);
            if ends {
                group.closed = true;
                *current = None;
            }
        }
        rows(&pipe, groups)
    }
}

impl Member {
    fn bytes(&self) -> usize {
        let values = self
            .values
            .iter()
            .map(|(name, value)| size_of::<(Box<str>, Value)>() + name.len() + value.heap_bytes());
        let keys = self.keys.iter().map(|key| size_of::<Value>() + key.heap_bytes());
        size_of::<Self>() + values.sum::<usize>() + keys.sum::<usize>()
    }
}

/// One transaction.
#[derive(Debug)]
struct Group {
    keys: Vec<Value>,
    first: Timestamp,
    last: Timestamp,
    events: usize,
    closed: bool,
    values: HashMap<Box<str>, Vec<Value>>,
}

impl Group {
    fn new(keys: Vec<Value>, first: Timestamp) -> Self {
        Self { keys, first, last: first, events: 0, closed: false, values: HashMap::new() }
    }

    /// Whether an event that comes later belongs to it.
    fn takes(&self, member: &Member, pipe: &Transaction) -> bool {
        let within = |from: Timestamp, most: Option<i64>| {
            most.is_none_or(|most| member.time.nanos().saturating_sub(from.nanos()) <= most)
        };
        !member.starts
            && within(self.last, pipe.max_pause)
            && within(self.first, pipe.max_span)
            && self.events < pipe.max_events
    }

    fn add(&mut self, member: Member) {
        self.last = member.time;
        self.events += 1;
        for (name, value) in member.values {
            let values = self.values.entry(name).or_default();
            for element in value.elements() {
                let is_new = *element != Value::Null && !values.contains(element);
                if is_new && values.len() < MAX_VALUES {
                    values.push(element.clone());
                }
            }
        }
    }

    fn duration(&self) -> i64 {
        self.last.nanos().saturating_sub(self.first.nanos())
    }
}

fn rows(pipe: &Transaction, mut groups: Vec<Group>) -> Rows {
    groups.sort_by_key(|group| std::cmp::Reverse(group.first));
    let by = pipe.by.iter().map(Key::name);
    let names: BTreeSet<&str> =
        groups.iter().flat_map(|group| group.values.keys()).map(|name| &**name).collect();
    let taken: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).chain(by).collect();
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| !taken.iter().any(|taken| taken == name))
        .map(str::to_owned)
        .collect();
    let mut table = Rows::new(taken.into_iter().chain(names.iter().cloned()).collect());
    for mut group in groups {
        let events = i64::try_from(group.events).unwrap_or(i64::MAX);
        let mut row: Vec<Value> =
            vec![group.first.into(), group.duration().into(), events.into(), group.closed.into()];
        row.append(&mut group.keys);
        row.extend(names.iter().map(|name| match group.values.remove(name.as_str()) {
            None => Value::Null,
            Some(mut values) if values.len() == 1 => values.swap_remove(0),
            Some(values) => Value::List(values),
        }));
        table.rows.push(row);
    }
    table
}

/// The fields that the pipes behind look at, if one of them leaves nothing else.
fn wanted(rest: &[Pipe]) -> Option<BTreeSet<Box<str>>> {
    let mut wanted = BTreeSet::new();
    for pipe in rest {
        match pipe {
            Pipe::Fields(super::Fields::Keep(names)) => {
                wanted.extend(names.iter().cloned());
                return Some(wanted);
            }
            Pipe::Stats(stats) => {
                wanted.extend(stats.by.iter().map(|key| key.field.clone()));
                wanted.extend(stats.aggregates.iter().filter_map(|aggregate| aggregate.field.clone()));
                return Some(wanted);
            }
            Pipe::Top(top) => {
                wanted.extend(top.fields.iter().map(|key| key.field.clone()));
                return Some(wanted);
            }
            Pipe::Limit(_) => {}
            Pipe::Sort(sort) => wanted.extend(sort.keys.iter().map(|key| key.column.clone())),
            Pipe::Where(filter) => wanted.extend(filter.fields()?.into_iter().map(Box::from)),
            _ => return None,
        }
    }
    None
}
