//! [`Work`]: the pipe that gathers what comes through the steps before it.

#[cfg(test)]
mod tests;

use locard_event::{Event, Value, name};
use locard_store::GroupKey;

use super::patterns::PatternsWork;
use super::record::Record;
use super::sort::SortWork;
use super::stats::StatsWork;
use super::timechart::TimechartWork;
use super::top::TopWork;
use super::transaction::TransactionWork;
use super::{Needs, Pipe, PipeError, Setting, Shown};

/// What gathers events.
#[derive(Debug)]
pub(super) enum Work {
    Collect { events: Vec<Event>, bytes: usize },
    Sort(SortWork),
    Stats(StatsWork),
    Top(TopWork),
    Timechart(TimechartWork),
    Patterns(PatternsWork),
    Transaction(TransactionWork),
}

impl Work {
    pub(super) fn collect() -> Self {
        Self::Collect { events: Vec::new(), bytes: 0 }
    }

    pub(super) fn new(
        pipe: &Pipe,
        shown: &Shown,
        rest: &[Pipe],
        setting: &Setting,
    ) -> Result<Self, PipeError> {
        Ok(match pipe {
            Pipe::Sort(sort) => Self::Sort(SortWork::new(sort.clone(), shown.clone(), most(rest, setting))),
            Pipe::Stats(stats) => Self::Stats(StatsWork::new(stats.clone())),
            Pipe::Top(top) => Self::Top(TopWork::new(top.clone())),
            Pipe::Timechart(chart) => Self::Timechart(TimechartWork::new(chart.clone(), setting)?),
            Pipe::Patterns(patterns) => Self::Patterns(PatternsWork::new(*patterns, setting.now)),
            Pipe::Transaction(pipe) => {
                Self::Transaction(TransactionWork::new(pipe.clone(), shown.clone(), rest, setting)?)
            }
            _ => Self::collect(),
        })
    }

    /// The different fields whose values are all that it looks at, in the order they are first named. Others are null to it.
    pub(super) fn fields(&self, shown: &Shown) -> Vec<String> {
        let named: Vec<&str> = match self {
            Self::Stats(stats) => stats.fields().collect(),
            Self::Top(top) => top.fields().collect(),
            Self::Timechart(chart) => chart.fields().collect(),
            _ => Vec::new(),
        };
        let mut fields: Vec<String> = Vec::new();
        for name in named {
            if shown.shows(name) && !fields.iter().any(|field| field == name) {
                fields.push(name.to_owned());
            }
        }
        fields
    }

    /// What it can be fed instead of events, these being [`Self::fields`].
    pub(super) fn needs(&self, fields: &[String]) -> Option<Needs> {
        let bucket = match self {
            Self::Stats(stats) if stats.only_counts() => return Some(Needs::Count),
            Self::Stats(_) | Self::Top(_) => None,
            Self::Timechart(chart) => Some(chart.bucket_key()),
            Self::Patterns(_) => return Some(Needs::Patterns),
            Self::Collect { .. } | Self::Sort(_) | Self::Transaction(_) => return None,
        };
        let key = |field: &String| match field.as_str() {
            name::PATTERN => GroupKey::Pattern,
            field => GroupKey::Field(field.into()),
        };
        Some(Needs::Groups(bucket.into_iter().chain(fields.iter().map(key)).collect()))
    }

    pub(super) fn push(&mut self, event: &Event, shown: &Shown) {
        let record = Record::Event { event, shown };
        match self {
            Self::Collect { events, bytes } => {
                *bytes += event.heap_bytes();
                events.push(event.clone());
            }
            Self::Sort(sort) => sort.push(event),
            Self::Stats(stats) => stats.push(&record, 1),
            Self::Top(top) => top.push(&record, 1),
            Self::Timechart(chart) => chart.push(&record, 1),
            Self::Patterns(patterns) => patterns.push(&record),
            Self::Transaction(work) => work.push(event),
        }
    }

    /// Takes in so many events that have these values for what [`Self::needs`] asks.
    pub(super) fn push_group(&mut self, columns: &[String], values: &[Value], events: u64) {
        match self {
            Self::Stats(stats) => stats.push(&Record::Row { columns, cells: values }, events),
            Self::Top(top) => top.push(&Record::Row { columns, cells: values }, events),
            Self::Timechart(chart) => {
                if let Some((Value::Int(bucket), cells)) = values.split_first() {
                    chart.push_bucket(*bucket, &Record::Row { columns, cells }, events);
                }
            }
            _ => {}
        }
    }

    /// The bucket that comes first among the values of a group, if one was asked for, and the others.
    pub(super) fn bucket_of<'v>(&self, values: &'v [Value]) -> (Option<i64>, &'v [Value]) {
        match (self, values.split_first()) {
            (Self::Timechart(_), Some((Value::Int(bucket), values))) => (Some(*bucket), values),
            _ => (None, values),
        }
    }

    /// Takes in a record of a group that occurs so many times.
    pub(super) fn push_times(&mut self, bucket: Option<i64>, record: &Record<'_>, times: u64) {
        match (self, bucket) {
            (Self::Stats(stats), _) => stats.push(record, times),
            (Self::Top(top), _) => top.push(record, times),
            (Self::Timechart(chart), Some(bucket)) => chart.push_bucket(bucket, record, times),
            _ => {}
        }
    }

    /// One like this that has seen nothing yet.
    pub(super) fn fork(&self) -> Self {
        match self {
            Self::Collect { .. } => Self::collect(),
            Self::Sort(sort) => Self::Sort(sort.fork()),
            Self::Stats(stats) => Self::Stats(stats.fork()),
            Self::Top(top) => Self::Top(top.fork()),
            Self::Timechart(chart) => Self::Timechart(chart.fork()),
            Self::Patterns(patterns) => Self::Patterns(patterns.fork()),
            Self::Transaction(work) => Self::Transaction(work.fork()),
        }
    }

    /// Takes in what a fork has seen.
    pub(super) fn merge(&mut self, fork: Self) {
        match (self, fork) {
            (Self::Collect { events, bytes }, Self::Collect { events: more, bytes: more_bytes }) => {
                events.extend(more);
                *bytes += more_bytes;
            }
            (Self::Sort(own), Self::Sort(fork)) => own.merge(fork),
            (Self::Stats(own), Self::Stats(fork)) => own.merge(fork),
            (Self::Top(own), Self::Top(fork)) => own.merge(fork),
            (Self::Timechart(own), Self::Timechart(fork)) => own.merge(fork),
            (Self::Patterns(own), Self::Patterns(fork)) => own.merge(fork),
            (Self::Transaction(own), Self::Transaction(fork)) => own.merge(fork),
            _ => {}
        }
    }

    /// An error, which tells of the limit, if it holds more than it may and cannot do with less.
    pub(super) fn within(&mut self, may_bytes: usize, limit_bytes: usize) -> Result<(), PipeError> {
        if self.bytes() <= may_bytes {
            return Ok(());
        }
        self.shrink();
        if self.bytes() <= may_bytes {
            return Ok(());
        }
        Err(PipeError::Memory { pipe: self.name(), limit_bytes })
    }

    /// Lets go of what it can do without.
    pub(super) fn shrink(&mut self) {
        if let Self::Sort(sort) = self {
            sort.shrink();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Collect { bytes, .. } => *bytes,
            Self::Sort(sort) => sort.bytes(),
            Self::Stats(stats) => stats.bytes(),
            Self::Top(top) => top.bytes(),
            Self::Timechart(chart) => chart.bytes(),
            Self::Patterns(patterns) => patterns.bytes(),
            Self::Transaction(work) => work.bytes(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Collect { .. } => "limit",
            Self::Sort(_) => "sort",
            Self::Stats(_) => "stats",
            Self::Top(_) => "top",
            Self::Timechart(_) => "timechart",
            Self::Patterns(_) => "patterns",
            Self::Transaction(_) => "transaction",
        }
    }
}

/// How many sorted events the pipes behind can use; nothing if it may be all of them.
fn most(rest: &[Pipe], setting: &Setting) -> Option<usize> {
    let leaves_all = |pipe: &&Pipe| {
        matches!(
            pipe,
            Pipe::Fields(_)
                | Pipe::Rename(_)
                | Pipe::Eval(_)
                | Pipe::Rex(_)
                | Pipe::Parse(_)
                | Pipe::Lookup(_)
        )
    };
    match rest.iter().find(|pipe| !leaves_all(pipe)) {
        None => Some(setting.page),
        Some(Pipe::Limit(limit)) => Some(*limit),
        Some(_) => None,
    }
}
