//! [`Reader`]: answers from one split. Plans, verifies what the plan leaves open, decodes what is asked for.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use locard_event::{Event, Stream, Timestamp};
use locard_filter::{Filter, Matcher};

use super::bits::Bits;
use super::blocks::{BlockIndex, BlockReader};
use super::bytes::Malformed;
use super::fault::{Fault, Result};
use super::index::IndexReader;
use super::object::Object;
use super::plan::{Bounds, Planner};
use super::rows::{Row, RowIndex, RowReader};
use super::{Order, Position, Request, SplitMeta, Top, streams};
use crate::Control;

/// One split's sections, open.
#[derive(Debug)]
pub(crate) struct Reader {
    object: Arc<Object>,
    streams: Vec<Arc<Stream>>,
    blocks: BlockIndex,
    rows: RowIndex,
    index: IndexReader,
}

impl Reader {
    pub(crate) fn open(path: &Path, meta: &SplitMeta) -> Result<Self> {
        let object = Arc::new(Object::open(path)?);
        if !object.header().describes(meta) {
            return Err(Fault::Corrupt("it is not the split the catalog describes".into()));
        }
        Self::of(Arc::clone(&object)).map_err(|fault| match object.corruption() {
            Some(reason) => Fault::Corrupt(reason),
            None => fault,
        })
    }

    fn of(object: Arc<Object>) -> Result<Self> {
        let events =
            u32::try_from(object.header().events).map_err(|_| Malformed("there are too many events"))?;
        let table = object.section(streams::SECTION).ok_or(Malformed("there is no stream table"))?;
        let streams = streams::decode(&object.read(table)?)?;
        let blocks = BlockIndex::open(&object, events)?;
        let rows = RowIndex::open(&object, events)?;
        let index = IndexReader::open(Arc::clone(&object))?;
        if index.documents() != events {
            return Err(Fault::Corrupt("the index holds another number of events".into()));
        }
        Ok(Self { object, streams, blocks, rows, index })
    }

    pub(crate) fn corruption(&self) -> Option<String> {
        self.object.corruption()
    }

    pub(crate) fn events<'a>(&'a self, control: &'a Control) -> BlockReader<'a> {
        BlockReader::new(&self.object, &self.blocks, &self.streams, control)
    }

    pub(crate) fn rows(&self) -> RowReader<'_> {
        RowReader::new(&self.object, &self.rows)
    }

    pub(crate) fn top(
        &self,
        request: &Request,
        order: Order,
        after: Option<Position>,
        limit: usize,
        control: &Control,
    ) -> Result<Top> {
        let mut candidates = Candidates::new(self, request, control)?;
        let window = self.window(order, after)?;
        let mut top = Top { events: Vec::new(), matched: candidates.bounds.sure.count() };
        let mut maybe = candidates.bounds.maybe.clone();
        let is_exact = candidates.unsure().is_none();
        if is_exact {
            maybe.keep_range(&window);
        }
        for document in ordered(&maybe, order) {
            let is_wanted = top.events.len() < limit && window.contains(&document);
            if is_exact && !is_wanted {
                break;
            }
            if candidates.is_sure(document) {
                if is_wanted {
                    top.events.extend(candidates.event(document)?);
                }
            } else if let Some(event) = candidates.verified(document)? {
                top.matched += 1;
                top.events.extend(Some(event).filter(|_| is_wanted));
            }
        }
        Ok(top)
    }

    pub(crate) fn count(&self, request: &Request, control: &Control) -> Result<u64> {
        let mut candidates = Candidates::new(self, request, control)?;
        let mut count = candidates.bounds.sure.count();
        for document in candidates.unsure().iter() {
            count += u64::from(candidates.verified(document)?.is_some());
        }
        Ok(count)
    }

    pub(crate) fn times(
        &self,
        request: &Request,
        control: &Control,
        visit: &mut dyn FnMut(Timestamp),
    ) -> Result<()> {
        let mut candidates = Candidates::new(self, request, control)?;
        let maybe = candidates.bounds.maybe.clone();
        let mut rows = self.rows();
        for (at, document) in maybe.iter().enumerate() {
            if at % 1000 == 0 {
                control.check()?;
            }
            if candidates.is_sure(document) || candidates.verified(document)?.is_some() {
                visit(rows.row(document)?.filed);
            }
        }
        Ok(())
    }

    pub(crate) fn each(
        &self,
        request: &Request,
        control: &Control,
        visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut candidates = Candidates::new(self, request, control)?;
        let mut rows = self.rows();
        let mut documents = Vec::new();
        for (at, document) in candidates.bounds.maybe.iter().enumerate() {
            if at % 1000 == 0 {
                control.check()?;
            }
            documents.push((rows.row(document)?.sequence, document));
        }
        documents.sort_unstable();
        for (_, document) in documents {
            if let Some(event) = candidates.event(document)?
                && visit(event).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn get(&self, sequence: u64) -> Result<Option<Event>> {
        let Some(document) = self.rows.find(&self.object, sequence)? else { return Ok(None) };
        self.events(&Control::default()).event(document).map(Some)
    }

    /// The documents that come after `after` in `order`.
    fn window(&self, order: Order, after: Option<Position>) -> Result<Range<u32>> {
        let events = self.index.documents();
        let Some(Position { filed, id }) = after else { return Ok(0..events) };
        let own = self.object.header().partition;
        let before = |row: Row| self.rows.rank(&self.object, row);
        // The first document at or after the position, and the first after it.
        let first_of_next_instant = || match filed.nanos().checked_add(1) {
            None => Ok(events),
            Some(next) => before(Row { filed: Timestamp::from_nanos(next), sequence: 0 }),
        };
        Ok(match (order, id.partition.cmp(&own)) {
            (Order::Descending, std::cmp::Ordering::Less) => 0..before(Row { filed, sequence: 0 })?,
            (Order::Descending, std::cmp::Ordering::Equal) => {
                0..before(Row { filed, sequence: id.sequence })?
            }
            (Order::Descending, std::cmp::Ordering::Greater) => 0..first_of_next_instant()?,
            (Order::Ascending, std::cmp::Ordering::Less) => before(Row { filed, sequence: 0 })?..events,
            (Order::Ascending, std::cmp::Ordering::Greater) => first_of_next_instant()?..events,
            (Order::Ascending, std::cmp::Ordering::Equal) => match id.sequence.checked_add(1) {
                Some(sequence) => before(Row { filed, sequence })?..events,
                None => first_of_next_instant()?..events,
            },
        })
    }
}

/// A planned request and what it takes to verify what the plan leaves open.
struct Candidates<'a> {
    bounds: Bounds,
    matcher: Matcher,
    events: BlockReader<'a>,
    control: &'a Control,
}

impl<'a> Candidates<'a> {
    fn new(reader: &'a Reader, request: &Request, control: &'a Control) -> Result<Self> {
        let matcher = Matcher::new(&request.filter)?;
        let events = reader.events(control);
        let bounds = bounds(reader, &request.filter, &request.filed, control)?;
        Ok(Self { bounds, matcher, events, control })
    }

    fn is_sure(&self, document: u32) -> bool {
        self.bounds.sure.contains(document)
    }

    /// Those the plan leaves open.
    fn unsure(&self) -> Bits {
        let mut unsure = self.bounds.maybe.clone();
        unsure.and_not(&self.bounds.sure);
        unsure
    }

    /// The event of a document the plan left open, if it matches.
    fn verified(&mut self, document: u32) -> Result<Option<Event>> {
        self.control.check()?;
        let event = self.events.event(document)?;
        Ok(Some(event).filter(|event| self.matcher.matches(event)))
    }

    /// The event of a candidate, if it matches.
    fn event(&mut self, document: u32) -> Result<Option<Event>> {
        if self.is_sure(document) {
            self.control.check()?;
            self.events.event(document).map(Some)
        } else {
            self.verified(document)
        }
    }
}

fn bounds(reader: &Reader, filter: &Filter, filed: &Range<Timestamp>, control: &Control) -> Result<Bounds> {
    let rank = |filed: Timestamp| reader.rows.rank(&reader.object, Row { filed, sequence: 0 });
    let range = rank(filed.start)?..rank(filed.end)?;
    let Reader { object, streams, rows, index, .. } = reader;
    let mut bounds = if range.is_empty() {
        let none = Bits::none(index.documents());
        Bounds { sure: none.clone(), maybe: none }
    } else {
        Planner { index, object, rows, streams, control }.plan(filter)?
    };
    bounds.sure.keep_range(&range);
    bounds.maybe.keep_range(&range);
    Ok(bounds)
}

/// The members of a set in the order asked for.
fn ordered(bits: &Bits, order: Order) -> Box<dyn Iterator<Item = u32> + '_> {
    match order {
        Order::Ascending => Box::new(bits.iter()),
        Order::Descending => Box::new(bits.iter().rev()),
    }
}
