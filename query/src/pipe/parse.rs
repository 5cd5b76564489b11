//! Text to [`Query`].

#[cfg(test)]
mod tests;

use std::ops::Range;

use locard_event::{Timestamp, name};
use locard_filter::{Filter, MAX_QUERY_BYTES, Predicate, Spent, SyntaxError, Test, TimePoint};

use super::aggregate::Aggregate;
use super::context::Context;
use super::decode::Decode;
use super::dedup::Dedup;
use super::eval::Eval;
use super::fields::Fields;
use super::join::Join;
use super::key::Key;
use super::lookup::Lookup;
use super::patterns::Patterns;
use super::read::Reader;
use super::rename::Rename;
use super::rex::Rex;
use super::sort::Sort;
use super::stats::Stats;
use super::timechart::Timechart;
use super::top::Top;
use super::transaction::Transaction;
use super::{Pipe, Query};

/// Most pipes in one query.
const MAX_PIPES: usize = 32;
/// Most joins and lookups in one query: each holds a table.
const MAX_TABLES: usize = 8;
const PIPES: [&str; 18] = [
    "where",
    "stats",
    "top",
    "rare",
    "timechart",
    "patterns",
    "sort",
    "limit",
    "fields",
    "rename",
    "dedup",
    "rex",
    "parse",
    "eval",
    "lookup",
    "join",
    "context",
    "transaction",
];
/// What other languages call these pipes.
const ELSEWHERE: [(&str, &str); 18] = [
    ("head", "limit"),
    ("take", "limit"),
    ("table", "fields"),
    ("project", "fields"),
    ("keep", "fields"),
    ("count", "stats"),
    ("summarize", "stats"),
    ("order", "sort"),
    ("search", "where"),
    ("filter", "where"),
    ("cluster", "patterns"),
    ("pattern", "patterns"),
    ("uniq", "dedup"),
    ("distinct", "dedup"),
    ("extend", "eval"),
    ("spath", "parse json"),
    ("extract", "rex"),
    ("bottom", "rare"),
];

/// Reads a whole query. Spans of errors are of the whole text. Every `where` that comes first is joined to the filter.
///
/// # Errors
/// The filter or a pipe cannot be read.
pub fn parse(query: &str) -> Result<Query, SyntaxError> {
    read(query).map_err(|error| match &error.fix {
        // What is offered as a fix must be one.
        Some(fix) if read(fix).is_err() => SyntaxError { fix: None, ..error },
        _ => error,
    })
}

fn read(query: &str) -> Result<Query, SyntaxError> {
    if query.len() > MAX_QUERY_BYTES {
        // The filter says so, however short it is itself.
        locard_filter::parse(query)?;
    }
    let mut spent = Spent::default();
    let (mut filter, end) = locard_filter::parse_prefix_within(query, &mut spent)?;
    let mut reader = Reader::new(query, end).spent(spent);
    let mut count = 0;
    let mut pipes: Vec<Pipe> = Vec::new();
    while reader.eat('|') {
        reader.peek();
        let start = reader.position();
        let read = pipe(&mut reader)?;
        check_place(&read, &pipes, start..reader.position())?;
        match read {
            Pipe::Where(more) if pipes.is_empty() => filter = filter.and(more),
            Pipe::Fields(Fields::Keep(names)) => {
                // `a as b` is a name that is given before.
                pipes.extend(reader.renamed().map(Pipe::Rename));
                pipes.push(Pipe::Fields(Fields::Keep(names)));
            }
            Pipe::Join(join) => {
                let number = pipes.iter().filter(|pipe| matches!(pipe, Pipe::Join(_))).count();
                pipes.push(Pipe::Join(Join { number, ..join }));
            }
            Pipe::Patterns(Patterns { new_since: Some(_), .. }) if pipes.iter().any(gathers) => {
                return Err(SyntaxError::new(start..reader.position(), "`patterns new` comes too late")
                    .hint("put it before pipes that sort events or make rows of them"));
            }
            pipe => pipes.push(pipe),
        }
        if !reader.at_end() {
            return Err(reader.expected("a pipe or the end").hint("write | before the next pipe"));
        }
        count += 1;
        if count > MAX_PIPES {
            let at = reader.position();
            return Err(SyntaxError::new(at..at, format!("more than {MAX_PIPES} pipes")).hint("use fewer"));
        }
    }
    Ok(Query { filter, pipes })
}

/// Refuses a pipe where it cannot do what it does.
fn check_place(pipe: &Pipe, before: &[Pipe], span: Range<usize>) -> Result<(), SyntaxError> {
    let error = |message: &str, hint: &str| Err(SyntaxError::new(span.clone(), message).hint(hint));
    let rows = before.iter().any(makes_rows);
    match pipe {
        Pipe::Context(_) if rows => error("`context` needs events", "put it before pipes that make rows"),
        Pipe::Transaction(_) if rows => {
            error("`transaction` needs events", "put it before pipes that make rows")
        }
        Pipe::Join(join)
            if join.query.pipes.iter().any(|pipe| matches!(pipe, Pipe::Join(_) | Pipe::Context(_))) =>
        {
            error("a `join` or `context` within a `join`", "write the inner one as a search of its own")
        }
        Pipe::Join(_) | Pipe::Lookup(_) => {
            let tables = before.iter().filter(|pipe| matches!(pipe, Pipe::Join(_) | Pipe::Lookup(_))).count();
            if tables < MAX_TABLES {
                return Ok(());
            }
            error(&format!("more than {MAX_TABLES} joins and lookups"), "split the query")
        }
        _ => Ok(()),
    }
}

/// Whether it makes rows of events.
pub(super) fn makes_rows(pipe: &Pipe) -> bool {
    matches!(
        pipe,
        Pipe::Stats(_) | Pipe::Top(_) | Pipe::Timechart(_) | Pipe::Patterns(_) | Pipe::Transaction(_)
    )
}

/// Whether what follows the pipe no longer works on the events that the filter finds, as they are found.
fn gathers(pipe: &Pipe) -> bool {
    !matches!(
        pipe,
        Pipe::Where(_)
            | Pipe::Limit(_)
            | Pipe::Fields(_)
            | Pipe::Rename(_)
            | Pipe::Rex(_)
            | Pipe::Parse(_)
            | Pipe::Eval(_)
            | Pipe::Lookup(_)
            | Pipe::Join(_)
            | Pipe::Dedup(_)
    )
}

fn pipe(reader: &mut Reader<'_>) -> Result<Pipe, SyntaxError> {
    let Some((word, span)) = reader.identifier() else {
        return Err(reader.expected("a pipe").hint(format!("the pipes are {}", PIPES.join(", "))));
    };
    Ok(match word.to_ascii_lowercase().as_str() {
        "where" => Pipe::Where(condition(reader)?),
        "stats" => Pipe::Stats(Stats::parse(reader)?),
        "top" => Pipe::Top(Top::parse(reader)?),
        "rare" => Pipe::Top(super::rare::parse(reader)?),
        "timechart" => Pipe::Timechart(Timechart::parse(reader)?),
        "patterns" => Pipe::Patterns(Patterns::parse(reader)?),
        "sort" => Pipe::Sort(Sort::parse(reader)?),
        "limit" => Pipe::Limit(limit(reader)?),
        "fields" => Pipe::Fields(Fields::parse(reader)?),
        "rename" => Pipe::Rename(Rename::parse(reader)?),
        "dedup" => Pipe::Dedup(Dedup::parse(reader)?),
        "rex" => Pipe::Rex(Rex::parse(reader)?),
        "parse" => Pipe::Parse(Decode::parse(reader)?),
        "eval" => Pipe::Eval(Eval::parse(reader)?),
        "lookup" => Pipe::Lookup(Lookup::parse(reader)?),
        "join" => Pipe::Join(Join::parse(reader)?),
        "context" => Pipe::Context(Context::parse(reader)?),
        "transaction" => Pipe::Transaction(Transaction::parse(reader)?),
        other => return Err(unknown(reader, word, other, span)),
    })
}

fn unknown(reader: &Reader<'_>, word: &str, lower: &str, span: Range<usize>) -> SyntaxError {
    match ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == lower) {
        Some((_, here)) => reader.replace(span, format!("unknown pipe `{word}`"), here),
        None => reader.unknown("pipe", word, span, &PIPES),
    }
}

fn condition(reader: &mut Reader<'_>) -> Result<Filter, SyntaxError> {
    if reader.at_end() {
        return Err(reader.expected("a filter").hint("as in where count>20"));
    }
    reader.filter()
}

fn limit(reader: &mut Reader<'_>) -> Result<usize, SyntaxError> {
    match reader.number() {
        Some((limit, _)) => Ok(limit),
        None => Err(reader.expected("a number").hint("as in limit 10")),
    }
}

/// What a pipe looks at, and what it makes.
pub(crate) struct Looks {
    /// The fields it looks at.
    pub(crate) reads: Vec<String>,
    /// The fields it makes.
    pub(crate) makes: Vec<String>,
    /// Whether what is behind it works on other things than events.
    pub(crate) ends: bool,
}

/// What a pipe looks at and makes; nothing if it may make anything.
pub(crate) fn reads(pipe: &Pipe) -> Option<Looks> {
    let keys = |keys: &[Key]| keys.iter().map(|key| key.field.to_string()).collect::<Vec<_>>();
    let of = |aggregates: &[Aggregate]| -> Vec<String> {
        aggregates.iter().filter_map(|aggregate| aggregate.field.as_deref()).map(str::to_owned).collect()
    };
    let mut looks = Looks { reads: Vec::new(), makes: Vec::new(), ends: makes_rows(pipe) };
    match pipe {
        Pipe::Stats(stats) => looks.reads = [keys(&stats.by), of(&stats.aggregates)].concat(),
        Pipe::Top(top) => looks.reads = keys(&top.fields),
        Pipe::Timechart(chart) => looks.reads = [keys(chart.by.as_slice()), of(&chart.aggregates)].concat(),
        Pipe::Dedup(dedup) => looks.reads = keys(&dedup.keys),
        Pipe::Transaction(transaction) => looks.reads = keys(&transaction.by),
        Pipe::Sort(sort) => looks.reads = sort.keys.iter().map(|key| key.column.to_string()).collect(),
        Pipe::Where(filter) => {
            looks.reads = filter.fields().unwrap_or_default().into_iter().map(str::to_owned).collect()
        }
        Pipe::Rename(rename) => {
            let names = rename.names.iter().map(|(from, to)| (from.to_string(), to.to_string()));
            (looks.reads, looks.makes) = names.unzip();
        }
        Pipe::Rex(rex) => {
            looks.reads.push(rex.field.to_string());
            looks.makes = rex.names().map(str::to_owned).collect();
        }
        Pipe::Eval(eval) => {
            for assignment in &eval.assignments {
                let made = &looks.makes;
                assignment.expression.fields(&mut |name| {
                    if !made.iter().any(|made| made == name) {
                        looks.reads.push(name.to_owned());
                    }
                });
                looks.makes.push(assignment.name.to_string());
            }
        }
        Pipe::Parse(_) | Pipe::Lookup(_) | Pipe::Join(_) => return None,
        Pipe::Fields(_) | Pipe::Limit(_) | Pipe::Patterns(_) | Pipe::Context(_) => {}
    }
    Some(looks)
}

/// The range of time outside of which a resolved filter matches nothing, as far as its clauses on `_time` say so:
/// what a chart of the events should span. Events whose time is not credible are filed elsewhere.
pub fn time_range(filter: &Filter) -> Range<Timestamp> {
    let all = Timestamp::MIN..Timestamp::MAX;
    match filter {
        Filter::And(parts) => parts.iter().map(time_range).fold(all, |all, part| {
            let start = all.start.max(part.start);
            start..all.end.min(part.end)
        }),
        Filter::Is(Predicate { field: Some(field), test: Test::Time(range) })
            if matches!(&**field, name::TIME | name::TIMESTAMP) =>
        {
            let at = |point: Option<TimePoint>, open| match point {
                Some(TimePoint::At(time)) => time,
                _ => open,
            };
            at(range.from, Timestamp::MIN)..at(range.to, Timestamp::MAX)
        }
        _ => all,
    }
}
