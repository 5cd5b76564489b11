//! Messages and residue: what the columns cannot give back, in zstd blocks of about 32 KiB, and where each block begins.
//!
//! A record stands on its own (it names its fields), so that blocks are copied from split to split as they are.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;

use locard_event::{Fields, Value};

use super::bytes::{Input, Malformed, Result, put_bytes, put_varint};
use super::fault::Fault;
use super::object::{Object, ObjectWriter};
use super::{codec, pack};
use crate::Control;

pub(crate) const SECTION: &str = "events";
const INDEX_SECTION: &str = "events.index";
/// Measured on messages of the shared corpus, in the order of templates: against 128 KiB 4 % larger, and a quarter as dear to enter.
const BLOCK_BYTES: usize = if cfg!(test) { 100 } else { 32 * 1024 };
/// Largest block. One event larger than a block makes a block of its own.
const MAX_BLOCK_BYTES: usize = 1 << 30;
/// Blocks a reader keeps decompressed: enough for time order to wander across the templates of two chunks.
const KEPT_BLOCKS: usize = if cfg!(test) { 2 } else { 64 };

/// Writes records, chunk after chunk, in the order of its [`super::arrangement`].
#[derive(Debug)]
pub(crate) struct BlockWriter {
    start: u64,
    lengths: Vec<u64>,
    raw: Vec<u8>,
    index: Vec<u8>,
    blocks: u64,
    // Room for a block, plain and packed: fresh pages for each would be cleared first.
    block: Vec<u8>,
    packed: Vec<u8>,
}

impl BlockWriter {
    pub(crate) fn new(object: &ObjectWriter) -> Self {
        Self {
            start: object.position(),
            lengths: Vec::new(),
            raw: Vec::new(),
            index: Vec::new(),
            blocks: 0,
            block: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// Adds the next record: a document's message, and those of its fields for which `residue` says so.
    pub(crate) fn add(
        &mut self,
        object: &mut ObjectWriter,
        message: &[u8],
        fields: &Fields,
        residue: impl Iterator<Item = bool>,
    ) -> io::Result<()> {
        let before = self.raw.len();
        put_bytes(&mut self.raw, message);
        for ((name, value), _) in fields.iter().zip(residue).filter(|(_, residue)| *residue) {
            put_bytes(&mut self.raw, name.as_bytes());
            codec::put_value(&mut self.raw, value);
        }
        self.lengths.push((self.raw.len() - before) as u64);
        if self.raw.len() >= BLOCK_BYTES { self.end_block(object) } else { Ok(()) }
    }

    /// No block goes over the end of a chunk.
    pub(crate) fn end_chunk(&mut self, object: &mut ObjectWriter) -> io::Result<()> {
        if self.lengths.is_empty() { Ok(()) } else { self.end_block(object) }
    }

    /// Copies the blocks of another split as they are.
    pub(crate) fn copy(
        &mut self,
        object: &mut ObjectWriter,
        source: &Object,
        blocks: &BlockIndex,
    ) -> std::result::Result<(), Fault> {
        for (at, (first, range)) in blocks.blocks.iter().enumerate() {
            object.check()?;
            let end = blocks.blocks.get(at + 1).map_or(blocks.documents, |(first, _)| *first);
            put_varint(&mut self.index, u64::from(end - first));
            put_varint(&mut self.index, range.end - range.start);
            self.blocks += 1;
            object.write_all(&source.read(range.clone())?)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, object: &mut ObjectWriter) -> io::Result<()> {
        self.end_chunk(object)?;
        object.end_section(SECTION, self.start);
        let mut index = Vec::new();
        put_varint(&mut index, self.blocks);
        index.extend_from_slice(&self.index);
        object.section(INDEX_SECTION, &pack::pack(&index)?)
    }

    fn end_block(&mut self, object: &mut ObjectWriter) -> io::Result<()> {
        let Self { block, packed, .. } = self;
        block.clear();
        put_varint(block, self.lengths.len() as u64);
        self.lengths.iter().for_each(|length| put_varint(block, *length));
        block.append(&mut self.raw);
        if block.len() > MAX_BLOCK_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an event is too large"));
        }
        pack::pack_into(block, packed)?;
        put_varint(&mut self.index, self.lengths.len() as u64);
        put_varint(&mut self.index, packed.len() as u64);
        self.lengths.clear();
        self.blocks += 1;
        object.write_all(packed)
    }
}

/// Where the blocks are.
#[derive(Debug)]
pub(crate) struct BlockIndex {
    /// First document and bytes of each block.
    blocks: Vec<(u32, Range<u64>)>,
    documents: u32,
}

impl BlockIndex {
    /// Reads the index; it must cover exactly `documents`.
    pub(crate) fn open(object: &Object, documents: u32) -> std::result::Result<Self, Fault> {
        let section = object.section(SECTION).ok_or(Malformed("there are no events"))?;
        let index = object.section(INDEX_SECTION).ok_or(Malformed("there is no event index"))?;
        let raw = pack::unpack(&object.read(index)?, MAX_BLOCK_BYTES)?;
        Ok(Self { blocks: read_index(&raw, section, documents)?, documents })
    }

    fn block_of(&self, record: u32) -> Option<usize> {
        self.blocks.partition_point(|(first, _)| *first <= record).checked_sub(1)
    }
}

fn read_index(raw: &[u8], section: Range<u64>, documents: u32) -> Result<Vec<(u32, Range<u64>)>> {
    let mut input = Input::new(raw);
    let mut blocks = Vec::new();
    let (mut first, mut start) = (0u32, section.start);
    for _ in 0..input.count()? {
        let (count, length) = (input.varint()?, input.varint()?);
        let end = start.checked_add(length).filter(|end| *end <= section.end);
        let end = end.ok_or(Malformed("a block lies outside its section"))?;
        blocks.push((first, start..end));
        let next = u32::try_from(count).ok().and_then(|count| first.checked_add(count));
        (first, start) = (next.ok_or(Malformed("there are too many events"))?, end);
    }
    input.end()?;
    if first == documents && start == section.end { Ok(blocks) } else { Err(Malformed("blocks are missing")) }
}

#[derive(Debug)]
struct Block {
    raw: Vec<u8>,
    /// Where the records begin, and where each ends, from there on.
    start: usize,
    ends: Vec<usize>,
}

impl Block {
    fn read(packed: &[u8]) -> Result<Self> {
        let raw = pack::unpack(packed, MAX_BLOCK_BYTES)?;
        let mut input = Input::new(&raw);
        let count = input.count()?;
        let mut ends = Vec::with_capacity(count);
        let mut end = 0usize;
        for _ in 0..count {
            end = end.checked_add(input.length()?).ok_or(Malformed("an event is too long"))?;
            ends.push(end);
        }
        let records = input.rest().len();
        let start = raw.len() - records;
        if end == records {
            Ok(Self { raw, start, ends })
        } else {
            Err(Malformed("a block's length differs"))
        }
    }

    /// The bytes of one of its records.
    fn record(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        let records = self.raw.get(self.start..)?;
        records.get(start..*self.ends.get(at)?)
    }
}

/// What a split stores of one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) message: &'a [u8],
    residue: Input<'a>,
}

impl<'a> Record<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut residue = Input::new(bytes);
        Ok(Self { message: residue.bytes()?, residue })
    }

    /// Calls `visit` with every field that is in no column, in name order.
    pub(crate) fn residue(&self, mut visit: impl FnMut(&'a str, Value)) -> Result<()> {
        let mut input = self.residue;
        while !input.rest().is_empty() {
            let name = input.text()?;
            visit(name, codec::take_value(&mut input, 0)?);
        }
        Ok(())
    }

    /// Whether a value that is in no column is a text for which `of_text` holds, or another for which `of_value` does. Texts are
    /// not copied for that.
    pub(crate) fn has(
        &self,
        of_text: impl Fn(&[u8]) -> bool,
        of_value: impl Fn(&Value) -> bool,
    ) -> Result<bool> {
        let mut input = self.residue;
        while !input.rest().is_empty() {
            input.bytes()?;
            let found = match codec::take_text(&mut input)? {
                Some(text) => of_text(text),
                None => of_value(&codec::take_value(&mut input, 0)?),
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Reads records, a block at a time, keeping the last few.
pub(crate) struct BlockReader<'a> {
    object: &'a Object,
    index: &'a BlockIndex,
    control: &'a Control,
    kept: HashMap<usize, Kept, RandomState>,
    /// How often a block was asked for.
    clock: u64,
    /// The records of the block that was read last, and which that is.
    last: (Range<u32>, usize),
}

struct Kept {
    block: Block,
    /// When it was last asked for.
    used: u64,
}

impl<'a> BlockReader<'a> {
    pub(crate) fn new(object: &'a Object, index: &'a BlockIndex, control: &'a Control) -> Self {
        Self { object, index, control, kept: HashMap::default(), clock: 0, last: (0..0, 0) }
    }

    /// The record of this number.
    pub(crate) fn record(&mut self, record: u32) -> std::result::Result<Record<'_>, Fault> {
        if !self.last.0.contains(&record) {
            self.enter(record)?;
        }
        let Self { kept, control, last: (records, at), .. } = self;
        let (first, at) = (records.start, *at);
        let block = kept.get(&at).map(|kept| &kept.block).ok_or(Malformed("there is no such block"))?;
        let bytes = block.record((record - first) as usize).ok_or(Malformed("there is no such event"))?;
        control.scanned(1, 0);
        Ok(Record::read(bytes)?)
    }

    /// Makes the block that holds a record the last one read.
    fn enter(&mut self, record: u32) -> std::result::Result<(), Fault> {
        self.last = (0..0, 0);
        let at = self.index.block_of(record).ok_or(Malformed("there is no such record"))?;
        let (first, range) = self.index.blocks.get(at).ok_or(Malformed("there is no such block"))?;
        let end = self.index.blocks.get(at + 1).map_or(self.index.documents, |(next, _)| *next);
        self.keep(at, range)?;
        self.last = (*first..end, at);
        Ok(())
    }

    /// Makes block `at` the last of those kept.
    fn keep(&mut self, at: usize, range: &Range<u64>) -> std::result::Result<(), Fault> {
        self.clock += 1;
        if let Some(kept) = self.kept.get_mut(&at) {
            kept.used = self.clock;
            return Ok(());
        }
        let packed = self.object.read(range.clone())?;
        self.control.scanned(0, packed.len() as u64);
        if self.kept.len() >= KEPT_BLOCKS
            && let Some(oldest) = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(at, _)| *at)
        {
            self.kept.remove(&oldest);
        }
        self.kept.insert(at, Kept { block: Block::read(&packed)?, used: self.clock });
        Ok(())
    }
}
