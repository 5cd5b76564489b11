//! Text to [`Query`].

#[cfg(test)]
mod tests;

use std::ops::Range;

use locard_event::{Timestamp, name};
use locard_filter::{Filter, MAX_QUERY_BYTES, Predicate, Spent, SyntaxError, Test, TimePoint};

use super::fields::Fields;
use super::patterns::Patterns;
use super::read::Reader;
use super::sort::Sort;
use super::stats::Stats;
use super::timechart::Timechart;
use super::top::Top;
use super::{Pipe, Query};

/// Most pipes in one query.
const MAX_PIPES: usize = 32;
const PIPES: [&str; 8] = ["where", "stats", "top", "timechart", "patterns", "sort", "limit", "fields"];
/// Pipes of the language that do not exist yet.
const PLANNED: [&str; 8] = ["rare", "dedup", "rex", "parse", "eval", "context", "transaction", "lookup"];
/// What other languages call these pipes.
const ELSEWHERE: [(&str, &str); 12] = [
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
    let mut pipes = Vec::new();
    while reader.eat('|') {
        reader.peek();
        let start = reader.position();
        match pipe(&mut reader)? {
            Pipe::Where(more) if pipes.is_empty() => filter = filter.and(more),
            Pipe::Patterns(Patterns { new_since: Some(_) }) if pipes.iter().any(gathers) => {
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

/// Whether what follows the pipe no longer works on the events that the filter finds, as they are found.
fn gathers(pipe: &Pipe) -> bool {
    !matches!(pipe, Pipe::Where(_) | Pipe::Limit(_) | Pipe::Fields(_))
}

fn pipe(reader: &mut Reader<'_>) -> Result<Pipe, SyntaxError> {
    let Some((word, span)) = reader.identifier() else {
        return Err(reader.expected("a pipe").hint(format!("the pipes are {}", PIPES.join(", "))));
    };
    Ok(match word.to_ascii_lowercase().as_str() {
        "where" => Pipe::Where(condition(reader)?),
        "stats" => Pipe::Stats(Stats::parse(reader)?),
        "top" => Pipe::Top(Top::parse(reader)?),
        "timechart" => Pipe::Timechart(Timechart::parse(reader)?),
        "patterns" => Pipe::Patterns(Patterns::parse(reader)?),
        "sort" => Pipe::Sort(Sort::parse(reader)?),
        "limit" => Pipe::Limit(limit(reader)?),
        "fields" => Pipe::Fields(Fields::parse(reader)?),
        other => return Err(unknown(reader, word, other, span)),
    })
}

fn unknown(reader: &Reader<'_>, word: &str, lower: &str, span: Range<usize>) -> SyntaxError {
    if PLANNED.contains(&lower) || lower == "join" {
        return SyntaxError::new(span, format!("the pipe `{word}` does not exist yet"))
            .hint(format!("the pipes are {}", PIPES.join(", ")));
    }
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
