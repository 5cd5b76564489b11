//! Messages and residue: what the columns cannot give back, in zstd blocks of about 256 KiB, and where each block begins.
//!
//! A record stands on its own (it names its fields), so that blocks are copied from split to split as they are.

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
/// 256 KiB: against 64 KiB 15 % smaller, a random event 0.1 ms dearer; against 1 MiB 6 % larger and four times cheaper to enter.
const BLOCK_BYTES: usize = 256 * 1024;
/// Largest block. One event larger than a block makes a block of its own.
const MAX_BLOCK_BYTES: usize = 1 << 30;
/// Blocks a reader keeps decompressed: enough for sequence order to wander across time order.
const KEPT_BLOCKS: usize = 16;

/// Writes records in document order.
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

    /// Adds the record of the next document: its message, and those of its fields for which `residue` says so.
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

    /// Copies the blocks of another split as they are.
    pub(crate) fn copy(
        &mut self,
        object: &mut ObjectWriter,
        source: &Object,
        blocks: &BlockIndex,
    ) -> std::result::Result<(), Fault> {
        for (at, (first, range)) in blocks.blocks.iter().enumerate() {
            let end = blocks.blocks.get(at + 1).map_or(blocks.documents, |(first, _)| *first);
            put_varint(&mut self.index, u64::from(end - first));
            put_varint(&mut self.index, range.end - range.start);
            self.blocks += 1;
            object.write_all(&source.read(range.clone())?)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, object: &mut ObjectWriter) -> io::Result<()> {
        if !self.lengths.is_empty() {
            self.end_block(object)?;
        }
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

    fn block_of(&self, document: u32) -> Option<usize> {
        self.blocks.partition_point(|(first, _)| *first <= document).checked_sub(1)
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
    spans: Vec<Range<usize>>,
}

impl Block {
    fn read(packed: &[u8]) -> Result<Self> {
        let raw = pack::unpack(packed, MAX_BLOCK_BYTES)?;
        let mut input = Input::new(&raw);
        let lengths = (0..input.count()?).map(|_| input.length()).collect::<Result<Vec<_>>>()?;
        let mut start = raw.len() - input.rest().len();
        let mut spans = Vec::with_capacity(lengths.len());
        for length in lengths {
            let end = start.checked_add(length).ok_or(Malformed("an event is too long"))?;
            spans.push(start..end);
            start = end;
        }
        if start == raw.len() { Ok(Self { raw, spans }) } else { Err(Malformed("a block's length differs")) }
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
}

/// Reads records, a block at a time, keeping the last few.
pub(crate) struct BlockReader<'a> {
    object: &'a Object,
    index: &'a BlockIndex,
    control: &'a Control,
    /// Least recently used first.
    kept: Vec<(usize, Block)>,
}

impl<'a> BlockReader<'a> {
    pub(crate) fn new(object: &'a Object, index: &'a BlockIndex, control: &'a Control) -> Self {
        Self { object, index, control, kept: Vec::new() }
    }

    /// The record of this document.
    pub(crate) fn record(&mut self, document: u32) -> std::result::Result<Record<'_>, Fault> {
        let at = self.index.block_of(document).ok_or(Malformed("there is no such document"))?;
        let (first, range) = self.index.blocks.get(at).ok_or(Malformed("there is no such block"))?;
        self.keep(at, range)?;
        let block = self.kept.last().map(|(_, block)| block).ok_or(Malformed("there is no such block"))?;
        let span = block.spans.get((document - first) as usize).cloned();
        let bytes = span.and_then(|span| block.raw.get(span)).ok_or(Malformed("there is no such event"))?;
        self.control.scanned(1, 0);
        Ok(Record::read(bytes)?)
    }

    /// Makes block `at` the last of those kept.
    fn keep(&mut self, at: usize, range: &Range<u64>) -> std::result::Result<(), Fault> {
        if let Some(found) = self.kept.iter().rposition(|(other, _)| *other == at) {
            if let Some(part) = self.kept.get_mut(found..) {
                part.rotate_left(1);
            }
            return Ok(());
        }
        let packed = self.object.read(range.clone())?;
        self.control.scanned(0, packed.len() as u64);
        if self.kept.len() >= KEPT_BLOCKS {
            self.kept.remove(0);
        }
        self.kept.push((at, Block::read(&packed)?));
        Ok(())
    }
}
