//! The chunks of a split: 4,096 documents at most, in order of (filed, sequence); what is read and filtered at a time.
//!
//! Chunks of one run follow one another in time; a merged split stacks runs, so that times begin anew. *Extents* are up to
//! sixteen neighbouring chunks whose pages of a column are read at once.

use std::ops::Range;

use super::bytes::{Input, Malformed, Result, put_varint, put_zigzag};
use super::mask::CHUNK;
use super::pack;

pub(crate) const SECTION: &str = "chunks";
/// Chunks in an extent, at most.
pub(crate) const EXTENT: usize = 16;
const MAX_BYTES: usize = 1 << 28;

/// One chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// How many documents.
    pub(crate) documents: usize,
    /// Filed time of the first and of the last.
    pub(crate) filed: (i64, i64),
    /// Least sequence number, and one past the greatest.
    pub(crate) sequences: Range<u64>,
    /// Bytes of the filters of its groups.
    pub(crate) filters: Vec<u64>,
}

/// All chunks of a split and how they are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    /// Documents that share a filter.
    group: usize,
    chunks: Vec<Chunk>,
    /// First document of each chunk, and the number of all documents.
    starts: Vec<u32>,
    extents: Vec<Span>,
}

/// Neighbouring chunks that are read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Which chunks.
    pub(crate) chunks: Range<usize>,
    /// Bytes of their presence sets.
    pub(crate) sets: u64,
}

impl Chunks {
    /// No chunks, whose filters are to be for groups of so many documents.
    pub(crate) fn new(group: usize) -> Self {
        Self { group, chunks: Vec::new(), starts: Vec::new(), extents: Vec::new() }
    }

    /// Documents that share a filter.
    pub(crate) fn group(&self) -> usize {
        self.group
    }

    /// Adds an extent, whose presence sets take `sets` bytes.
    pub(crate) fn push(&mut self, chunks: impl IntoIterator<Item = Chunk>, sets: u64) {
        let start = self.chunks.len();
        for chunk in chunks {
            let first = self.documents();
            if self.starts.is_empty() {
                self.starts.push(first);
            }
            self.starts.push(first + chunk.documents as u32);
            self.chunks.push(chunk);
        }
        self.extents.push(Span { chunks: start..self.chunks.len(), sets });
    }

    pub(crate) fn documents(&self) -> u32 {
        self.starts.last().copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    pub(crate) fn get(&self, at: usize) -> Result<&Chunk> {
        self.chunks.get(at).ok_or(Malformed("there is no such chunk"))
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Chunk> {
        self.chunks.iter()
    }

    pub(crate) fn extents(&self) -> &[Span] {
        &self.extents
    }

    /// The documents of a chunk.
    pub(crate) fn range(&self, at: usize) -> Range<u32> {
        let end = |at: usize| self.starts.get(at).copied().unwrap_or_else(|| self.documents());
        end(at)..end(at + 1)
    }

    /// The extent that a chunk is in, and its place there.
    pub(crate) fn extent_of(&self, chunk: usize) -> Result<(usize, usize)> {
        let at = self.extents.partition_point(|span| span.chunks.end <= chunk);
        let span = self.extents.get(at).ok_or(Malformed("there is no such chunk"))?;
        Ok((at, chunk - span.chunks.start))
    }

    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        put_varint(&mut out, self.group as u64);
        put_varint(&mut out, self.extents.len() as u64);
        for Span { chunks, sets } in &self.extents {
            put_varint(&mut out, chunks.len() as u64);
            put_varint(&mut out, *sets);
            for chunk in self.chunks.get(chunks.clone()).unwrap_or_default() {
                put_varint(&mut out, chunk.documents as u64);
                put_zigzag(&mut out, chunk.filed.0);
                put_zigzag(&mut out, chunk.filed.1);
                put_varint(&mut out, chunk.sequences.start);
                put_varint(&mut out, chunk.sequences.end);
                put_varint(&mut out, chunk.filters.len() as u64);
                chunk.filters.iter().for_each(|length| put_varint(&mut out, *length));
            }
        }
        pack::pack(&out)
    }

    pub(crate) fn decode(packed: &[u8]) -> Result<Self> {
        let raw = pack::unpack(packed, MAX_BYTES)?;
        let mut input = Input::new(&raw);
        let mut chunks = Self::new(input.length()?);
        if chunks.group == 0 || chunks.group > CHUNK {
            return Err(Malformed("a group has no such number of documents"));
        }
        let mut documents = 0u64;
        for _ in 0..input.count()? {
            let count = input.count()?;
            if count == 0 || count > EXTENT {
                return Err(Malformed("an extent has no such number of chunks"));
            }
            let sets = input.varint()?;
            let extent = (0..count).map(|_| decode_chunk(&mut input)).collect::<Result<Vec<_>>>()?;
            documents += extent.iter().map(|chunk| chunk.documents as u64).sum::<u64>();
            if documents > u64::from(u32::MAX) {
                return Err(Malformed("there are too many documents"));
            }
            chunks.push(extent, sets);
        }
        input.end()?;
        Ok(chunks)
    }
}

fn decode_chunk(input: &mut Input<'_>) -> Result<Chunk> {
    let documents = input.length()?;
    if documents == 0 || documents > CHUNK {
        return Err(Malformed("a chunk has no such number of documents"));
    }
    let filed = (input.zigzag()?, input.zigzag()?);
    let sequences = input.varint()?..input.varint()?;
    let filters = (0..input.count()?).map(|_| input.varint()).collect::<Result<_>>()?;
    Ok(Chunk { documents, filed, sequences, filters })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(documents: usize) -> Chunk {
        Chunk { documents, filed: (-5, i64::MAX), sequences: 3..9, filters: vec![70_000, 0] }
    }

    #[test]
    fn they_come_back_and_know_their_documents() {
        let mut chunks = Chunks::new(512);
        chunks.push([chunk(CHUNK), chunk(10)], 7);
        chunks.push([chunk(1)], 0);
        assert_eq!((chunks.len(), chunks.documents()), (3, 4107));
        assert_eq!((chunks.range(0), chunks.range(1), chunks.range(2)), (0..4096, 4096..4106, 4106..4107));
        assert_eq!((chunks.extent_of(1).unwrap(), chunks.extent_of(2).unwrap()), ((0, 1), (1, 0)));
        assert!(chunks.extent_of(3).is_err());
        assert_eq!(Chunks::decode(&chunks.encode().unwrap()).unwrap(), chunks);
    }

    #[test]
    fn a_chunk_of_no_or_too_many_documents_is_refused() {
        for documents in [0, CHUNK + 1] {
            let mut chunks = Chunks::new(512);
            chunks.push([chunk(documents)], 0);
            assert!(Chunks::decode(&chunks.encode().unwrap()).is_err());
        }
    }
}
