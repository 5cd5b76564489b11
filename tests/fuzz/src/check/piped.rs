//! Pipes over events: they stay within their memory, tables are rectangles, and events one by one, groups of them, and parts that are
//! merged afterwards all make the same.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use locard_event::{Event, Timestamp, Value};
use locard_query::pipe::{Flow, LookupTable, Needs, Outcome, Pipe, PipeError, Pipeline, Setting, Tables};
use locard_store::{GroupKey, pattern_of};

use super::kind;
use crate::ground::NOW;

const MEMORY_BYTES: usize = 1 << 20;
/// What one event may add before the limit is looked at.
const SLACK_BYTES: usize = 1 << 20;

/// Runs pipes, up to the first that searches by itself, over events that come newest first; says what came out.
pub(super) fn run(
    pipes: &[Pipe],
    events: &[Cow<'_, Event>],
    tables: &[(&'static str, Arc<LookupTable>)],
) -> Result<String, String> {
    let alone = pipes.iter().position(|pipe| matches!(pipe, Pipe::Context(_))).unwrap_or(pipes.len());
    let pipes = pipes.get(..alone).unwrap_or_default();
    let lookups: HashMap<Box<str>, _> =
        tables.iter().map(|(name, table)| ((*name).into(), Arc::clone(table))).collect();
    let setting = Setting {
        memory_bytes: MEMORY_BYTES,
        page: 20,
        filed: Timestamp::MIN..Timestamp::MAX,
        now: NOW,
        tables: Tables { lookups, joins: Vec::new() },
    };
    let pipeline = match Pipeline::new(pipes, &setting) {
        Ok(pipeline) => pipeline,
        Err(error) => return Ok(kind(&error.to_string())),
    };
    let needs = pipeline.needs();
    let outcome = one_by_one(pipeline, &needs, events)?;
    if let Needs::Groups(keys) = &needs {
        let new = || Pipeline::new(pipes, &setting).map_err(|error| error.to_string());
        check_same("groups", &outcome, grouped(new()?, keys, events))?;
    }
    if matches!(needs, Needs::Groups(_) | Needs::Patterns | Needs::Events { ordered: false, at_most: None }) {
        let whole = Pipeline::new(pipes, &setting).map_err(|error| error.to_string())?;
        check_same("merged parts", &outcome, forked(whole, events))?;
    }
    match outcome {
        Ok(outcome) => shape(&outcome),
        Err(error) => Ok(kind(&error.to_string())),
    }
}

/// Feeds events as a search does.
fn one_by_one(
    mut pipeline: Pipeline,
    needs: &Needs,
    events: &[Cow<'_, Event>],
) -> Result<Result<Outcome, PipeError>, String> {
    let most = match needs {
        Needs::Count => {
            pipeline.push_count(events.len() as u64);
            0
        }
        Needs::Events { at_most, .. } => at_most.unwrap_or(usize::MAX),
        Needs::Groups(_) | Needs::Patterns => usize::MAX,
    };
    for event in events.iter().take(most) {
        match pipeline.push_event(event) {
            Ok(Flow::Enough) => break,
            Ok(Flow::More) if pipeline.bytes() > MEMORY_BYTES + SLACK_BYTES => {
                return Err(format!("{} bytes are held, {MEMORY_BYTES} are allowed", pipeline.bytes()));
            }
            Ok(Flow::More) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(pipeline.finish())
}

fn grouped(
    mut pipeline: Pipeline,
    keys: &[GroupKey],
    events: &[Cow<'_, Event>],
) -> Result<Outcome, PipeError> {
    for event in events {
        let values: Vec<Value> = keys.iter().map(|key| value_of(event, key)).collect();
        pipeline.push_group(&values, 1)?;
    }
    pipeline.finish()
}

/// What a split says of an event in a group.
fn value_of(event: &Event, key: &GroupKey) -> Value {
    match key {
        GroupKey::Field(field) => event.get(field).map_or(Value::Null, Cow::into_owned),
        GroupKey::Bucket { origin, span_nanos } => {
            Value::Int((event.filed().nanos() - origin.nanos()).div_euclid(*span_nanos))
        }
        GroupKey::Pattern => {
            pattern_of(&event.message).map_or(Value::Null, |(id, _)| Value::str(format!("{id:016x}")))
        }
    }
}

fn forked(mut whole: Pipeline, events: &[Cow<'_, Event>]) -> Result<Outcome, PipeError> {
    for part in events.chunks(events.len().div_ceil(2).max(1)) {
        let mut fork = whole.fork();
        for event in part {
            fork.push_event(event)?;
        }
        whole.merge(fork)?;
    }
    whole.finish()
}

/// How much memory each way takes may differ; what comes out may not.
fn check_same(
    how: &str,
    expected: &Result<Outcome, PipeError>,
    found: Result<Outcome, PipeError>,
) -> Result<(), String> {
    match (expected, found) {
        (Ok(expected), Ok(found)) if *expected != found => {
            Err(format!("{how} make {found:?}, events one by one {expected:?}"))
        }
        _ => Ok(()),
    }
}

fn shape(outcome: &Outcome) -> Result<String, String> {
    match outcome {
        Outcome::Events { events, .. } => {
            let fields = events.first().map_or(0, |event| event.fields.len());
            Ok(format!("events {} {fields}", events.len().min(2)))
        }
        Outcome::Table(table) => {
            let columns = table.columns.len();
            match table.rows.iter().find(|row| row.len() != columns) {
                Some(row) => Err(format!("a row of {} cells in a table of {columns} columns", row.len())),
                None => Ok(format!("table {} {}", columns.min(5), table.rows.len().min(3))),
            }
        }
    }
}
