//! Makes a split: sorts the events by (filed, sequence), writes blocks, rows, streams and index into one object.
//!
//! Does not know where the object goes, nor the catalog.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use locard_event::{Event, Timestamp};
use uuid::Uuid;

use super::blocks::{BlockReader, BlockWriter};
use super::fault::Fault;
use super::index::IndexWriter;
use super::object::{Header, ObjectWriter};
use super::rows::{self, Row, RowReader};
use super::streams::{self, StreamTable};
use super::{Split, SplitMeta, guard};
use crate::{Control, Error};

/// What a split is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// Accepted events of one partition, in sequence order.
    Events(&'a [Arc<[Event]>]),
    /// Adjacent splits of one partition, in sequence order.
    Splits(&'a [Split]),
}

/// Writes a split to the new file `path`, synced, using the empty folder `scratch`.
pub(crate) fn write(
    path: &Path,
    scratch: &Path,
    source: Source<'_>,
    created: Timestamp,
) -> Result<SplitMeta, Error> {
    let id = Uuid::new_v4();
    let mut writer = SplitWriter::create(path, scratch)?;
    let (partition, sequences, level) = match source {
        Source::Events(batches) => {
            let (partition, sequences) = check_events(batches)?;
            add_events(&mut writer, batches)?;
            (partition, sequences, 0)
        }
        Source::Splits(splits) => {
            let (partition, sequences, level) = check_splits(splits)?;
            add_splits(&mut writer, splits)?;
            (partition, sequences, level)
        }
    };
    writer.finish(id, partition, sequences, created, level)
}

/// Takes events in document order.
struct SplitWriter {
    object: ObjectWriter,
    blocks: BlockWriter,
    index: IndexWriter,
    streams: StreamTable,
    rows: Vec<Row>,
}

impl SplitWriter {
    fn create(path: &Path, scratch: &Path) -> Result<Self, Error> {
        let object = ObjectWriter::create(path).map_err(|error| Error::io("creating a split", error))?;
        Ok(Self {
            blocks: BlockWriter::new(&object),
            object,
            index: IndexWriter::new(scratch),
            streams: StreamTable::default(),
            rows: Vec::new(),
        })
    }

    fn add(&mut self, event: &Event, row: Row) -> Result<(), Error> {
        let stream = self.streams.ordinal(&event.stream);
        self.blocks.add(&mut self.object, event, stream).map_err(writing)?;
        self.index.add(event, stream)?;
        self.rows.push(row);
        Ok(())
    }

    fn finish(
        mut self,
        id: Uuid,
        partition: u32,
        sequences: Range<u64>,
        created: Timestamp,
        level: u8,
    ) -> Result<SplitMeta, Error> {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else {
            return Err(Error::Conflict("a split needs an event".into()));
        };
        let filed = (first.filed, last.filed);
        let events = self.rows.len() as u64;
        self.blocks.finish(&mut self.object).map_err(writing)?;
        rows::write(&mut self.object, &self.rows).map_err(writing)?;
        let table = self.streams.encode().map_err(writing)?;
        self.object.section(streams::SECTION, &table).map_err(writing)?;
        self.index.finish(&mut self.object)?;
        let header = Header { id, partition, sequences: sequences.clone(), events, filed };
        let bytes = self.object.finish(&header).map_err(writing)?;
        Ok(SplitMeta { id, partition, sequences, events, filed, bytes, created, level })
    }
}

fn writing(error: std::io::Error) -> Error {
    Error::io("writing a split", error)
}

/// The partition and the range of sequence numbers; every event must have been accepted.
fn check_events(batches: &[Arc<[Event]>]) -> Result<(u32, Range<u64>), Error> {
    let mut found: Option<(u32, Range<u64>)> = None;
    for event in batches.iter().flat_map(|batch| batch.iter()) {
        let (Some(id), Some(_)) = (event.id, event.ingested) else {
            return Err(Error::Conflict("an event was never accepted".into()));
        };
        found = Some(match found {
            None => (id.partition, id.sequence..id.sequence + 1),
            Some((partition, range)) if partition == id.partition && range.end <= id.sequence => {
                (partition, range.start..id.sequence + 1)
            }
            Some(_) => {
                return Err(Error::Conflict("events are not one partition's in sequence order".into()));
            }
        });
    }
    found.ok_or_else(|| Error::Conflict("a split needs an event".into()))
}

fn add_events(writer: &mut SplitWriter, batches: &[Arc<[Event]>]) -> Result<(), Error> {
    let mut events: Vec<(Row, &Event)> =
        batches.iter().flat_map(|batch| batch.iter()).map(|event| (row_of(event), event)).collect();
    // Stable and nearly sorted: sequence order is nearly time order.
    events.sort_by_key(|(row, _)| *row);
    events.into_iter().try_for_each(|(row, event)| writer.add(event, row))
}

fn row_of(event: &Event) -> Row {
    Row { filed: event.filed(), sequence: event.id.map_or(0, |id| id.sequence) }
}

/// The partition, the sequence range and the level of what these splits merge into.
fn check_splits(splits: &[Split]) -> Result<(u32, Range<u64>, u8), Error> {
    let mut found: Option<(u32, Range<u64>, u8)> = None;
    for split in splits {
        let SplitMeta { partition, sequences, level, .. } = split.meta();
        found = Some(match found {
            None => (*partition, sequences.clone(), *level),
            Some((own, range, top)) if own == *partition && range.end <= sequences.start => {
                (own, range.start..sequences.end, top.max(*level))
            }
            Some(_) => {
                return Err(Error::Conflict("splits are not one partition's in sequence order".into()));
            }
        });
    }
    let (partition, sequences, level) = found.ok_or_else(|| Error::Conflict("nothing to merge".into()))?;
    Ok((partition, sequences, level.saturating_add(1)))
}

/// One split's events, in its own order.
struct Head<'a> {
    split: &'a Split,
    rows: RowReader<'a>,
    events: BlockReader<'a>,
    next: u32,
}

/// Interleaves the splits by (filed, sequence): each is in that order already.
fn add_splits(writer: &mut SplitWriter, splits: &[Split]) -> Result<(), Error> {
    let control = Control::default();
    let mut heads: Vec<Head<'_>> = splits
        .iter()
        .map(|split| Head {
            split,
            rows: split.reader().rows(),
            events: split.reader().events(&control),
            next: 0,
        })
        .collect();
    let mut order = BinaryHeap::new();
    for (at, head) in heads.iter_mut().enumerate() {
        order.extend(head.peek()?.map(|row| Reverse((row, at))));
    }
    while let Some(Reverse((row, at))) = order.pop() {
        let Some(head) = heads.get_mut(at) else { continue };
        let event = head.take()?;
        writer.add(&event, row)?;
        order.extend(head.peek()?.map(|row| Reverse((row, at))));
    }
    Ok(())
}

impl Head<'_> {
    fn peek(&mut self) -> Result<Option<Row>, Error> {
        if u64::from(self.next) >= self.split.meta().events {
            return Ok(None);
        }
        let (rows, next) = (&mut self.rows, self.next);
        read(self.split, || rows.row(next)).map(Some)
    }

    fn take(&mut self) -> Result<Event, Error> {
        let (events, next) = (&mut self.events, self.next);
        self.next += 1;
        read(self.split, || events.event(next))
    }
}

fn read<T>(split: &Split, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Error> {
    guard(split.meta().id, work, || split.reader().corruption())
}
