//! [`Rebuilder`]: events put together again from columns and records.

use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, EventId, Fields, Name, Shape, Timestamp, Value};

use super::arrangement::Arrangement;
use super::blocks::{BlockReader, Record};
use super::bytes::Malformed;
use super::columns::{Own, Page, PageKind};
use super::dictionary::Dictionary;
use super::fault::Result;
use super::read::Reader;
use crate::Control;

/// Chunks whose pages are kept at hand.
const KEPT_CHUNKS: usize = 4;

/// Puts events together, keeping what it read last.
pub(crate) struct Rebuilder<'a> {
    reader: &'a Reader,
    records: BlockReader<'a>,
    dictionaries: Vec<Option<Arc<Dictionary>>>,
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
    named: Vec<(usize, Page)>,
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
            named.extend(
                columns.page(at, chunk)?.filter(|page| !page.values.is_empty()).map(|page| (at, page)),
            );
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

impl<'a> Rebuilder<'a> {
    pub(crate) fn new(reader: &'a Reader, control: &'a Control) -> Self {
        let dictionaries = vec![None; reader.columns().len()];
        Self {
            reader,
            records: reader.records(control),
            dictionaries,
            kept: Vec::new(),
            arrangement: None,
            shapes: Shapes::default(),
        }
    }

    /// The event at a place of a chunk.
    pub(crate) fn event(&mut self, chunk: usize, place: usize) -> Result<Event> {
        self.keep(chunk)?;
        let number = self.number_of(chunk, place)?;
        let Self { reader, records, dictionaries, kept, shapes, .. } = self;
        let pages = kept.last().map(|(_, pages)| pages).ok_or(Malformed("there is no such chunk"))?;
        let record = records.record(number)?;
        let filed = pages.filed.packed().get(place);
        let said = match &pages.said {
            Some(page) if page.values.contains(place) => page.packed().get(page.values.rank(place)),
            _ => filed,
        };
        let ingested = value_of(reader, dictionaries, Own::Ingested as usize, &pages.ingested, place)?;
        let stream = pages.stream.packed().get(place);
        let stream = reader.streams().get(stream as usize).ok_or(Malformed("an event names no stream"))?;
        let sequence = pages.sequence.packed().get(place) as u64;
        let mut fields: Vec<(&str, Value)> = Vec::with_capacity(pages.named.len());
        for (column, page) in &pages.named {
            if page.values.contains(place) {
                let value = value_of(reader, dictionaries, *column, page, place)?;
                fields.push((&reader.columns().get(*column)?.name, value));
            }
        }
        let of_columns = fields.len();
        record.residue(|name, value| fields.push((name, value)))?;
        if fields.len() > of_columns {
            fields.sort_by_key(|(name, _)| *name);
        }
        Ok(Event {
            id: Some(EventId::new(reader.partition(), sequence)),
            time: Timestamp::from_nanos(said),
            ingested: ingested.as_time(),
            stream: Arc::clone(stream),
            message: Bytes::copy_from_slice(record.message),
            fields: shapes.fields(fields),
        })
    }

    /// The record at a place of a chunk: its message and residue.
    pub(crate) fn record(&mut self, chunk: usize, place: usize) -> Result<Record<'_>> {
        let number = self.number_of(chunk, place)?;
        self.records.record(number)
    }

    /// The number of a document's record.
    fn number_of(&mut self, chunk: usize, place: usize) -> Result<u32> {
        let arrangement = match &mut self.arrangement {
            Some((at, arrangement)) if *at == chunk => arrangement,
            slot => &slot.insert((chunk, self.reader.arrangement(chunk)?)).1,
        };
        let rank = arrangement.rank(place).ok_or(Malformed("there is no such document"))?;
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

/// The value of a column at a place that has one.
fn value_of(
    reader: &Reader,
    dictionaries: &mut [Option<Arc<Dictionary>>],
    column: usize,
    page: &Page,
    place: usize,
) -> Result<Value> {
    let number = page.packed().get(page.values.rank(place));
    if page.kind == PageKind::Integers {
        return Ok(Value::Int(number));
    }
    let slot = dictionaries.get_mut(column).ok_or(Malformed("there is no such column"))?;
    let dictionary = match slot {
        Some(dictionary) => dictionary,
        None => slot.insert(reader.columns().dictionary(column)?),
    };
    Ok(dictionary.value(u32::try_from(number).unwrap_or(u32::MAX))?)
}
