//! [`Rebuilder`]: events put together again from columns and records.

use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, EventId, Fields, Name, Shape, Stream, Timestamp, Value};

use super::Position;
use super::arrangement::Arrangement;
use super::blocks::{BlockReader, Record};
use super::bytes::Malformed;
use super::columns::{Own, Page, PageKind};
use super::dictionary::Dictionary;
use super::fault::Result;
use super::mask::{Mask, Ranks};
use super::read::Reader;
use super::row::{Cell, Row, Words};
use crate::Control;

/// Chunks whose pages are kept at hand.
const KEPT_CHUNKS: usize = 4;

/// Puts events together, keeping what it read last.
pub(crate) struct Rebuilder<'a> {
    reader: &'a Reader,
    records: BlockReader<'a>,
    dictionaries: Vec<Option<Arc<Dictionary>>>,
    /// The last ingest time, by its ordinal: those of a batch share it.
    ingested: Option<(i64, Option<Timestamp>)>,
    /// Least recently used first.
    kept: Vec<(usize, Pages)>,
    /// Where the records of the last chunk are.
    arrangement: Option<(usize, Arc<Arrangement>)>,
    shapes: Shapes,
}

/// Shapes that are kept at hand.
const KEPT_SHAPES: usize = 16;

/// The names of events put together lately: most events share theirs with others.
#[derive(Default)]
struct Shapes {
    /// Most recently used first.
    kept: Vec<Shape>,
}

impl Shapes {
    /// Fields of these names, which are in order, and values.
    fn fields(&mut self, fields: Vec<(&str, Value)>) -> Fields {
        let is_shape = |shape: &Shape| {
            shape.names().len() == fields.len()
                && shape.names().iter().zip(&fields).all(|(name, (other, _))| **name == **other)
        };
        match self.kept.iter().position(is_shape) {
            Some(found) => {
                if let Some(part) = self.kept.get_mut(..=found) {
                    part.rotate_right(1);
                }
            }
            None => {
                self.kept.truncate(KEPT_SHAPES - 1);
                self.kept.insert(0, Shape::new(fields.iter().map(|(name, _)| Name::from(*name))));
            }
        }
        match self.kept.first() {
            Some(shape) => Fields::of(shape, fields.into_iter().map(|(_, value)| value).collect()),
            None => Fields::new(),
        }
    }
}

/// The pages of one chunk.
struct Pages {
    filed: Page,
    sequence: Page,
    ingested: Page,
    stream: Page,
    said: Option<Page>,
    /// Named columns that have values here, in name order.
    named: Vec<Named>,
}

/// The page of a named column.
struct Named {
    column: usize,
    page: Page,
    ranks: Ranks,
}

impl Named {
    /// The number that the page has for a document.
    fn number(&self, place: usize) -> Option<i64> {
        let has = self.page.values.contains(place);
        has.then(|| self.page.packed().get(self.page.values.rank_after(&self.ranks, place)))
    }
}

impl Pages {
    fn read(reader: &Reader, chunk: usize) -> Result<Self> {
        let columns = reader.columns();
        let (extent, _) = reader.chunks().extent_of(chunk)?;
        let mut named = Vec::new();
        for (at, column) in columns.named() {
            if column.is_absent(extent) {
                continue;
            }
            let page = columns.page(at, chunk)?.filter(|page| !page.values.is_empty());
            named.extend(page.map(|page| Named { column: at, ranks: page.values.ranks(), page }));
        }
        Ok(Self {
            filed: columns.own(Own::Filed, chunk)?,
            sequence: columns.own(Own::Sequence, chunk)?,
            ingested: columns.own(Own::Ingested, chunk)?,
            stream: columns.own(Own::Stream, chunk)?,
            said: columns.page(Own::Said as usize, chunk)?,
            named,
        })
    }
}

/// What all events have.
struct OwnValues<'a> {
    position: Position,
    time: Timestamp,
    ingested: Option<Timestamp>,
    stream: (usize, &'a Arc<Stream>),
}

impl Pages {
    fn own<'r>(
        &self,
        reader: &'r Reader,
        dictionaries: &mut [Option<Arc<Dictionary>>],
        last: &mut Option<(i64, Option<Timestamp>)>,
        place: usize,
    ) -> Result<OwnValues<'r>> {
        let filed = self.filed.packed().get(place);
        let said = match &self.said {
            Some(page) if page.values.contains(place) => page.packed().get(page.values.rank(place)),
            _ => filed,
        };
        let number = self.ingested.packed().get(place);
        let ingested = match last {
            Some((known, ingested)) if *known == number => *ingested,
            _ => {
                let (column, kind) = (Own::Ingested as usize, self.ingested.kind);
                let ingested = value_of(reader, dictionaries, column, kind, number)?.as_time();
                *last = Some((number, ingested));
                ingested
            }
        };
        let stream = self.stream.packed().get(place) as usize;
        let of_stream = reader.streams().get(stream).ok_or(Malformed("an event names no stream"))?;
        let id = EventId::new(reader.partition(), self.sequence.packed().get(place) as u64);
        Ok(OwnValues {
            position: Position { filed: Timestamp::from_nanos(filed), id },
            time: Timestamp::from_nanos(said),
            ingested,
            stream: (stream, of_stream),
        })
    }
}

impl<'a> Rebuilder<'a> {
    pub(crate) fn new(reader: &'a Reader, control: &'a Control) -> Self {
        let dictionaries = vec![None; reader.columns().len()];
        Self {
            reader,
            records: reader.records(control),
            dictionaries,
            ingested: None,
            kept: Vec::new(),
            arrangement: None,
            shapes: Shapes::default(),
        }
    }

    /// The event at a place of a chunk.
    pub(crate) fn event(&mut self, chunk: usize, place: usize) -> Result<Event> {
        self.keep(chunk)?;
        let number = self.number_of(chunk, place)?;
        let Self { reader, records, dictionaries, ingested, kept, shapes, .. } = self;
        let pages = kept.last().map(|(_, pages)| pages).ok_or(Malformed("there is no such chunk"))?;
        let record = records.record(number)?;
        let own = pages.own(reader, dictionaries, ingested, place)?;
        let mut fields: Vec<(&str, Value)> = Vec::with_capacity(pages.named.len());
        for named in &pages.named {
            if let Some(number) = named.number(place) {
                let value = value_of(reader, dictionaries, named.column, named.page.kind, number)?;
                fields.push((&reader.columns().get(named.column)?.name, value));
            }
        }
        let of_columns = fields.len();
        record.residue(|name, value| fields.push((name, value)))?;
        if fields.len() > of_columns {
            fields.sort_by_key(|(name, _)| *name);
        }
        Ok(Event {
            id: Some(own.position.id),
            time: own.time,
            ingested: own.ingested,
            stream: Arc::clone(own.stream.1),
            message: Bytes::copy_from_slice(record.message),
            fields: shapes.fields(fields),
        })
    }

    /// Calls `visit` with the event at a place of a chunk, its fields in `words`.
    pub(crate) fn row(
        &mut self,
        chunk: usize,
        place: usize,
        words: &mut Words<'_>,
        visit: &mut dyn FnMut(&Row<'_>) -> usize,
    ) -> Result<usize> {
        self.keep(chunk)?;
        let number = self.number_of(chunk, place)?;
        let Self { reader, records, dictionaries, ingested, kept, .. } = self;
        let pages = kept.last().map(|(_, pages)| pages).ok_or(Malformed("there is no such chunk"))?;
        let record = records.record(number)?;
        let OwnValues { position, time, ingested, stream } =
            pages.own(reader, dictionaries, ingested, place)?;
        words.next_row();
        let mut fields: Vec<Cell<'_>> = Vec::with_capacity(pages.named.len() + 4);
        for named in &pages.named {
            let Some(number) = named.number(place) else { continue };
            let (name, kind) = (&*reader.columns().get(named.column)?.name, named.page.kind);
            fields.push(match kind {
                PageKind::Integers => words.add(name, &Value::Int(number)),
                PageKind::Ordinals => {
                    let value = || value_of(reader, dictionaries, named.column, kind, number);
                    words.add_known(name, (named.column, number as usize), value)?
                }
            });
        }
        let of_columns = fields.len();
        record.residue(|name, value| fields.push(words.add(name, &value)))?;
        if fields.len() > of_columns {
            fields.sort_by_key(|cell| cell.name);
        }
        let stream = (stream.0, &**stream.1);
        let (message, fields) = (record.message, fields.as_slice());
        Ok(visit(&Row { position, time, ingested, stream, message, words, fields }))
    }

    /// The record at a place of a chunk: its message and residue.
    pub(crate) fn record(&mut self, chunk: usize, place: usize) -> Result<Record<'_>> {
        let number = self.number_of(chunk, place)?;
        self.records.record(number)
    }

    /// The places of some documents of a chunk in the order in which their records are stored: so each block is read once.
    pub(crate) fn by_record(&mut self, chunk: usize, documents: &Mask) -> Result<Vec<usize>> {
        let arrangement = self.arrangement(chunk)?;
        let mut places: Vec<usize> = documents.iter().collect();
        places.sort_unstable_by_key(|place| arrangement.rank(*place));
        Ok(places)
    }

    fn arrangement(&mut self, chunk: usize) -> Result<&Arrangement> {
        if self.arrangement.as_ref().is_none_or(|(at, _)| *at != chunk) {
            self.arrangement = Some((chunk, self.reader.arrangement(chunk)?));
        }
        let found = self.arrangement.as_ref().ok_or(Malformed("there is no such chunk"))?;
        Ok(&found.1)
    }

    /// The number of a document's record.
    fn number_of(&mut self, chunk: usize, place: usize) -> Result<u32> {
        let rank = self.arrangement(chunk)?.rank(place).ok_or(Malformed("there is no such document"))?;
        Ok(self.reader.chunks().range(chunk).start + rank as u32)
    }

    /// Makes the pages of `chunk` the last of those kept.
    fn keep(&mut self, chunk: usize) -> Result<()> {
        if let Some(found) = self.kept.iter().rposition(|(other, _)| *other == chunk) {
            if let Some(part) = self.kept.get_mut(found..) {
                part.rotate_left(1);
            }
            return Ok(());
        }
        if self.kept.len() >= KEPT_CHUNKS {
            self.kept.remove(0);
        }
        self.kept.push((chunk, Pages::read(self.reader, chunk)?));
        Ok(())
    }
}

/// The value that a number on a page of a column stands for.
fn value_of(
    reader: &Reader,
    dictionaries: &mut [Option<Arc<Dictionary>>],
    column: usize,
    kind: PageKind,
    number: i64,
) -> Result<Value> {
    if kind == PageKind::Integers {
        return Ok(Value::Int(number));
    }
    let slot = dictionaries.get_mut(column).ok_or(Malformed("there is no such column"))?;
    let dictionary = match slot {
        Some(dictionary) => dictionary,
        None => slot.insert(reader.columns().dictionary(column)?),
    };
    Ok(dictionary.value(u32::try_from(number).unwrap_or(u32::MAX))?)
}
