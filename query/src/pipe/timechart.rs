//! `timechart span=15m count() by host.name limit=5`: functions over time, a row a bucket, empty buckets included.
//!
//! Events stand under [`locard_event::Event::filed`]. Buckets begin at multiples of the span since 1970 in UTC, weeks on Mondays.
//! The series with the most events have a column each; what remains is together in `other`.

mod span;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use locard_event::{Timestamp, Value, name};
use locard_filter::SyntaxError;

use super::aggregate::{Aggregate, State};
use super::group::{Groups, compare_keys, keys};
use super::read::Reader;
use super::record::Record;
use super::rows::Rows;
use super::stats::{states, values};
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
    /// A series for each value of this field.
    pub by: Option<Box<str>>,
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
                chart.by = Some(reader.field("a field name")?);
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

    /// Whether the times of the events are all it asks.
    pub(super) fn only_times(&self) -> bool {
        self.by.is_none() && self.aggregates.iter().all(Aggregate::only_counts)
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
    /// By bucket, and by series if there are any.
    groups: Groups<Cell>,
    grown: usize,
    memory_bytes: usize,
}

impl TimechartWork {
    pub(super) fn new(chart: Timechart, setting: &Setting) -> Result<Self, PipeError> {
        let buckets = Buckets::new(chart.span, setting);
        within_limit(buckets.rows())?;
        Ok(Self { chart, buckets, groups: Groups::new(), grown: 0, memory_bytes: setting.memory_bytes })
    }

    /// A row without a time is left out.
    pub(super) fn push(&mut self, record: &Record<'_>) {
        let Some(filed) = record.filed() else { return };
        let bucket = self.bucket(filed);
        for series in keys(record, self.chart.by.as_slice()) {
            let key = std::iter::once(Value::Int(bucket)).chain(series).collect();
            let cell = cell(&mut self.groups, key, &self.chart.aggregates);
            cell.events += 1;
            for (state, aggregate) in cell.states.iter_mut().zip(&self.chart.aggregates) {
                self.grown += state.add(aggregate, record);
            }
        }
    }

    pub(super) fn push_time(&mut self, filed: Timestamp) {
        let bucket = self.bucket(filed);
        let cell = cell(&mut self.groups, vec![Value::Int(bucket)], &self.chart.aggregates);
        cell.events += 1;
        cell.states.iter_mut().for_each(|state| state.add_count(1));
    }

    /// The bucket of a time; the buckets may grow to hold it.
    fn bucket(&mut self, filed: Timestamp) -> i64 {
        if self.buckets.take_in(filed) {
            let old = std::mem::replace(&mut self.groups, Groups::new());
            for (mut key, coarser) in old.into_values() {
                if let Some(Value::Int(bucket)) = key.first_mut() {
                    *bucket = self.buckets.of(self.buckets.old_start(*bucket));
                }
                cell(&mut self.groups, key, &self.chart.aggregates).merge(coarser);
            }
        }
        self.buckets.of(filed)
    }

    pub(super) fn only_times(&self) -> bool {
        self.chart.only_times()
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
                std::collections::hash_map::Entry::Occupied(mut there) => there.get_mut().merge(cell),
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

fn cell<'g>(groups: &'g mut Groups<Cell>, key: Vec<Value>, aggregates: &[Aggregate]) -> &'g mut Cell {
    groups.state(key, || Cell { events: 0, states: states(aggregates) })
}

impl Cell {
    fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.states.iter_mut().zip(other.states).for_each(|(own, their)| own.merge(their));
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
            *totals.state(value.iter().cloned().collect(), || 0u64) += cell.events;
        }
        let mut totals: Vec<_> = totals.into_values().collect();
        totals.sort_by(|(left, left_events), (right, right_events)| {
            right_events.cmp(left_events).then_with(|| compare_keys(left, right))
        });
        let other = totals.len() > chart.limit;
        totals.truncate(chart.limit);
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
            (Some(values), Some(value)) => values
                .iter()
                .position(|known| super::order::compare(known, value).is_eq())
                .unwrap_or(values.len()),
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
