//! Makes a split of events: sorts them by (filed, sequence), takes the messages apart, makes columns, filters and blocks of them,
//! and writes it all into one object.
//!
//! Does not know where the object goes, nor the catalog. Splits made of splits: [`super::merge`].

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use locard_event::{Event, Timestamp, Value};
use uuid::Uuid;

use super::blocks::BlockWriter;
use super::canonical::canonical;
use super::chunks::{self, Chunk, Chunks, EXTENT};
use super::columns::{Fresh, OwnRow, PRESENCE_SECTION, Place, Planned};
use super::mask::CHUNK;
use super::needles::GROUP;
use super::object::{Header, ObjectWriter};
use super::presence::{self, SetsWriter};
use super::streams::{self, StreamTable};
use super::templates::{self, TemplateTable};
use super::words::WordLists;
use super::{SplitMeta, needles};
use crate::Error;
use locard_filter::template::{Scanner, key_of_presence, key_of_value};

/// Documents of a chunk. Tests make small chunks, to have many.
const CHUNK_DOCUMENTS: usize = if cfg!(test) { 7 } else { CHUNK };
pub(crate) const NEEDLES_SECTION: &str = "needles";

/// What a split is, apart from what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) partition: u32,
    pub(crate) sequences: Range<u64>,
    pub(crate) created: Timestamp,
    pub(crate) level: u8,
}

/// Writes a split of accepted events of one partition, in sequence order, to the new file `path`, synced.
pub(crate) fn write(path: &Path, batches: &[Arc<[Event]>], created: Timestamp) -> Result<SplitMeta, Error> {
    let (partition, sequences) = check_events(batches)?;
    let events: Vec<&Event> = batches.iter().flat_map(|batch| batch.iter()).collect();
    write_events(path, events, Label { partition, sequences, created, level: 0 })
}

/// Writes a split of these events, which have ids and ingest times.
pub(crate) fn write_events(path: &Path, mut events: Vec<&Event>, label: Label) -> Result<SplitMeta, Error> {
    // Nearly sorted already: sequence order is nearly time order.
    events.sort_by_key(|event| position(event));
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err(Error::Conflict("a split needs an event".into()));
    };
    let filed = (first.filed(), last.filed());
    let count = events.len() as u64;
    let made = make(path, &events).map_err(writing)?;
    finish(made, label, count, filed)
}

/// Writes footer and trailer.
pub(crate) fn finish(
    object: ObjectWriter,
    label: Label,
    events: u64,
    filed: (Timestamp, Timestamp),
) -> Result<SplitMeta, Error> {
    let Label { partition, sequences, created, level } = label;
    let id = Uuid::new_v4();
    let header = Header { id, partition, sequences: sequences.clone(), events, filed };
    let bytes = object.finish(&header).map_err(writing)?;
    Ok(SplitMeta { id, partition, sequences, events, filed, bytes, created, level })
}

pub(crate) fn writing(error: io::Error) -> Error {
    Error::io("writing a split", error)
}

fn position(event: &Event) -> (i64, u64) {
    (event.filed().nanos(), event.id.map_or(0, |id| id.sequence))
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

/// Writes all sections of sorted events.
fn make(path: &Path, events: &[&Event]) -> io::Result<ObjectWriter> {
    let mut object = ObjectWriter::create(path)?;
    let mut tables = Tables::default();
    let mut fresh = Fresh::default();
    let mut needles = Needles::of(events.len());
    for (document, event) in events.iter().enumerate() {
        let row = tables.row(event, document, &mut needles);
        fresh.add(row, &event.fields);
    }
    let mut planned = fresh.plan()?;
    write_blocks(&mut object, events, &planned, &mut needles, &mut tables.scanner)?;
    let Needles { keys, words } = needles;
    let (words, pages) = words.finish(keys.len());
    let chunks = write_chunks(&mut object, events, &mut planned, keys, &pages)?;
    object.section(chunks::SECTION, &chunks.encode()?)?;
    planned.finish(&mut object, &words)?;
    object.section(streams::SECTION, &tables.streams.encode()?)?;
    object.section(templates::SECTION, &tables.templates.finish().encode()?)?;
    Ok(object)
}

/// What is to be found by word: keys by chunk and group, and listed words.
struct Needles {
    keys: Vec<Vec<Vec<u64>>>,
    words: WordLists,
}

impl Needles {
    fn of(events: usize) -> Self {
        let groups = |first: usize| (events - first).min(CHUNK_DOCUMENTS).div_ceil(GROUP);
        let keys =
            (0..events).step_by(CHUNK_DOCUMENTS).map(|first| vec![Vec::new(); groups(first)]).collect();
        Self { keys, words: WordLists::default() }
    }

    /// The keys of the group that a document is in.
    fn keys(&mut self, document: usize) -> Option<&mut Vec<u64>> {
        let chunk = self.keys.get_mut(document / CHUNK_DOCUMENTS)?;
        chunk.get_mut(document % CHUNK_DOCUMENTS / GROUP)
    }

    /// Notes the listed words of what `scanner` read last.
    fn list(&mut self, document: usize, scanner: &Scanner) {
        let (chunk, place) = (document / CHUNK_DOCUMENTS, document % CHUNK_DOCUMENTS);
        scanner.words().for_each(|word| self.words.add(chunk, place, word));
    }

    /// The keys and listed words of a text without template.
    fn add_text(&mut self, document: usize, text: &[u8], scanner: &mut Scanner) {
        if let Some(keys) = self.keys(document) {
            scanner.keys_of(text, keys);
        }
        self.list(document, scanner);
    }
}

/// What gives streams and templates their ordinals.
#[derive(Default)]
struct Tables {
    streams: StreamTable,
    templates: TemplateTable,
    scanner: Scanner,
}

impl Tables {
    /// What all events have, of this one. What its message is found by goes to `needles`.
    fn row(&mut self, event: &Event, document: usize, needles: &mut Needles) -> OwnRow {
        let filed = event.filed().nanos();
        let Self { streams, templates, scanner } = self;
        scanner.scan(&event.message);
        if let Some(keys) = needles.keys(document) {
            keys.extend_from_slice(scanner.keys());
        }
        needles.list(document, scanner);
        let template = templates.ordinal(scanner.template(), scanner.slots(), filed);
        if template == 0 && scanner.template().is_some() {
            // One template too many: its words are found as those of variables are.
            needles.add_text(document, &event.message, scanner);
        }
        OwnRow {
            filed,
            sequence: event.id.map_or(0, |id| id.sequence),
            ingested: event.ingested.map_or(filed, Timestamp::nanos),
            stream: streams.ordinal(&event.stream),
            template,
            said: Some(event.time.nanos()).filter(|said| *said != filed),
        }
    }
}

/// Writes messages and residue, and adds what the values are found by that no dictionary holds.
fn write_blocks(
    object: &mut ObjectWriter,
    events: &[&Event],
    planned: &Planned,
    needles: &mut Needles,
    scanner: &mut Scanner,
) -> io::Result<()> {
    let mut blocks = BlockWriter::new(object);
    for (document, event) in events.iter().enumerate() {
        let residue = planned.places(document).map(Place::is_residue);
        blocks.add(object, &event.message, &event.fields, residue)?;
        for ((name, value), place) in event.fields.iter().zip(planned.places(document)) {
            if place == Place::Dictionary {
                continue;
            }
            for element in value.elements() {
                needles.add_text(document, element.text().as_bytes(), scanner);
            }
            let Some(keys) = needles.keys(document) else { continue };
            if place.is_residue() {
                add_value(name, value, keys);
            }
            if place == Place::LeftOut {
                keys.push(key_of_presence(name));
            }
        }
    }
    blocks.finish(object)
}

/// The keys of a value as a whole: its text, and the one spelling of equal values.
fn add_value(name: &str, value: &Value, keys: &mut Vec<u64>) {
    for element in value.elements() {
        let text = element.text();
        keys.push(key_of_value(name, &text));
        if let Some(form) = canonical(&text).filter(|form| *form != text) {
            keys.push(key_of_value(name, &form));
        }
    }
}

/// Writes filters and presence sets, and the pages into `planned`.
fn write_chunks(
    object: &mut ObjectWriter,
    events: &[&Event],
    planned: &mut Planned,
    keys: Vec<Vec<Vec<u64>>>,
    words: &[Vec<u8>],
) -> io::Result<Chunks> {
    let mut chunks = Chunks::new(GROUP);
    let start = object.position();
    let mut filters = Vec::with_capacity(keys.len());
    for chunk in keys {
        let mut lengths = Vec::with_capacity(chunk.len());
        for mut keys in chunk {
            let filter = needles::build(&mut keys)?;
            object.write_all(&filter)?;
            lengths.push(filter.len() as u64);
        }
        filters.push(lengths);
    }
    object.end_section(NEEDLES_SECTION, start);
    let ranges: Vec<Range<usize>> = (0..events.len())
        .step_by(CHUNK_DOCUMENTS)
        .map(|first| first..(first + CHUNK_DOCUMENTS).min(events.len()))
        .collect();
    let start = object.position();
    for ((extent, filters), words) in
        ranges.chunks(EXTENT).zip(filters.chunks(EXTENT)).zip(words.chunks(EXTENT))
    {
        let mut sets: Vec<SetsWriter> = extent.iter().map(|_| SetsWriter::default()).collect();
        planned.add_extent(extent, &mut sets, words)?;
        let packed = presence::encode(&sets)?;
        object.write_all(&packed)?;
        let chunk = |(range, filters): (&Range<usize>, &Vec<u64>)| {
            chunk_of(events.get(range.clone()), filters.clone())
        };
        chunks.push(extent.iter().zip(filters).map(chunk), packed.len() as u64);
    }
    object.end_section(PRESENCE_SECTION, start);
    Ok(chunks)
}

fn chunk_of(events: Option<&[&Event]>, filters: Vec<u64>) -> Chunk {
    let events = events.unwrap_or_default();
    let sequences = || events.iter().map(|event| position(event).1);
    let filed = |event: Option<&&Event>| event.map_or(0, |event| event.filed().nanos());
    Chunk {
        documents: events.len(),
        filed: (filed(events.first()), filed(events.last())),
        sequences: sequences().min().unwrap_or(0)..sequences().max().unwrap_or(0) + 1,
        filters,
    }
}
