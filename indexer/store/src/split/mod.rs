//! [`Split`]: an immutable, searchable set of events of one partition.

//!
//! Everything that knows how a split looks inside is in this folder. `write` makes one of events, `merge` one of splits. `read` opens
//! one; `compile` turns a filter into a `node`, which says of each of the `chunks` what matches; `search` answers from that.
//! Below them: `columns` with their `dictionary`, `presence` and `page`; `templates`, `needles` and `message`; `blocks`, in the order of an `arrangement`.

mod arrangement;
mod blocks;
mod bytes;
mod cache;
mod canonical;
mod chunks;
mod codec;
mod columns;
mod compile;
mod dictionary;
mod fault;
mod key;
mod lists;
mod mask;
mod merge;
mod message;
mod needles;
mod node;
mod object;
mod ordinals;
mod pack;
mod page;
mod presence;
mod presence_count;
mod read;
mod rebuild;
mod row;
mod search;
mod sift;
mod streams;
mod tally;
mod templates;
mod words;
mod write;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use locard_event::{Event, EventId, Timestamp, Value};
use locard_filter::{Filter, template};
use uuid::Uuid;

use crate::blob::LocalObject;
use crate::{Class, Control, Error};
pub(crate) use cache::Cache;
use fault::Fault;
pub(crate) use merge::merge;
pub use needles::KeyFilter;
pub(crate) use needles::build as build_filter;
use object::Object;
pub use presence_count::Having;
use read::Reader;
pub use row::{Row, Write};
use search::Search;
pub(crate) use sift::{Sift, sift};
pub(crate) use write::write;

/// What the catalog knows of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMeta {
    /// Its name; never reused.
    pub id: Uuid,
    /// The partition its events belong to.
    pub partition: u32,
    /// What its events' sequence numbers are among. Splits of other classes hold the others: the ranges may overlap. What no split
    /// holds was retained away.
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
    /// How its events are retained. Only the catalog knows it.
    pub class: Class,
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
    /// Whether there are fewer than asked for because they would hold too much memory.
    pub cut: bool,
    /// All that match in this split, those before the cursor included.
    pub matched: u64,
}

/// Which of the matching events are wanted as rows.
#[derive(Clone, Copy, Debug)]
pub struct First {
    /// Which come first.
    pub order: Order,
    /// Only those after this.
    pub after: Option<Position>,
    /// At most so many,
    pub limit: usize,
    /// and no more once they are larger than this.
    pub max_bytes: usize,
    /// Whether to count all that match.
    pub count: bool,
}

/// How handing out rows went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rows {
    /// Whether there are fewer than asked for because they are too large.
    pub cut: bool,
    /// As [`Top::matched`], if they were to be counted.
    pub matched: u64,
}

/// What matching events are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// The value that [`Event::get`] gives, a list as a whole; [`Value::Null`] where there is none.
    Field(Box<str>),
    /// [`Event::filed`] as the number of the bucket it is in, `floor((filed - origin) / span)`.
    Bucket {
        /// Where bucket 0 begins.
        origin: Timestamp,
        /// How long each is.
        span_nanos: i64,
    },
    /// The message's pattern as 16 hex digits; [`Value::Null`] for messages without one.
    Pattern,
}

/// A pattern of messages, and what matched of it.
#[derive(Clone, Debug)]
pub struct PatternRow {
    /// Its stable name.
    pub id: u64,
    /// Its text, variables as `<*>`.
    pub template: String,
    /// How many events.
    pub count: u64,
    /// [`Event::filed`] of the first.
    pub first: Timestamp,
    /// [`Event::filed`] of the last.
    pub last: Timestamp,
    /// Where one of them stands, and its message.
    pub example: (Position, Box<[u8]>),
}

/// The pattern of a message and its text, if it has one.
pub fn pattern_of(message: &[u8]) -> Option<(u64, String)> {
    with_template(message, |text| (template::pattern_id(text), template::show(text)))
}

/// The pattern of a message, if it has one.
pub(crate) fn pattern_id_of(message: &[u8]) -> Option<u64> {
    with_template(message, template::pattern_id)
}

fn with_template<T>(message: &[u8], make: impl FnOnce(&[u8]) -> T) -> Option<T> {
    thread_local! {
        static SCANNER: RefCell<template::Scanner> = RefCell::default();
    }
    SCANNER.with(|scanner| {
        let mut scanner = scanner.borrow_mut();
        scanner.scan(message);
        scanner.template().map(make)
    })
}

/// A published split, open for reading. Cheap to clone; its object is kept until the last clone is gone.
#[derive(Clone, Debug)]
pub struct Split {
    inner: Arc<Inner>,
    /// Searches see only events with numbers below this.
    below: u64,
}

#[derive(Debug)]
struct Inner {
    meta: SplitMeta,
    reader: Reader,
    /// Removes the object on drop, once it is discarded.
    object: LocalObject,
    discarded: AtomicBool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if *self.discarded.get_mut() {
            self.object.remove_elsewhere();
        }
    }
}

impl Split {
    /// Opens the object of `meta` and checks that it is that split's.
    pub(crate) fn open(meta: &SplitMeta, object: LocalObject, cache: &Cache) -> Result<Self, Error> {
        let path: &Path = object.path();
        let reader = guard(meta.id, || Reader::open(path, meta, cache), || None)?;
        let discarded = AtomicBool::new(false);
        Ok(Self { inner: Arc::new(Inner { meta: meta.clone(), reader, object, discarded }), below: u64::MAX })
    }

    pub(crate) fn discard(&self) {
        self.inner.discarded.store(true, Ordering::Release);
    }

    pub(crate) fn reader(&self) -> &Reader {
        &self.inner.reader
    }

    /// Bytes of its table of templates, packed. One made of splits has no more of them than those together.
    pub fn template_bytes(&self) -> u64 {
        self.reader().template_bytes()
    }

    /// The same split for searches that are to see only events with sequence numbers below this one: what was there at some moment.
    #[must_use]
    pub fn below(&self, sequence: u64) -> Self {
        Self { below: sequence.min(self.below), ..self.clone() }
    }

    fn search<'a>(
        &self,
        reader: &'a Reader,
        request: &Request,
        control: &'a Control,
    ) -> Result<Search<'a>, Fault> {
        Ok(Search::new(reader, request, control)?.below(self.below))
    }

    /// What the catalog knows of it.
    pub fn meta(&self) -> &SplitMeta {
        &self.inner.meta
    }

    /// The first `limit` matching events after `after` in `order`, fewer if they would hold more than about `max_bytes` of memory, and
    /// how many match in all.
    ///
    /// # Errors
    /// The object is unreadable or corrupt, or `control` says stop.
    pub fn top(
        &self,
        request: &Request,
        order: Order,
        after: Option<Position>,
        limit: usize,
        max_bytes: usize,
        control: &Control,
    ) -> Result<Top, Error> {
        self.answer(|reader| self.search(reader, request, control)?.top(order, after, limit, max_bytes))
    }

    /// As [`Split::top`], for who writes them out: calls `visit` with each, its fields in the words of `write`, and is told how many
    /// bytes that took. Without `count`, no more are counted than were come across.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn rows(
        &self,
        request: &Request,
        first: First,
        control: &Control,
        write: Write<'_>,
        visit: &mut dyn FnMut(&Row<'_>) -> usize,
    ) -> Result<Rows, Error> {
        self.answer(|reader| self.search(reader, request, control)?.rows(first, write, visit))
    }

    /// How many events match.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn count(&self, request: &Request, control: &Control) -> Result<u64, Error> {
        self.answer(|reader| self.search(reader, request, control)?.count())
    }

    /// Calls `visit` with [`Event::filed`] of every matching event, in no order.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn times(
        &self,
        request: &Request,
        control: &Control,
        visit: &mut dyn FnMut(Timestamp),
    ) -> Result<(), Error> {
        self.answer(|reader| self.search(reader, request, control)?.times(visit))
    }

    /// Calls `visit` with every matching event, in sequence order, until it breaks.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn each(
        &self,
        request: &Request,
        control: &Control,
        visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.each_from(0, request, control, visit)
    }

    /// As [`Split::each`], from sequence number `first` on.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn each_from(
        &self,
        first: u64,
        request: &Request,
        control: &Control,
        visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.answer(|reader| self.search(reader, request, control)?.each(first, visit))
    }

    /// The event with this sequence number.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn get(&self, sequence: u64) -> Result<Option<Event>, Error> {
        self.answer(|reader| search::get(reader, sequence))
    }

    /// Calls `visit` with combinations of values of `keys`, in their order, and how many matching events have each, until it breaks.
    /// A combination may come several times; its counts add up. In no order.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn tally(
        &self,
        request: &Request,
        keys: &[GroupKey],
        control: &Control,
        visit: &mut dyn FnMut(&[Value], u64) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.answer(|reader| self.search(reader, request, control)?.tally(keys, visit))
    }

    /// Calls `visit` with every pattern of the matching events, and answers how many these are, those without a pattern included.
    /// A pattern may come several times; its counts add up.
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn patterns(
        &self,
        request: &Request,
        control: &Control,
        visit: &mut dyn FnMut(PatternRow),
    ) -> Result<u64, Error> {
        self.answer(|reader| self.search(reader, request, control)?.patterns(visit))
    }

    /// How many matching events have each field and label, and how many match. Names beyond the limit on columns are left out:
    /// [`Split::leaves_names_out`].
    ///
    /// # Errors
    /// As [`Split::top`].
    pub fn having(
        &self,
        request: &Request,
        control: &Control,
    ) -> Result<(BTreeMap<Box<str>, Having>, u64), Error> {
        self.answer(|reader| Search::new(reader, request, control)?.having())
    }

    /// Whether there are more names than columns.
    ///
    /// # Errors
    /// The split cannot be read.
    pub fn leaves_names_out(&self) -> Result<bool, Error> {
        self.answer(|reader| Ok(reader.columns().left_out > 0))
    }

    /// Whether some event has a field or label of this name; it may also say so of a name that no event has, where names are left out.
    ///
    /// # Errors
    /// The split cannot be read.
    pub fn has_name(&self, name: &str) -> Result<bool, Error> {
        self.answer(|reader| {
            let columns = reader.columns();
            let has_label = || reader.labels().has(name);
            Ok(columns.left_out > 0 || columns.find(name).is_some() || has_label())
        })
    }

    /// The names of fields and labels, those beyond the limit on columns left out.
    ///
    /// # Errors
    /// The split cannot be read.
    pub fn names(&self) -> Result<BTreeSet<String>, Error> {
        self.answer(|reader| {
            let fields = reader.columns().named().map(|(_, column)| column.name.to_string());
            let labels = reader.streams().iter().flat_map(|stream| stream.iter());
            let mut names: BTreeSet<String> = fields.collect();
            for (label, _) in labels {
                if !names.contains(label) {
                    names.insert(label.to_owned());
                }
            }
            Ok(names)
        })
    }

    /// Calls `visit` with every event, in document order.
    pub(crate) fn everything(&self, visit: &mut dyn FnMut(Event)) -> Result<(), Error> {
        self.everything_until(&Control::default(), &mut |event| {
            visit(event);
            ControlFlow::Continue(())
        })
    }

    /// As [`Split::everything`], until `visit` breaks or `control` says stop.
    pub(crate) fn everything_until(
        &self,
        control: &Control,
        visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.answer(|reader| search::everything(reader, control, visit))
    }

    fn answer<T>(&self, work: impl FnOnce(&Reader) -> Result<T, Fault>) -> Result<T, Error> {
        let reader = &self.inner.reader;
        guard(self.inner.meta.id, || work(reader), || reader.corruption())
    }
}

/// The partition and sequence numbers that an object says are its own.
pub(crate) fn header_of(split: Uuid, path: &Path) -> Result<(u32, Range<u64>), Error> {
    let read =
        || Object::open(path).map(|object| (object.header().partition, object.header().sequences.clone()));
    guard(split, read, || None)
}

/// Runs what reads a split. The index library asserts where it should doubt: its panics on damaged bytes end here.
fn guard<T>(
    split: Uuid,
    work: impl FnOnce() -> Result<T, Fault>,
    corruption: impl FnOnce() -> Option<String>,
) -> Result<T, Error> {
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Corrupt("reading it panicked".into())));
    outcome.map_err(|fault| fault.of_split(split, corruption()))
}

#[cfg(test)]
mod tests;
