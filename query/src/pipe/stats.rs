//! `stats count() as n, dc(user.name) by host.name`: functions of all records, or of each group.
//!
//! Rows come in the order of their groups. A record without one of the fields is in the group null: no record is left out.

#[cfg(test)]
mod tests;

use locard_event::Value;
use locard_filter::SyntaxError;

use super::aggregate::Aggregate;
use super::group::{Groups, each_key};
use super::key::Key;
use super::read::Reader;
use super::record::Record;
use super::rows::Rows;
use super::state::State;

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// What is computed; at least one.
    pub aggregates: Vec<Aggregate>,
    /// For each group of records that agree in these.
    pub by: Vec<Key>,
}

impl Stats {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let mut aggregates = vec![Aggregate::parse(reader)?];
        let mut by = Vec::new();
        loop {
            let comma = reader.eat(',');
            if !comma && reader.at_end() {
                return Ok(Self { aggregates, by });
            }
            if !comma && reader.keyword("by") {
                by = Key::parse_list(reader)?;
                return Ok(Self { aggregates, by });
            }
            Aggregate::parse_into(&mut aggregates, reader)?;
        }
    }

    /// Whether the number of events is all it asks.
    pub(super) fn only_counts(&self) -> bool {
        self.by.is_empty() && self.aggregates.iter().all(Aggregate::only_counts)
    }
}

/// The pipe at work.
#[derive(Debug)]
pub(super) struct StatsWork {
    stats: Stats,
    groups: Groups<Vec<State>>,
    /// What the states have grown by.
    grown: usize,
}

impl StatsWork {
    pub(super) fn new(stats: Stats) -> Self {
        let mut groups = Groups::new();
        if stats.by.is_empty() {
            // Without groups there is always a row, whatever is fed.
            groups.state(&[], || states(&stats.aggregates));
        }
        Self { stats, groups, grown: 0 }
    }

    /// Takes in a record that occurs so many times.
    pub(super) fn push(&mut self, record: &Record<'_>, times: u64) {
        let Self { stats: Stats { aggregates, by }, groups, grown } = self;
        each_key(record, by, |key| {
            let states = groups.state(key, || states(aggregates));
            for (state, aggregate) in states.iter_mut().zip(&*aggregates) {
                *grown += state.add(aggregate, record, times);
            }
        });
    }

    /// One like this that has seen nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self { stats: self.stats.clone(), groups: self.groups.fork(), grown: 0 }
    }

    /// Takes in what a fork has seen.
    pub(super) fn merge(&mut self, other: Self) {
        let grown = &mut self.grown;
        *grown += other.grown;
        self.groups.merge(other.groups, |own, their| merge(own, their, grown));
    }

    pub(super) fn push_count(&mut self, records: u64) {
        let states = self.groups.state(&[], || states(&self.stats.aggregates));
        states.iter_mut().for_each(|state| state.add_count(records));
    }

    pub(super) fn only_counts(&self) -> bool {
        self.stats.only_counts()
    }

    /// The fields that it looks at.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let Stats { aggregates, by } = &self.stats;
        let of = aggregates.iter().filter_map(|aggregate| aggregate.field.as_deref());
        by.iter().map(|key| &*key.field).chain(of)
    }

    pub(super) fn bytes(&self) -> usize {
        let states = size_of::<State>() * self.stats.aggregates.len() * self.groups.len();
        self.groups.bytes() + states + self.grown
    }

    pub(super) fn finish(self) -> Rows {
        let Stats { aggregates, by } = self.stats;
        let names = aggregates.iter().map(|aggregate| aggregate.name.to_string());
        let mut rows = Rows::new(by.iter().map(Key::name).chain(names).collect());
        for (mut cells, states) in self.groups.sorted(aggregates.len()) {
            cells.extend(values(states, &aggregates, &mut rows.inexact_because));
            rows.rows.push(cells);
        }
        rows
    }
}

pub(super) fn states(aggregates: &[Aggregate]) -> Vec<State> {
    aggregates.iter().map(State::new).collect()
}

/// Merges states of the same functions, of which those on both sides take `grown` bytes.
pub(super) fn merge(own: &mut [State], their: Vec<State>, grown: &mut usize) {
    for (own, their) in own.iter_mut().zip(their) {
        *grown = grown.saturating_sub(their.grown());
        *grown += own.merge(their);
    }
}

/// The values of states; notes the first reason why one is an estimate.
pub(super) fn values(
    states: Vec<State>,
    aggregates: &[Aggregate],
    inexact_because: &mut Option<String>,
) -> Vec<Value> {
    let pairs = states.into_iter().zip(aggregates);
    pairs
        .map(|(state, aggregate)| {
            if inexact_because.is_none() {
                *inexact_because = state.inexact(aggregate);
            }
            state.value()
        })
        .collect()
}
