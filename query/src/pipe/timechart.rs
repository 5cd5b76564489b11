//! `timechart span=15m count() by host.name limit=5`: functions over time, a row a bucket, empty buckets included.
//!
//! Events stand under [`locard_event::Event::filed`]. Buckets begin at multiples of the span since 1970 in UTC, weeks on Mondays.
//! The series with the most events have a column each; what remains is together in `other`.

mod span;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use locard_event::{Timestamp, Value, name};
use locard_filter::SyntaxError;
use locard_store::GroupKey;

use super::aggregate::Aggregate;
use super::group::{Groups, each_key};
use super::key::Key;
use super::read::Reader;
use super::record::Record;
use super::rows::Rows;
use super::state::State;
use super::stats::{merge, states, values};
use super::{PipeError, Setting};
use span::Buckets;

/// How many series there are unless asked otherwise.
const SERIES: usize = 10;
/// Most series that can be asked for.
const MAX_SERIES: usize = 100;
/// Most rows.
const MAX_ROWS: u64 = 20_000;

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Timechart {
    /// Length of a bucket in nanoseconds; chosen to fit if nothing is said.
    pub span: Option<i64>,
    /// What is computed; at least one.
    pub aggregates: Vec<Aggregate>,
    /// A series for each value of this.
    pub by: Option<Key>,
    /// Most series beside `other`.
    pub limit: usize,
}

impl Timechart {
    /// Options, functions and `by field`, in any order.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let mut chart = Self { span: None, aggregates: Vec::new(), by: None, limit: SERIES };
        while !reader.at_end() {
            if reader.option("span") {
                chart.span = Some(reader.duration()?);
            } else if reader.option("limit") {
                chart.limit = limit(reader)?;
            } else if reader.keyword("by") {
                chart.by = Some(Key::parse(reader)?);
                let at = reader.position();
                if reader.eat(',') {
                    return Err(SyntaxError::new(at..reader.position(), "`timechart` groups by one field")
                        .hint("use stats … by for several"));
                }
            } else if !reader.eat(',') {
                Aggregate::parse_into(&mut chart.aggregates, reader)?;
            }
        }
        if chart.aggregates.is_empty() {
            chart.aggregates.push(Aggregate::parse(&mut Reader::new("count()", 0))?);
        }
        Ok(chart)
    }
}

fn limit(reader: &mut Reader<'_>) -> Result<usize, SyntaxError> {
    let (limit, span) = reader.number().ok_or_else(|| reader.expected("a number"))?;
    match limit {
        0 => Err(reader.replace(span, "no series at all".into(), "1")),
        1..=MAX_SERIES => Ok(limit),
        _ => Err(reader.replace(span, format!("more than {MAX_SERIES} series"), &MAX_SERIES.to_string())),
    }
}

/// What one series has in one bucket.
#[derive(Debug)]
struct Cell {
    events: u64,
    states: Vec<State>,
}

/// The pipe at work.
#[derive(Debug)]
pub(super) struct TimechartWork {
    chart: Timechart,
    buckets: Buckets,
    /// The length of the buckets that [`Self::push_bucket`] is given.
    fed_span: i64,
    /// By bucket, and by series if there are any.
    groups: Groups<Cell>,
    grown: usize,
    memory_bytes: usize,
}

impl TimechartWork {
    pub(super) fn new(chart: Timechart, setting: &Setting) -> Result<Self, PipeError> {
        let buckets = Buckets::new(chart.span, setting);
        within_limit(buckets.rows())?;
        let (fed_span, memory_bytes) = (buckets.span(), setting.memory_bytes);
        Ok(Self { chart, buckets, fed_span, groups: Groups::new(), grown: 0, memory_bytes })
    }

    /// Takes in a record that occurs so many times. A row without a time is left out.
    pub(super) fn push(&mut self, record: &Record<'_>, times: u64) {
        if let Some(filed) = record.filed() {
            self.push_at(filed, record, times);
        }
    }

    /// As [`Self::push`], of a record in a bucket of [`Self::bucket_key`]. Where buckets begin is as good as any time in them: longer
    /// ones, which the chart may change to, hold them whole.
    pub(super) fn push_bucket(&mut self, bucket: i64, record: &Record<'_>, times: u64) {
        self.push_at(span::start(bucket, self.fed_span), record, times);
    }

    fn push_at(&mut self, time: Timestamp, record: &Record<'_>, times: u64) {
        let bucket = Value::Int(self.bucket(time));
        let Self { chart: Timechart { aggregates, by, .. }, groups, grown, .. } = self;
        let mut add = |key: &[Cow<'_, Value>]| {
            let cell = cell(groups, key, aggregates);
            cell.events += times;
            for (state, aggregate) in cell.states.iter_mut().zip(&*aggregates) {
                *grown += state.add(aggregate, record, times);
            }
        };
        each_key(record, by.as_slice(), |series| match series {
            [] => add(&[Cow::Borrowed(&bucket)]),
            [series, ..] => add(&[Cow::Borrowed(&bucket), Cow::Borrowed(series)]),
        });
    }

    /// The bucket of a time; the buckets may grow to hold it.
    fn bucket(&mut self, filed: Timestamp) -> i64 {
        self.take_in(filed);
        self.buckets.of(filed)
    }

    /// Makes sure that the chart holds a time.
    pub(super) fn take_in(&mut self, time: Timestamp) {
        let span = self.buckets.span();
        if self.buckets.take_in(time) {
            let finer = std::mem::replace(&mut self.groups, Groups::new());
            self.grown = 0;
            self.add_cells(finer, span);
        }
    }

    /// Adds cells of buckets that are `span` long, or a part of ours.
    fn add_cells(&mut self, cells: Groups<Cell>, span: i64) {
        for (mut key, cell) in cells.into_values() {
            if let Some(Value::Int(bucket)) = key.first_mut() {
                *bucket = self.buckets.of(span::start(*bucket, span));
            }
            let key: Vec<_> = key.into_iter().map(Cow::Owned).collect();
            self.grown += cell.grown();
            let own = self::cell(&mut self.groups, &key, &self.chart.aggregates);
            own.merge(cell, &mut self.grown);
        }
    }

    /// One like this that has seen nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self {
            chart: self.chart.clone(),
            buckets: self.buckets.clone(),
            fed_span: self.buckets.span(),
            groups: self.groups.fork(),
            ..*self
        }
    }

    /// Takes in what a fork has seen, whose buckets are never longer once ours hold the same times.
    pub(super) fn merge(&mut self, other: Self) {
        for time in other.buckets.ends() {
            self.take_in(time);
        }
        if other.buckets.span() != self.buckets.span() {
            return self.add_cells(other.groups, other.buckets.span());
        }
        let grown = &mut self.grown;
        *grown += other.grown;
        self.groups.merge(other.groups, |own, their| own.merge(their, grown));
    }

    /// The buckets that [`Self::push_bucket`] is to be given.
    pub(super) fn bucket_key(&self) -> GroupKey {
        let origin = Timestamp::from_nanos(span::offset(self.fed_span));
        GroupKey::Bucket { origin, span_nanos: self.fed_span }
    }

    /// The fields that it looks at.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let Timechart { aggregates, by, .. } = &self.chart;
        let of = aggregates.iter().filter_map(|aggregate| aggregate.field.as_deref());
        by.iter().map(|key| &*key.field).chain(of)
    }

    pub(super) fn bytes(&self) -> usize {
        let states = size_of::<State>() * self.chart.aggregates.len() * self.groups.len();
        self.groups.bytes() + states + self.grown
    }

    pub(super) fn finish(self) -> Result<Rows, PipeError> {
        let Self { chart, buckets, groups, memory_bytes, .. } = self;
        within_limit(buckets.rows())?;
        let cells: Vec<_> = groups.into_values().filter_map(|(key, cell)| placed(key, cell)).collect();
        let series = Series::of(&chart, &cells);
        if series.table_bytes(&chart, buckets.rows()) > memory_bytes {
            return Err(PipeError::Memory { pipe: "timechart", limit_bytes: memory_bytes });
        }
        let mut table: BTreeMap<i64, HashMap<usize, Cell>> = BTreeMap::new();
        for (bucket, value, cell) in cells {
            let row = table.entry(bucket).or_default();
            match row.entry(series.column(&value)) {
                std::collections::hash_map::Entry::Occupied(mut there) => there.get_mut().merge(cell, &mut 0),
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(cell);
                }
            }
        }
        let mut rows = Rows::new(series.names(&chart));
        for bucket in buckets.range() {
            let mut found = table.remove(&bucket).unwrap_or_default();
            let mut row = vec![Value::Time(buckets.start(bucket))];
            for column in 0..series.len() {
                let states =
                    found.remove(&column).map_or_else(|| states(&chart.aggregates), |cell| cell.states);
                row.extend(values(states, &chart.aggregates, &mut rows.inexact_because));
            }
            rows.rows.push(row);
        }
        Ok(rows)
    }
}

fn within_limit(buckets: u64) -> Result<(), PipeError> {
    if buckets > MAX_ROWS { Err(PipeError::Buckets { buckets, limit: MAX_ROWS }) } else { Ok(()) }
}

fn cell<'g>(groups: &'g mut Groups<Cell>, key: &[Cow<'_, Value>], aggregates: &[Aggregate]) -> &'g mut Cell {
    groups.state(key, || Cell { events: 0, states: states(aggregates) })
}

impl Cell {
    fn merge(&mut self, other: Self, grown: &mut usize) {
        self.events += other.events;
        merge(&mut self.states, other.states, grown);
    }

    /// By how many bytes its states have grown.
    fn grown(&self) -> usize {
        self.states.iter().map(State::grown).sum()
    }
}

fn placed(key: Vec<Value>, cell: Cell) -> Option<(i64, Option<Value>, Cell)> {
    let mut key = key.into_iter();
    match key.next()? {
        Value::Int(bucket) => Some((bucket, key.next(), cell)),
        _ => None,
    }
}

/// Which series have a column.
struct Series {
    /// The values that have one, most events first. Nothing without `by`.
    values: Option<Vec<Value>>,
    /// Whether there are more, together in `other`.
    other: bool,
}

impl Series {
    fn of(chart: &Timechart, cells: &[(i64, Option<Value>, Cell)]) -> Self {
        if chart.by.is_none() {
            return Self { values: None, other: false };
        }
        let mut totals = Groups::new();
        for (_, value, cell) in cells {
            let series: Vec<_> = value.iter().map(Cow::Borrowed).collect();
            *totals.state(&series, || 0u64) += cell.events;
        }
        let other = totals.len() > chart.limit;
        let totals = totals.greatest(chart.limit);
        Self { values: Some(totals.into_iter().flat_map(|(key, _)| key).collect()), other }
    }

    fn len(&self) -> usize {
        self.values.as_ref().map_or(1, |values| values.len() + usize::from(self.other))
    }

    /// What the table will take: a value in each cell and once more as it is answered, and the names, which are the values of
    /// the series once for every function.
    fn table_bytes(&self, chart: &Timechart, buckets: u64) -> usize {
        let rows = usize::try_from(buckets).unwrap_or(usize::MAX);
        let columns = self.len().saturating_mul(chart.aggregates.len()).saturating_add(1);
        let cell = size_of::<Value>() + size_of::<serde_json::Value>();
        let names: usize =
            self.values.iter().flatten().map(|value| size_of::<String>() + value.heap_bytes()).sum();
        rows.saturating_mul(columns)
            .saturating_mul(cell)
            .saturating_add(names.saturating_mul(chart.aggregates.len()))
    }

    fn column(&self, value: &Option<Value>) -> usize {
        match (&self.values, value) {
            (Some(values), Some(value)) => {
                values.iter().position(|known| super::order::same(known, value)).unwrap_or(values.len())
            }
            _ => 0,
        }
    }

    fn names(&self, chart: &Timechart) -> Vec<String> {
        let functions = || chart.aggregates.iter().map(|aggregate| aggregate.name.to_string());
        let time = std::iter::once(name::TIME.to_owned());
        let Some(values) = &self.values else { return time.chain(functions()).collect() };
        let series = values.iter().map(|value| match value {
            Value::Null => "null".to_owned(),
            value => value.to_string(),
        });
        let series = series.chain(self.other.then(|| "other".to_owned()));
        let columns = series.flat_map(|series| {
            functions().map(move |function| match chart.aggregates.len() {
                1 => series.clone(),
                _ => format!("{function}: {series}"),
            })
        });
        time.chain(columns).collect()
    }
}
