//! Makes a split of adjacent splits, in one of two ways.
//!
//! *Stacking*: blocks, filters and presence sets are copied as they are, tables and dictionaries merged, ordinals renumbered. Costs
//! little more than the copy, and keeps the sources' chunks. *Rewriting*: the events are read and written anew, which makes few full
//! chunks of many small ones. Neither changes an event or an id.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use locard_event::{Event, Timestamp};

use super::blocks::BlockWriter;
use super::chunks::{self, Chunks};
use super::columns::{self, Columns, PRESENCE_SECTION, Remap};
use super::fault::{Fault, Result};
use super::object::ObjectWriter;
use super::read::Reader;
use super::streams::{self, StreamTable};
use super::templates::{self, TemplateTable};
use super::write::{self, Label, NEEDLES_SECTION};
use super::{Split, SplitMeta};
use crate::{Control, Error};

/// Splits of fewer events a chunk than this, on the average, are rewritten.
const THIN_CHUNK: u64 = if cfg!(test) { 3 } else { 1024 };
/// More than this is stacked, however thin its chunks: a rewrite holds all events in memory.
const MAX_REWRITE_EVENTS: u64 = 128 * 1024;
const MAX_REWRITE_BYTES: u64 = 32 << 20;

/// Writes what these splits hold together to the new file `path`, synced.
pub(crate) fn merge(
    path: &Path,
    splits: &[Split],
    created: Timestamp,
    control: &Arc<Control>,
) -> std::result::Result<SplitMeta, Error> {
    let label = check_splits(splits, created)?;
    if is_thin(splits) || !is_of_one_kind(splits) {
        rewrite(path, splits, label, control)
    } else {
        stack(path, splits, label, control)
    }
}

/// What these splits merge into. Those of one class, each in the order of its range; the ranges may overlap.
fn check_splits(splits: &[Split], created: Timestamp) -> std::result::Result<Label, Error> {
    let first = splits.first().map(Split::meta).ok_or_else(|| Error::Conflict("nothing to merge".into()))?;
    let SplitMeta { partition, class, .. } = first.clone();
    let mut sequences = first.sequences.clone();
    let mut level = 0;
    let mut start = 0;
    let mut seen = HashSet::new();
    for meta in splits.iter().map(Split::meta) {
        let fits = meta.partition == partition && meta.class == class && meta.sequences.start >= start;
        if !fits || !seen.insert(meta.id) {
            let text = "splits are not of one partition and class in sequence order";
            return Err(Error::Conflict(text.into()));
        }
        start = meta.sequences.start;
        sequences.end = sequences.end.max(meta.sequences.end);
        level = level.max(meta.level);
    }
    Ok(Label { partition, sequences, created, level: level.saturating_add(1), class })
}

/// Whether their filters are for groups of the same size, so that they can stand side by side.
fn is_of_one_kind(splits: &[Split]) -> bool {
    let mut groups = splits.iter().map(|split| split.reader().chunks().group());
    let first = groups.next();
    groups.all(|group| Some(group) == first)
}

fn is_thin(splits: &[Split]) -> bool {
    let sum = |of: &dyn Fn(&Split) -> u64| splits.iter().map(of).sum::<u64>();
    let (events, bytes) = (sum(&|split| split.meta().events), sum(&|split| split.meta().bytes));
    let chunks = sum(&|split| split.reader().chunks().len() as u64);
    events < chunks * THIN_CHUNK && events <= MAX_REWRITE_EVENTS && bytes <= MAX_REWRITE_BYTES
}

fn rewrite(
    path: &Path,
    splits: &[Split],
    label: Label,
    control: &Arc<Control>,
) -> std::result::Result<SplitMeta, Error> {
    let mut events: Vec<Event> = Vec::new();
    for split in splits {
        control.check()?;
        split.everything(&mut |event| events.push(event))?;
    }
    write::write_events(path, events.iter().collect(), label, control)
}

fn stack(
    path: &Path,
    splits: &[Split],
    label: Label,
    control: &Arc<Control>,
) -> std::result::Result<SplitMeta, Error> {
    let readers: Vec<&Reader> = splits.iter().map(Split::reader).collect();
    let span =
        splits.iter().map(|split| split.meta().filed).reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)));
    let span = span.ok_or_else(|| Error::Conflict("nothing to merge".into()))?;
    let events = splits.iter().map(|split| split.meta().events).sum();
    let object = stacked(path, &readers, control).map_err(|fault| match fault {
        Fault::Io(error) => write::writing(error),
        other => other.of_split(splits.first().map(|split| split.meta().id).unwrap_or_default(), None),
    })?;
    write::finish(object, label, events, span)
}

fn stacked(path: &Path, readers: &[&Reader], control: &Arc<Control>) -> Result<ObjectWriter> {
    let mut object = ObjectWriter::create(path, control)?;
    let mut blocks = BlockWriter::new(&object);
    for reader in readers {
        blocks.copy(&mut object, reader.object(), reader.blocks())?;
    }
    blocks.finish(&mut object)?;
    let chunks = copy_chunks(&mut object, readers)?;
    object.section(chunks::SECTION, &chunks.encode()?)?;
    let mut streams = StreamTable::default();
    let mut templates = TemplateTable::default();
    let mut remaps = Vec::with_capacity(readers.len());
    for reader in readers {
        object.check()?;
        remaps.push(Remap {
            streams: reader.streams().iter().map(|stream| streams.ordinal(stream)).collect(),
            templates: templates.absorb(&reader.raw_templates()?),
        });
    }
    let (templates, became) = templates.finish();
    for ordinal in remaps.iter_mut().flat_map(|remap| &mut remap.templates) {
        *ordinal = became.get(*ordinal as usize).copied().unwrap_or(0);
    }
    let sources: Vec<&Columns> = readers.iter().map(|reader| reader.columns()).collect();
    columns::stack(&sources, &remaps, &mut object)?;
    object.section(streams::SECTION, &streams.encode()?)?;
    object.section(templates::SECTION, &templates.encode()?)?;
    Ok(object)
}

/// Copies filters and presence sets.
fn copy_chunks(object: &mut ObjectWriter, readers: &[&Reader]) -> Result<Chunks> {
    let mut chunks = Chunks::new(readers.first().map_or(1, |reader| reader.chunks().group()));
    let start = object.position();
    for reader in readers {
        for at in 0..reader.chunks().len() {
            object.check()?;
            object.write_all(&reader.packed_filters(at)?)?;
        }
    }
    object.end_section(NEEDLES_SECTION, start);
    let start = object.position();
    for reader in readers {
        for (at, span) in reader.chunks().extents().iter().enumerate() {
            object.check()?;
            let packed = reader.columns().packed_sets(at)?;
            object.write_all(&packed)?;
            let of_extent = reader.chunks().iter().skip(span.chunks.start).take(span.chunks.len());
            chunks.push(of_extent.cloned(), packed.len() as u64);
        }
    }
    object.end_section(PRESENCE_SECTION, start);
    Ok(chunks)
}
