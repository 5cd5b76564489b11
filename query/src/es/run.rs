//! Looking through a view for this face: the first hits of an order, their number, and what was not looked at.

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use locard_event::{Event, Timestamp};
use locard_filter::Filter;
use locard_indexer::{Principal, View};
use locard_store::{Control, Error as StoreError, Order, Position};

use super::Es;
use super::error::Error;
use super::sort::{After, Sorting, Values};
use crate::search::{Coverage, Find, Part, Run, Wanted, clock, find, lock, parts, position, wanted};

/// Plans what is asked with what the principal may see, and takes the view it is asked of.
pub(super) async fn prepare(
    run: &mut Run,
    es: &Es,
    principal: &Principal,
    filter: Filter,
) -> Result<(View, Arc<Wanted>), Error> {
    let (principal, indexer) = (principal.clone(), Arc::clone(&es.searcher.indexer));
    let plan = move || {
        let wanted = wanted(filter, Timestamp::MIN..Timestamp::MAX, &principal, clock())?;
        Ok::<_, crate::search::Error>((indexer.view(&principal.tenant), Arc::new(wanted)))
    };
    Ok(run.prepare(plan).await??)
}

/// Which hits are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) sorting: Arc<Sorting>,
    pub(super) after: Option<After>,
    pub(super) limit: usize,
    /// Whether to count all that match.
    pub(super) count: bool,
}

/// A hit and what it is sorted by.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) event: Event,
    pub(super) values: Values,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    pub(super) matched: u64,
    pub(super) coverage: Coverage,
}

/// Finds the first hits.
pub(super) async fn hits(
    run: &mut Run,
    view: &View,
    wanted: Arc<Wanted>,
    wish: Wish,
    memory_bytes: usize,
) -> Result<Found, Error> {
    match wish.sorting.native() {
        Some(order) => native(run, view, wanted, wish, order, memory_bytes).await,
        None => sorted(run, view, wanted, wish, memory_bytes).await,
    }
}

/// In the order that events are filed in.
async fn native(
    run: &mut Run,
    view: &View,
    wanted: Arc<Wanted>,
    wish: Wish,
    order: Order,
    memory_bytes: usize,
) -> Result<Found, Error> {
    let Wish { sorting, after, limit, count } = wish;
    let after = after.and_then(|after| after.position);
    let asked = Find { wanted, order, after, limit, memory_bytes, count };
    let found: crate::search::Found<Event> = find(run, view, asked).await?;
    if found.page.more && found.page.events.len() < limit {
        return Err(too_much(memory_bytes));
    }
    let hit = |event: Event| Hit { values: sorting.values(&event), event };
    let hits = found.page.events.into_iter().map(hit).collect();
    Ok(Found { hits, matched: found.matched, coverage: found.coverage })
}

/// The first of an order by values, from every matching event.
async fn sorted(
    run: &mut Run,
    view: &View,
    wanted: Arc<Wanted>,
    wish: Wish,
    memory_bytes: usize,
) -> Result<Found, Error> {
    let parts = parts(view, &wanted, Order::Descending);
    let first = Arc::new(Mutex::new(First::new(wish, memory_bytes)));
    let (into, control) = (Arc::clone(&first), Arc::clone(&run.control));
    let work = move |part: &Part| {
        let mut own = lock(&into).fork();
        let done = own.gather(part, &wanted, &control);
        lock(&into).merge(own);
        done
    };
    let mut coverage = run.scan(parts, work).await?;
    coverage.lacks(view);
    let first = lock(&first).take();
    if first.overflowed {
        return Err(too_much(memory_bytes));
    }
    Ok(Found { matched: first.matched, hits: first.into_hits(), coverage })
}

/// The answer to what needs more memory than a search may have.
pub(super) fn too_much(bytes: usize) -> Error {
    let reason =
        format!("[search] Data too large: it needs more than search.memory, which is [{bytes}] bytes");
    Error::new(http::StatusCode::TOO_MANY_REQUESTS, "circuit_breaking_exception", reason)
        .with("bytes_limit", bytes)
        .with("durability", "TRANSIENT")
}

/// The first hits of an order, bounded in number and memory.
#[derive(Debug)]
struct First {
    wish: Wish,
    held: Vec<(Hit, Position)>,
    bytes: usize,
    memory_bytes: usize,
    matched: u64,
    overflowed: bool,
}

/// Hits held beyond the limit before they are sorted and cut.
const SLACK: usize = 1_024;

impl First {
    fn new(wish: Wish, memory_bytes: usize) -> Self {
        Self { wish, held: Vec::new(), bytes: 0, memory_bytes, matched: 0, overflowed: false }
    }

    fn fork(&self) -> Self {
        Self { overflowed: self.overflowed, ..Self::new(self.wish.clone(), self.memory_bytes / 4) }
    }

    fn take(&mut self) -> Self {
        let empty = Self::new(self.wish.clone(), self.memory_bytes);
        std::mem::replace(self, empty)
    }

    fn gather(&mut self, part: &Part, wanted: &Wanted, control: &Control) -> Result<(), StoreError> {
        if self.wish.limit == 0 {
            self.matched += part.count(wanted, control)?;
            return Ok(());
        }
        part.each(wanted, control, &mut |event| {
            self.matched += 1;
            self.add(event);
            if self.overflowed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }

    fn add(&mut self, event: &Event) {
        let Some(position) = position(event) else { return };
        let values = self.wish.sorting.values(event);
        if let Some(after) = &self.wish.after
            && self.compare_after((&values, position), after) != Ordering::Greater
        {
            return;
        }
        self.hold(Hit { event: event.clone(), values }, position);
    }

    fn hold(&mut self, hit: Hit, position: Position) {
        self.bytes += hit.event.heap_bytes() + hit.values.heap_bytes();
        self.held.push((hit, position));
        if self.held.len() > self.wish.limit + SLACK || self.bytes > self.memory_bytes {
            self.cut();
            self.overflowed |= self.bytes > self.memory_bytes;
        }
    }

    /// Keeps the first ones only.
    fn cut(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by(|(one, at), (two, other)| {
            self.compare((&one.values, Some(*at)), (&two.values, Some(*other)))
        });
        held.truncate(self.wish.limit);
        self.bytes = held.iter().map(|(hit, _)| hit.event.heap_bytes() + hit.values.heap_bytes()).sum();
        self.held = held;
    }

    /// By the values; events of equal values are told apart by their place, the newest first, where both are known.
    fn compare(&self, one: (&Values, Option<Position>), two: (&Values, Option<Position>)) -> Ordering {
        let places = match (one.1, two.1) {
            (Some(one), Some(two)) => two.cmp(&one),
            _ => Ordering::Equal,
        };
        self.wish.sorting.compare(one.0, two.0).then(places)
    }

    fn compare_after(&self, (values, place): (&Values, Position), after: &After) -> Ordering {
        let places = after.position.map_or(Ordering::Equal, |after| after.cmp(&place));
        self.wish.sorting.compare_after(values, &after.values).then(places)
    }

    fn merge(&mut self, other: Self) {
        self.matched += other.matched;
        self.overflowed |= other.overflowed;
        other.held.into_iter().for_each(|(hit, position)| self.hold(hit, position));
    }

    fn into_hits(mut self) -> Vec<Hit> {
        self.cut();
        self.held.into_iter().map(|(hit, _)| hit).collect()
    }
}
