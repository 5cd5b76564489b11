//! [`Plan`]: from what was asked and by whom to what is searched. Pure; the clock is an argument.

use std::ops::Range;
use std::time::Duration;

use locard_event::Timestamp;
use locard_filter::{Filter, Matcher, Predicate};
use locard_indexer::Principal;
use locard_store::{Order, Position, Request};

use super::cursor::Cursor;
use super::part::Wanted;
use super::when::{TIME_HINT, read_time};
use super::{Error, Limits};
use crate::pipe::{Pipe, Query};

/// How many events a page has unless asked otherwise.
pub const DEFAULT_LIMIT: usize = 100;

/// What was asked, as typed.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The query text; empty means everything.
    pub q: String,
    /// First instant inside.
    pub start: Option<String>,
    /// First instant after.
    pub end: Option<String>,
    /// Most events on the page.
    pub limit: Option<usize>,
    /// Which come first; the cursor's order if there is a cursor.
    pub order: Option<Order>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Stop and answer what there is after this; never longer than the limit.
    pub timeout: Option<Duration>,
    /// Look at what there was at one moment, not at what there is.
    pub(crate) moment: Option<Moment>,
}

/// What there was at one moment, for pages that may be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// What `now` means in what is asked.
    pub(crate) now: Timestamp,
    /// Events with sequence numbers below this were there.
    pub(crate) below: u64,
}

/// What is searched. The principal's filter is in it already.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) wanted: Wanted,
    /// The filter that was asked.
    pub(crate) asked: Filter,
    /// What the principal may see.
    pub(crate) seen: Filter,
    pub(crate) pipes: Vec<Pipe>,
    pub(crate) order: Order,
    pub(crate) after: Option<Position>,
    pub(crate) limit: usize,
    pub(crate) now: Timestamp,
}

impl Plan {
    /// Reads what was asked, adds what the principal may see, and fixes every time.
    pub(crate) fn new(
        ask: &Ask,
        principal: &Principal,
        limits: &Limits,
        clock: Timestamp,
    ) -> Result<Self, Error> {
        let cursor = ask.cursor.as_deref().map(read_cursor).transpose()?;
        let now = cursor.map(|cursor| cursor.now).or(ask.moment.map(|moment| moment.now)).unwrap_or(clock);
        let Query { filter, pipes } = crate::pipe::parse(&ask.q)?;
        refuse_reversed(&filter, &pipes, now)?;
        let filed = range(ask, now)?;
        Ok(Self {
            asked: filter.clone(),
            wanted: wanted(filter.resolve(now), filed, principal, clock)?,
            seen: seen(principal, clock),
            pipes,
            order: order(ask.order, cursor)?,
            after: cursor.map(|cursor| cursor.after),
            limit: limit(ask.limit, limits)?,
            now,
        })
    }

    /// The same, among the events that match `filter` too.
    pub(crate) fn narrow(self, filter: Filter) -> Result<Self, Error> {
        if filter == Filter::All {
            return Ok(self);
        }
        let Request { filter: asked, filed } = self.wanted.request;
        let filter = asked.and(filter);
        let matcher = Matcher::new(&filter)?;
        Ok(Self { wanted: Wanted { request: Request { filter, filed }, matcher }, ..self })
    }
}

/// How long a search may take.
pub(crate) fn deadline(ask: &Ask, limits: &Limits) -> Duration {
    ask.timeout.map_or(limits.deadline, |timeout| timeout.min(limits.deadline))
}

/// Joins what is asked with what the principal may see. The row filter takes the real time for `now`, never a cursor's:
/// a cursor comes from the client.
pub(crate) fn wanted(
    asked: Filter,
    filed: Range<Timestamp>,
    principal: &Principal,
    clock: Timestamp,
) -> Result<Wanted, Error> {
    let filter = asked.and(seen(principal, clock));
    let matcher = Matcher::new(&filter)?;
    Ok(Wanted { request: Request { filter, filed }, matcher })
}

fn seen(principal: &Principal, clock: Timestamp) -> Filter {
    principal.filter.as_deref().cloned().unwrap_or(Filter::All).resolve(clock)
}

/// Half-open; everything if nothing is given.
pub(crate) fn range(ask: &Ask, now: Timestamp) -> Result<Range<Timestamp>, Error> {
    let start = time("start", ask.start.as_deref(), Timestamp::MIN, now)?;
    let end = time("end", ask.end.as_deref(), Timestamp::MAX, now)?;
    if start > end {
        return Err(Error::Parameter {
            name: "start",
            reason: format!("`start` is {start} and `end` is {end}: the range ends before it begins"),
            hint: "swap `start` and `end`".into(),
        });
    }
    Ok(start..end)
}

/// A range between a fixed and a relative time is known to be reversed only now that there is a clock. Only what was asked is
/// held to it: what a token may see is not the asker's to mend.
fn refuse_reversed(filter: &Filter, pipes: &[Pipe], now: Timestamp) -> Result<(), Error> {
    let filters = pipes.iter().filter_map(|pipe| match pipe {
        Pipe::Where(filter) => Some(filter),
        _ => None,
    });
    let reversed = std::iter::once(filter).chain(filters).find_map(|filter| filter.reversed_at(now));
    reversed.map_or(Ok(()), |predicate| Err(reversed_range(predicate, now)))
}

/// As a parameter's problem: the position is not known any more.
pub(crate) fn reversed_range(predicate: &Predicate, now: Timestamp) -> Error {
    let written = Filter::Is(predicate.clone());
    Error::Parameter {
        name: "q",
        reason: format!("`{written}` ends before it begins: `now` is {now}"),
        hint: "swap its ends".into(),
    }
}

fn time(
    name: &'static str,
    text: Option<&str>,
    absent: Timestamp,
    now: Timestamp,
) -> Result<Timestamp, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(absent) };
    read_time(text, now).ok_or_else(|| Error::Parameter {
        name,
        reason: format!("`{}` is no time", text.escape_debug()),
        hint: TIME_HINT.into(),
    })
}

fn limit(asked: Option<usize>, limits: &Limits) -> Result<usize, Error> {
    match asked.unwrap_or(DEFAULT_LIMIT.min(limits.max_limit)) {
        limit if limit > limits.max_limit => Err(Error::Parameter {
            name: "limit",
            reason: format!("limit is {limit}, at most {} is allowed", limits.max_limit),
            hint: "ask for a smaller page and follow `cursor`, or send `Accept: application/x-ndjson`".into(),
        }),
        limit => Ok(limit),
    }
}

fn read_cursor(text: &str) -> Result<Cursor, Error> {
    text.parse().map_err(|_| Error::Parameter {
        name: "cursor",
        reason: "this is no cursor of a page".into(),
        hint: "take `cursor` from an answer as it is, or leave it out to begin again".into(),
    })
}

fn order(asked: Option<Order>, cursor: Option<Cursor>) -> Result<Order, Error> {
    match (asked, cursor) {
        (Some(asked), Some(cursor)) if asked != cursor.order => Err(Error::Parameter {
            name: "cursor",
            reason: "the cursor belongs to pages in the other order".into(),
            hint: "leave `cursor` out to begin again in this order".into(),
        }),
        (asked, cursor) => Ok(cursor.map(|cursor| cursor.order).or(asked).unwrap_or_default()),
    }
}
