//! [`Part`]: a piece of a view that is searched by itself, a split or a stretch of the hot part.
//!
//! The hot part is answered with the matcher, a split by its own plan; both must say the same.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use locard_event::{Event, Timestamp};
use locard_filter::{Filter, Matcher, SyntaxError};
use locard_indexer::View;
use locard_store::{Control, Error, First, Order, Position, Request, Split, Top};

/// Hot batches are searched in stretches of about this many events, so that several threads can share the work.
const STRETCH_EVENTS: usize = 8_192;
/// How many hot events are looked at between two looks at the clock …
const CHECK_EVENTS: u64 = 512;
/// … or how many bytes of messages.
const CHECK_BYTES: u64 = 256 << 10;

/// What is asked of every part: a request, and its filter compiled for hot events.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) request: Request,
    pub(crate) matcher: Matcher,
}

impl Wanted {
    /// What matches a resolved filter and is filed within a range.
    pub(crate) fn new(filter: Filter, filed: Range<Timestamp>) -> Result<Self, SyntaxError> {
        let matcher = Matcher::new(&filter)?;
        Ok(Self { request: Request { filter, filed }, matcher })
    }

    pub(crate) fn matches(&self, event: &Event) -> bool {
        self.request.filed.contains(&event.filed()) && self.matcher.matches(event)
    }

    /// Whether a split may hold what is asked for.
    pub(crate) fn overlaps(&self, (first, last): (Timestamp, Timestamp)) -> bool {
        first < self.request.filed.end && last >= self.request.filed.start
    }
}

/// An event as a search finds it: put together, or written out.
pub(crate) trait Hit: Sized + Send + 'static {
    /// Where it stands; nothing if it was not accepted.
    fn position(&self) -> Option<Position>;

    /// Memory it takes, estimated.
    fn heap_bytes(&self) -> usize;

    /// The first of a part.
    fn first(part: &Part, wanted: &Wanted, first: First, control: &Control) -> Result<Firsts<Self>, Error>;
}

/// The first events of a part.
pub(crate) struct Firsts<T> {
    pub(crate) events: Vec<T>,
    /// As [`Top::cut`].
    pub(crate) cut: bool,
    /// As [`Top::matched`].
    pub(crate) matched: u64,
}

impl Hit for Event {
    fn position(&self) -> Option<Position> {
        position(self)
    }

    fn heap_bytes(&self) -> usize {
        self.heap_bytes()
    }

    fn first(part: &Part, wanted: &Wanted, first: First, control: &Control) -> Result<Firsts<Self>, Error> {
        let First { order, after, limit, max_bytes, .. } = first;
        let Top { events, cut, matched } = part.top(wanted, order, after, limit, max_bytes, control)?;
        Ok(Firsts { events, cut, matched })
    }
}

/// A piece of a view that is searched by itself.
#[derive(Debug)]
pub(crate) enum Part {
    Hot(Vec<Arc<[Event]>>),
    Split(Split),
}

/// The parts of a view that may hold what `wanted` asks for, those that come first in `order` first: the hot part is newest.
pub(crate) fn parts(view: &View, wanted: &Wanted, order: Order) -> Vec<Part> {
    let mut splits: Vec<&Split> =
        view.splits.iter().filter(|split| wanted.overlaps(split.meta().filed)).collect();
    match order {
        Order::Descending => splits.sort_by_key(|split| std::cmp::Reverse(split.meta().filed.1)),
        Order::Ascending => splits.sort_by_key(|split| split.meta().filed.0),
    }
    let splits = splits.into_iter().map(|split| Part::Split(split.clone()));
    let hot = stretches(&view.hot).into_iter().map(Part::Hot);
    match order {
        Order::Descending => hot.chain(splits).collect(),
        Order::Ascending => splits.chain(hot).collect(),
    }
}

fn stretches(hot: &[Arc<[Event]>]) -> Vec<Vec<Arc<[Event]>>> {
    let mut stretches = Vec::new();
    let mut stretch = Vec::new();
    let mut events = 0;
    for batch in hot.iter().rev() {
        events += batch.len();
        stretch.push(Arc::clone(batch));
        if events >= STRETCH_EVENTS {
            stretches.push(std::mem::take(&mut stretch));
            events = 0;
        }
    }
    if !stretch.is_empty() {
        stretches.push(stretch);
    }
    stretches
}

impl Part {
    /// The times its events span, where known without looking.
    pub(crate) fn filed(&self) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Hot(_) => None,
            Self::Split(split) => Some(split.meta().filed),
        }
    }

    /// As [`Split::top`].
    pub(crate) fn top(
        &self,
        wanted: &Wanted,
        order: Order,
        after: Option<Position>,
        limit: usize,
        max_bytes: usize,
        control: &Control,
    ) -> Result<Top, Error> {
        match self {
            Self::Split(split) => split.top(&wanted.request, order, after, limit, max_bytes, control),
            Self::Hot(batches) => {
                let mut top = hot_top(batches, wanted, order, after, limit, control)?;
                let held = top.events.len();
                let mut bytes = 0usize;
                let fits = top.events.iter().take_while(|event| {
                    bytes = bytes.saturating_add(event.heap_bytes());
                    bytes <= max_bytes
                });
                let fits = fits.count().max(1);
                top.events.truncate(fits);
                top.cut = top.events.len() < held;
                Ok(top)
            }
        }
    }

    /// As [`Split::count`].
    pub(crate) fn count(&self, wanted: &Wanted, control: &Control) -> Result<u64, Error> {
        match self {
            Self::Split(split) => split.count(&wanted.request, control),
            Self::Hot(batches) => {
                let mut count = 0;
                hot_each(batches, wanted, control, &mut |_| {
                    count += 1;
                    ControlFlow::Continue(())
                })?;
                Ok(count)
            }
        }
    }

    /// As [`Split::each`].
    pub(crate) fn each(
        &self,
        wanted: &Wanted,
        control: &Control,
        visit: &mut dyn FnMut(&Event) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        match self {
            Self::Split(split) => split.each(&wanted.request, control, &mut |event| visit(&event)),
            Self::Hot(batches) => hot_each(batches, wanted, control, visit),
        }
    }
}

fn hot_each<'a>(
    batches: &'a [Arc<[Event]>],
    wanted: &Wanted,
    control: &Control,
    visit: &mut dyn FnMut(&'a Event) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut pace = Pace { control, events: 0, bytes: 0 };
    for event in batches.iter().flat_map(|batch| batch.iter()) {
        if wanted.matches(event) && visit(event).is_break() {
            return Ok(());
        }
        pace.step(event.message.len())?;
    }
    Ok(())
}

/// Looks at the clock now and then, and counts what was looked at.
struct Pace<'a> {
    control: &'a Control,
    events: u64,
    bytes: u64,
}

impl Pace<'_> {
    fn step(&mut self, bytes: usize) -> Result<(), Error> {
        self.events += 1;
        self.bytes += bytes as u64;
        if self.events >= CHECK_EVENTS || self.bytes >= CHECK_BYTES {
            self.tell();
            self.control.check()?;
        }
        Ok(())
    }

    fn tell(&mut self) {
        self.control.scanned(std::mem::take(&mut self.events), std::mem::take(&mut self.bytes));
    }
}

impl Drop for Pace<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}

fn hot_top(
    batches: &[Arc<[Event]>],
    wanted: &Wanted,
    order: Order,
    after: Option<Position>,
    limit: usize,
    control: &Control,
) -> Result<Top, Error> {
    let mut matched = 0;
    let mut best: Vec<(Position, &Event)> = Vec::new();
    hot_each(batches, wanted, control, &mut |event| {
        matched += 1;
        if let Some(position) = position(event)
            && after.is_none_or(|after| precedes(order, after, position))
        {
            best.push((position, event));
            if best.len() > 2 * limit + STRETCH_EVENTS {
                keep_first(&mut best, order, limit);
            }
        }
        ControlFlow::Continue(())
    })?;
    keep_first(&mut best, order, limit);
    Ok(Top { events: best.into_iter().map(|(_, event)| event.clone()).collect(), cut: false, matched })
}

fn keep_first(best: &mut Vec<(Position, &Event)>, order: Order, limit: usize) {
    best.sort_unstable_by(|(one, _), (two, _)| compare(order, *one, *two));
    best.truncate(limit);
}

/// Where an accepted event stands; nothing for one that was not accepted.
pub(crate) fn position(event: &Event) -> Option<Position> {
    event.id.map(|id| Position { filed: event.filed(), id })
}

/// How two positions stand to each other in an order.
pub(crate) fn compare(order: Order, one: Position, two: Position) -> std::cmp::Ordering {
    match order {
        Order::Ascending => one.cmp(&two),
        Order::Descending => two.cmp(&one),
    }
}

/// Whether `one` comes before `two` in an order.
pub(crate) fn precedes(order: Order, one: Position, two: Position) -> bool {
    compare(order, one, two).is_lt()
}
