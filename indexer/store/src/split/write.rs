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

use super::arrangement::Arrangement;
use super::blocks::BlockWriter;
use super::canonical::canonical;
use super::chunks::{self, Chunk, Chunks, EXTENT};
use super::columns::{Fresh, OwnRow, PRESENCE_SECTION, Place, Planned};
use super::fault::{self, Fault};
use super::mask::CHUNK;
use super::needles::GROUP;
use super::object::{Header, ObjectWriter};
use super::presence::{self, SetsWriter};
use super::streams::{self, StreamTable};
use super::templates::{self, TemplateTable};
use super::words::WordLists;
use super::{SplitMeta, needles};
use crate::{Class, Control, Error};
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
    pub(crate) class: Class,
}

/// Writes a split of accepted events of one partition, in sequence order, to the new file `path`, synced. With `places`, only of those
/// among them, ascending; its range is that of all.
pub(crate) fn write(
    path: &Path,
    batches: &[Arc<[Event]>],
    places: Option<&[u32]>,
    class: Class,
    created: Timestamp,
    control: &Arc<Control>,
) -> Result<SplitMeta, Error> {
    let (partition, sequences) = check_events(batches)?;
    let mut events: Vec<&Event> = batches.iter().flat_map(|batch| batch.iter()).collect();
    if let Some(places) = places {
        events = places.iter().filter_map(|place| events.get(*place as usize).copied()).collect();
    }
    write_events(path, events, Label { partition, sequences, created, level: 0, class }, control)
}

/// Writes a split of these events, which have ids and ingest times.
pub(crate) fn write_events(
    path: &Path,
    mut events: Vec<&Event>,
    label: Label,
    control: &Arc<Control>,
) -> Result<SplitMeta, Error> {
    // Nearly sorted already: sequence order is nearly time order.
    events.sort_by_key(|event| position(event));
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err(Error::Conflict("a split needs an event".into()));
    };
    let filed = (first.filed(), last.filed());
    let count = events.len() as u64;
    let made = make(path, &events, control).map_err(|fault| match fault {
        Fault::Io(error) => writing(error),
        other => other.of_split(Uuid::nil(), None),
    })?;
    finish(made, label, count, filed)
}

/// Writes footer and trailer.
pub(crate) fn finish(
    object: ObjectWriter,
    label: Label,
    events: u64,
    filed: (Timestamp, Timestamp),
) -> Result<SplitMeta, Error> {
    let Label { partition, sequences, created, level, class } = label;
    let id = Uuid::new_v4();
    let header = Header { id, partition, sequences: sequences.clone(), events, filed };
    let bytes = object.finish(&header).map_err(writing)?;
    Ok(SplitMeta { id, partition, sequences, events, filed, bytes, created, level, class })
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
fn make(path: &Path, events: &[&Event], control: &Arc<Control>) -> fault::Result<ObjectWriter> {
    let mut object = ObjectWriter::create(path, control)?;
    let mut tables = Tables::default();
    let mut fresh = Fresh::default();
    let mut needles = Needles::default();
    for (document, event) in events.iter().enumerate() {
        if document.is_multiple_of(CHUNK_DOCUMENTS) {
            object.check()?;
        }
        let row = tables.row(event, &mut needles);
        fresh.add(row, &event.fields);
    }
    let Tables { streams, templates, mut scanner } = tables;
    let (templates, became) = templates.finish();
    let mut planned = fresh.plan(&became, events.len().div_ceil(CHUNK_DOCUMENTS));
    needles.arrange(&planned);
    write_blocks(&mut object, events, &planned, &mut needles, &mut scanner)?;
    let Needles { keys, words, .. } = needles;
    let (words, pages) = words.finish(keys.len());
    let chunks = write_chunks(&mut object, events, &mut planned, keys, &pages)?;
    object.section(chunks::SECTION, &chunks.encode()?)?;
    planned.finish(&mut object, &words)?;
    object.section(streams::SECTION, &streams.encode()?)?;
    object.section(templates::SECTION, &templates.encode()?)?;
    Ok(object)
}

/// What is to be found by word: keys by chunk and group of records, and listed words.
#[derive(Default)]
struct Needles {
    keys: Vec<Vec<Vec<u64>>>,
    words: WordLists,
    /// How the records of each chunk are arranged.
    arrangements: Vec<Arrangement>,
    /// The keys of all messages, one after another, and where those of each end: as long as no order is known.
    fresh: Vec<u64>,
    ends: Vec<usize>,
}

impl Needles {
    /// Notes what `scanner` found last by word, of the next document's message, whose template has no place if `text` is given.
    fn add_message(&mut self, scanner: &mut Scanner, text: Option<&[u8]>) {
        let (chunk, place) = (self.ends.len() / CHUNK_DOCUMENTS, self.ends.len() % CHUNK_DOCUMENTS);
        self.fresh.extend_from_slice(scanner.keys());
        self.list(chunk, place, scanner);
        if let Some(text) = text {
            scanner.keys_of(text, &mut self.fresh);
            self.list(chunk, place, scanner);
        }
        self.ends.push(self.fresh.len());
    }

    /// The templates are known: the records of each chunk have an order, and the keys of each belong to a group.
    fn arrange(&mut self, planned: &Planned) {
        let (fresh, ends) = (std::mem::take(&mut self.fresh), std::mem::take(&mut self.ends));
        let mut start = 0;
        for (chunk, ends) in ends.chunks(CHUNK_DOCUMENTS).enumerate() {
            let first = chunk * CHUNK_DOCUMENTS;
            let arrangement = Arrangement::of(planned.templates(first..first + ends.len()));
            let mut groups: Vec<Vec<u64>> = vec![Vec::new(); ends.len().div_ceil(GROUP)];
            for (place, end) in ends.iter().enumerate() {
                let group = arrangement.rank(place).and_then(|rank| groups.get_mut(rank / GROUP));
                if let (Some(group), Some(keys)) = (group, fresh.get(start..*end)) {
                    group.extend_from_slice(keys);
                }
                start = *end;
            }
            groups.iter_mut().for_each(dedup);
            self.keys.push(groups);
            self.arrangements.push(arrangement);
        }
    }

    /// The keys of the group that a record is in.
    fn keys(&mut self, chunk: usize, rank: usize) -> Option<&mut Vec<u64>> {
        self.keys.get_mut(chunk)?.get_mut(rank / GROUP)
    }

    /// Notes the listed words of what `scanner` read last.
    fn list(&mut self, chunk: usize, place: usize, scanner: &Scanner) {
        scanner.words().for_each(|word| self.words.add(chunk, place, word));
    }
}

/// Keeps each key of a group once: most are there many times.
fn dedup(keys: &mut Vec<u64>) {
    keys.sort_unstable();
    keys.dedup();
    keys.shrink_to_fit();
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
    fn row(&mut self, event: &Event, needles: &mut Needles) -> OwnRow {
        let filed = event.filed().nanos();
        let Self { streams, templates, scanner } = self;
        scanner.scan(&event.message);
        let template = templates.ordinal(scanner.template(), scanner.slots(), filed);
        // One template too many: its words are found as those of variables are.
        let is_without = template == 0 && scanner.template().is_some();
        needles.add_message(scanner, is_without.then_some(&*event.message));
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
) -> fault::Result<()> {
    let mut blocks = BlockWriter::new(object);
    for (chunk, of_chunk) in events.chunks(CHUNK_DOCUMENTS).enumerate() {
        object.check()?;
        let Some(arrangement) = needles.arrangements.get_mut(chunk).map(std::mem::take) else { continue };
        for (rank, place) in arrangement.places(0..of_chunk.len()).enumerate() {
            let (document, Some(event)) = (chunk * CHUNK_DOCUMENTS + place, of_chunk.get(place)) else {
                continue;
            };
            let residue = planned.places(document).map(Place::is_residue);
            blocks.add(object, &event.message, &event.fields, residue)?;
            for ((name, value), kept) in event.fields.iter().zip(planned.places(document)) {
                add_field(name, value, kept, (chunk, rank, place), needles, scanner);
            }
        }
        blocks.end_chunk(object)?;
    }
    Ok(blocks.finish(object)?)
}

/// What a value is found by that is in no dictionary: in which chunk, by which record, of which document.
fn add_field(
    name: &str,
    value: &Value,
    kept: Place,
    (chunk, rank, place): (usize, usize, usize),
    needles: &mut Needles,
    scanner: &mut Scanner,
) {
    if kept == Place::Dictionary {
        return;
    }
    for element in value.elements() {
        if let Some(keys) = needles.keys(chunk, rank) {
            scanner.keys_of(element.text().as_bytes(), keys);
        }
        needles.list(chunk, place, scanner);
    }
    let Some(keys) = needles.keys(chunk, rank) else { return };
    if kept.is_residue() {
        add_value(name, value, keys);
    }
    if kept == Place::LeftOut {
        keys.push(key_of_presence(name));
    }
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
) -> fault::Result<Chunks> {
    let mut chunks = Chunks::new(GROUP);
    let start = object.position();
    let mut filters = Vec::with_capacity(keys.len());
    for chunk in keys {
        object.check()?;
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
        object.check()?;
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
