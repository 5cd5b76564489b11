//! [`Split`]: an immutable, searchable set of events of one partition.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use locard_event::{Event, EventId, Timestamp};
use locard_filter::Filter;
use uuid::Uuid;

use crate::{Control, Error};

/// What the catalog knows of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMeta {
    /// Its name; never reused.
    pub id: Uuid,
    /// The partition its events belong to.
    pub partition: u32,
    /// Their sequence numbers, without gaps unless retention or a merge across a removed split made one.
    pub sequences: Range<u64>,
    /// How many events.
    pub events: u64,
    /// Earliest and latest [`Event::filed`], both inside.
    pub filed: (Timestamp, Timestamp),
    /// Size of the object in bytes.
    pub bytes: u64,
    /// When it was written.
    pub created: Timestamp,
    /// How many levels of merging made it: 0 fresh from the hot part, 1 merged.
    pub level: u8,
}

/// Which events are asked for: those that match `filter` and are filed in `filed` (half-open).
#[derive(Clone, Debug)]
pub struct Request {
    /// Times resolved.
    pub filter: Filter,
    /// By [`Event::filed`].
    pub filed: Range<Timestamp>,
}

/// In which order events are answered: by ([`Event::filed`], id).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

/// Where an event stands in the order; what a cursor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Its [`Event::filed`].
    pub filed: Timestamp,
    /// Its id.
    pub id: EventId,
}

/// The first events in an order, and how many match in all.
#[derive(Clone, Debug, Default)]
pub struct Top {
    /// In order; at most as many as asked for.
    pub events: Vec<Event>,
    /// All that match in this split, those before the cursor included.
    pub matched: u64,
}

/// A published split, open for reading. Cheap to clone; its object is kept until the last clone is gone.
#[derive(Clone, Debug)]
pub struct Split {
    meta: Arc<SplitMeta>,
}

impl Split {
    /// What the catalog knows of it.
    pub fn meta(&self) -> &SplitMeta {
        &self.meta
    }

    /// The first `limit` matching events after `after` in `order`, and how many match in all.
    ///
    /// # Errors
    /// The object is unreadable or corrupt, or `control` says stop.
    pub fn top(
        &self,
        _request: &Request,
        _order: Order,
        _after: Option<Position>,
        _limit: usize,
        _control: &Control,
    ) -> Result<Top, Error> {
        Ok(Top::default())
    }

    /// How many events match.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn count(&self, _request: &Request, _control: &Control) -> Result<u64, Error> {
        Ok(0)
    }

    /// Calls `visit` with [`Event::filed`] of every matching event, in no order.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn times(
        &self,
        _request: &Request,
        _control: &Control,
        _visit: &mut dyn FnMut(Timestamp),
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Calls `visit` with every matching event, in sequence order, until it breaks.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn each(
        &self,
        _request: &Request,
        _control: &Control,
        _visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// The event with this sequence number.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn get(&self, _sequence: u64) -> Result<Option<Event>, Error> {
        Ok(None)
    }
}
