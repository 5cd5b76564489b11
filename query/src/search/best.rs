//! [`Best`]: the first events of an order, gathered from parts in any sequence.

use locard_event::{Event, Timestamp};
use locard_store::{Order, Position};

use super::part::{Hit, compare, precedes};

/// The first events in an order, bounded in number and in memory.
#[derive(Debug)]
pub(crate) struct Best<T = Event> {
    order: Order,
    after: Option<Position>,
    limit: usize,
    memory_bytes: usize,
    held: Vec<(Position, T)>,
    more: bool,
    /// Nothing is known for certain beyond this place: a part could not hand out all it had.
    horizon: Option<Position>,
}

/// A page: events in order, and whether more follow.
#[derive(Debug)]
pub(crate) struct Page<T = Event> {
    pub(crate) events: Vec<T>,
    pub(crate) more: bool,
}

impl<T: Hit> Best<T> {
    /// The first `limit` events after `after`; fewer when they would hold more than `memory_bytes`.
    pub(crate) fn new(order: Order, after: Option<Position>, limit: usize, memory_bytes: usize) -> Self {
        Self { order, after, limit, memory_bytes, held: Vec::new(), more: false, horizon: None }
    }

    /// How many events to ask a part for that spans these times; 0 if none of its events can be among the first. One more than
    /// the limit, to learn whether more follow.
    pub(crate) fn wants(&self, filed: Option<(Timestamp, Timestamp)>) -> usize {
        match filed {
            _ if self.limit == 0 => 0,
            Some(span) if self.is_behind(span) || self.is_beyond(span) => 0,
            _ => self.limit + 1,
        }
    }

    /// Whether everything in this span was on an earlier page.
    fn is_behind(&self, (first, last): (Timestamp, Timestamp)) -> bool {
        match (self.after, self.order) {
            (None, _) => false,
            (Some(after), Order::Descending) => first > after.filed,
            (Some(after), Order::Ascending) => last < after.filed,
        }
    }

    /// Whether everything in this span comes after what is held already, which is enough.
    fn is_beyond(&self, (first, last): (Timestamp, Timestamp)) -> bool {
        let worst = self.held.get(self.limit).map(|(worst, _)| *worst).or(self.horizon);
        match (worst, self.order) {
            (None, _) => false,
            (Some(worst), Order::Descending) => last < worst.filed,
            (Some(worst), Order::Ascending) => first > worst.filed,
        }
    }

    /// Adds a part's first events; `cut`: the part has more of them than it handed out.
    pub(crate) fn add(&mut self, events: Vec<T>, cut: bool) {
        if let Some(last) = events.last().and_then(T::position).filter(|_| cut) {
            let nearer = |known: Position| if precedes(self.order, known, last) { known } else { last };
            self.horizon = Some(self.horizon.map_or(last, nearer));
        }
        let events = events.into_iter().filter_map(|event| event.position().map(|place| (place, event)));
        self.held.extend(events);
        self.held.sort_by(|(one, _), (two, _)| compare(self.order, *one, *two));
        self.held.truncate(self.limit.saturating_add(1));
        self.stay_within_horizon();
        self.fit_memory();
    }

    /// What comes behind the horizon may not be the next: it is left to a later page.
    fn stay_within_horizon(&mut self) {
        let Some(horizon) = self.horizon else { return };
        let known = self.held.partition_point(|(place, _)| !precedes(self.order, horizon, *place));
        self.held.truncate(known);
    }

    /// A page that would be too large becomes shorter, and stays the exact beginning of the order.
    fn fit_memory(&mut self) {
        let mut bytes = 0usize;
        let fits = self.held.iter().take_while(|(_, event)| {
            bytes = bytes.saturating_add(event.heap_bytes());
            bytes <= self.memory_bytes
        });
        let fits = fits.count().max(1);
        if fits < self.held.len() {
            self.held.truncate(fits);
            self.limit = self.limit.min(fits);
            self.more = true;
        }
    }

    /// The page.
    pub(crate) fn page(mut self) -> Page<T> {
        let more = self.more || self.horizon.is_some() || self.held.len() > self.limit;
        self.held.truncate(self.limit);
        debug_assert!(self.held.is_sorted_by(|one, two| precedes(self.order, one.0, two.0)));
        Page { events: self.held.into_iter().map(|(_, event)| event).collect(), more }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use locard_event::{EventId, Stream};

    use super::*;

    fn event(seconds: i64, sequence: u64, bytes: usize) -> Event {
        let stream = Arc::new(Stream::new([("host.name", "a")]));
        let mut event = Event::new(Timestamp::from_seconds(seconds), stream, vec![b'x'; bytes]);
        event.id = Some(EventId::new(0, sequence));
        event
    }

    fn sequences(page: &Page) -> Vec<u64> {
        page.events.iter().filter_map(|event| event.id).map(|id| id.sequence).collect()
    }

    #[test]
    fn the_first_come_first_whatever_the_parts() {
        let mut best = Best::new(Order::Descending, None, 2, usize::MAX);
        best.add(vec![event(5, 1, 1), event(1, 0, 1)], false);
        best.add(vec![event(5, 2, 1), event(4, 3, 1)], false);
        assert_eq!(best.wants(Some((Timestamp::from_seconds(0), Timestamp::from_seconds(3)))), 0);
        assert_eq!(best.wants(Some((Timestamp::from_seconds(0), Timestamp::from_seconds(4)))), 3);
        let page = best.page();
        assert_eq!((sequences(&page), page.more), (vec![2, 1], true));
    }

    #[test]
    fn a_page_too_large_is_cut_and_says_that_more_follow() {
        let mut best = Best::new(Order::Ascending, None, 10, 3_000);
        best.add((0..5).map(|n| event(n, n.unsigned_abs(), 1_000)).collect(), false);
        best.add(vec![event(-1, 9, 1_000)], false);
        let page = best.page();
        assert_eq!((sequences(&page), page.more), (vec![9, 0], true));
    }

    #[test]
    fn a_page_ends_where_a_part_could_not_go_on() {
        let mut best = Best::new(Order::Descending, None, 10, usize::MAX);
        best.add(vec![event(9, 1, 1), event(6, 2, 1)], true);
        best.add(vec![event(8, 3, 1), event(5, 4, 1)], false);
        best.add(vec![event(7, 5, 1)], false);
        let page = best.page();
        assert_eq!((sequences(&page), page.more), (vec![1, 3, 5, 2], true));
    }

    #[test]
    fn what_was_on_an_earlier_page_is_only_counted() {
        let after = Position { filed: Timestamp::from_seconds(5), id: EventId::new(0, 5) };
        let best = Best::<Event>::new(Order::Descending, Some(after), 10, usize::MAX);
        assert_eq!(best.wants(Some((Timestamp::from_seconds(6), Timestamp::from_seconds(9)))), 0);
        assert_eq!(best.wants(Some((Timestamp::from_seconds(5), Timestamp::from_seconds(9)))), 11);
        assert_eq!(best.wants(None), 11);
    }
}
