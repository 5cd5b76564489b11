//! Filed time and sequence of every document, in document order: ascending by (filed, sequence).
//!
//! Chunks of 4,096 documents with their bounds, so that a time range or a sequence number is found by reading one chunk.

use std::io::{self, Write};
use std::ops::Range;

use locard_event::Timestamp;

use super::bytes::{Input, Malformed, Result, put_varint, put_zigzag};
use super::fault::Fault;
use super::object::{Object, ObjectWriter};
use super::pack;

const SECTION: &str = "rows";
const INDEX_SECTION: &str = "rows.index";
const CHUNK: usize = 4096;
/// Two integers of ten bytes a row.
const MAX_CHUNK_BYTES: usize = CHUNK * 20;
const MAX_INDEX_BYTES: usize = 1 << 30;

/// What a document is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) filed: Timestamp,
    pub(crate) sequence: u64,
}

#[derive(Clone, Debug)]
struct Chunk {
    first: Row,
    last: Row,
    sequences: Range<u64>,
    bytes: Range<u64>,
}

/// Writes rows in document order.
pub(crate) fn write(object: &mut ObjectWriter, rows: &[Row]) -> io::Result<()> {
    let start = object.position();
    let mut index = Vec::new();
    put_varint(&mut index, rows.len().div_ceil(CHUNK) as u64);
    for chunk in rows.chunks(CHUNK) {
        let packed = pack::pack(&encode_chunk(chunk))?;
        object.write_all(&packed)?;
        put_entry(&mut index, chunk, packed.len());
    }
    object.end_section(SECTION, start);
    object.section(INDEX_SECTION, &pack::pack(&index)?)
}

fn encode_chunk(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = 0i64;
    for row in rows {
        put_zigzag(&mut out, row.filed.nanos().wrapping_sub(before));
        before = row.filed.nanos();
    }
    let mut before = 0u64;
    for row in rows {
        put_zigzag(&mut out, row.sequence.wrapping_sub(before) as i64);
        before = row.sequence;
    }
    out
}

fn put_entry(index: &mut Vec<u8>, chunk: &[Row], length: usize) {
    let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { return };
    let sequences = || chunk.iter().map(|row| row.sequence);
    for row in [first, last] {
        put_zigzag(index, row.filed.nanos());
        put_varint(index, row.sequence);
    }
    put_varint(index, sequences().min().unwrap_or(0));
    put_varint(index, sequences().max().unwrap_or(0));
    put_varint(index, length as u64);
}

/// Where the chunks are and what they span.
#[derive(Debug)]
pub(crate) struct RowIndex {
    chunks: Vec<Chunk>,
    events: u32,
}

impl RowIndex {
    pub(crate) fn open(object: &Object, events: u32) -> std::result::Result<Self, Fault> {
        let section = object.section(SECTION).ok_or(Malformed("there are no rows"))?;
        let index = object.section(INDEX_SECTION).ok_or(Malformed("there is no row index"))?;
        let raw = pack::unpack(&object.read(index)?, MAX_INDEX_BYTES)?;
        Ok(Self { chunks: read_index(&raw, section, events)?, events })
    }

    /// How many documents come before `row`.
    pub(crate) fn rank(&self, object: &Object, row: Row) -> std::result::Result<u32, Fault> {
        let at = self.chunks.partition_point(|chunk| chunk.last < row);
        match self.chunks.get(at) {
            None => Ok(self.events),
            Some(chunk) if row <= chunk.first => Ok((at * CHUNK) as u32),
            Some(_) => {
                let rows = self.chunk(object, at)?;
                Ok((at * CHUNK + rows.partition_point(|other| *other < row)) as u32)
            }
        }
    }

    /// The document with this sequence number.
    pub(crate) fn find(&self, object: &Object, sequence: u64) -> std::result::Result<Option<u32>, Fault> {
        for (at, chunk) in self.chunks.iter().enumerate() {
            if chunk.sequences.contains(&sequence) {
                let rows = self.chunk(object, at)?;
                if let Some(found) = rows.iter().position(|row| row.sequence == sequence) {
                    return Ok(Some((at * CHUNK + found) as u32));
                }
            }
        }
        Ok(None)
    }

    fn chunk(&self, object: &Object, at: usize) -> std::result::Result<Vec<Row>, Fault> {
        let chunk = self.chunks.get(at).ok_or(Malformed("there is no such row"))?;
        let raw = pack::unpack(&object.read(chunk.bytes.clone())?, MAX_CHUNK_BYTES)?;
        Ok(decode_chunk(&raw, CHUNK.min(self.events as usize - at * CHUNK))?)
    }
}

/// Reads rows one after another, keeping the chunk it is in.
pub(crate) struct RowReader<'a> {
    object: &'a Object,
    index: &'a RowIndex,
    kept: Option<(usize, Vec<Row>)>,
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(object: &'a Object, index: &'a RowIndex) -> Self {
        Self { object, index, kept: None }
    }

    pub(crate) fn row(&mut self, document: u32) -> std::result::Result<Row, Fault> {
        let at = document as usize / CHUNK;
        if self.kept.as_ref().is_none_or(|(kept, _)| *kept != at) {
            self.kept = Some((at, self.index.chunk(self.object, at)?));
        }
        let rows = self.kept.as_ref().map(|(_, rows)| rows.as_slice()).unwrap_or_default();
        Ok(*rows.get(document as usize % CHUNK).ok_or(Malformed("there is no such row"))?)
    }
}

fn read_index(raw: &[u8], section: Range<u64>, events: u32) -> Result<Vec<Chunk>> {
    let mut input = Input::new(raw);
    let count = input.count()?;
    if count != (events as usize).div_ceil(CHUNK) {
        return Err(Malformed("rows are missing"));
    }
    let mut start = section.start;
    let mut chunks = Vec::with_capacity(count);
    for _ in 0..count {
        let (first, last) = (take_row(&mut input)?, take_row(&mut input)?);
        let sequences = input.varint()?..input.varint()?.saturating_add(1);
        let end = start.checked_add(input.varint()?).filter(|end| *end <= section.end);
        let end = end.ok_or(Malformed("rows lie outside their section"))?;
        chunks.push(Chunk { first, last, sequences, bytes: start..end });
        start = end;
    }
    input.end()?;
    Ok(chunks)
}

fn take_row(input: &mut Input<'_>) -> Result<Row> {
    Ok(Row { filed: Timestamp::from_nanos(input.zigzag()?), sequence: input.varint()? })
}

fn decode_chunk(raw: &[u8], count: usize) -> Result<Vec<Row>> {
    let mut input = Input::new(raw);
    let mut rows = Vec::with_capacity(count);
    let mut filed = 0i64;
    for _ in 0..count {
        filed = filed.wrapping_add(input.zigzag()?);
        rows.push(Row { filed: Timestamp::from_nanos(filed), sequence: 0 });
    }
    let mut sequence = 0u64;
    for row in &mut rows {
        sequence = sequence.wrapping_add(input.zigzag()? as u64);
        row.sequence = sequence;
    }
    input.end()?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_comes_back() {
        let rows: Vec<Row> = (0..CHUNK as i64)
            .map(|at| Row {
                filed: Timestamp::from_nanos(i64::MIN + at * at * 1_000_000_007),
                sequence: u64::MAX - at as u64,
            })
            .collect();
        assert_eq!(decode_chunk(&encode_chunk(&rows), rows.len()), Ok(rows.clone()));
        assert!(decode_chunk(&encode_chunk(&rows), rows.len() - 1).is_err());
    }
}
