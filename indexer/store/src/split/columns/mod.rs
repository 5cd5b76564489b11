//! Columns: what all events have (times, sequence, stream, template), and the fields whose values repeat or are numbers.
//!
//! A column has a *page* for each chunk, in extents, and mostly a dictionary. A page says which documents have a value in it and
//! which have one in the event blocks (the *residue*): so every chunk decides by itself what is worth a column, and chunks that
//! decided differently stand side by side. `fresh` makes columns of events, `stack` of the columns of other splits.

mod fresh;
mod read;
mod stack;

use std::ops::Range;

pub(crate) use fresh::{Fresh, OwnRow, Place, Planned};
pub(crate) use read::{Columns, PRESENCE_SECTION, Page, PageKind, spans};
pub(crate) use stack::{Remap, stack};

use super::bytes::{Input, Malformed, Result, put_varint};
use super::mask::CHUNK;

pub(crate) const SECTION: &str = "columns";
pub(crate) const INDEX_SECTION: &str = "columns.index";

/// Columns that every split has, by their place in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// `Event::filed`, nanoseconds.
    Filed = 0,
    /// Sequence number.
    Sequence = 1,
    /// Ingest time.
    Ingested = 2,
    /// Ordinal in the stream table.
    Stream = 3,
    /// Ordinal in the template table.
    Template = 4,
    /// The time as said, where it is another than the filed one.
    Said = 5,
    /// Listed words, with the documents that have each ([`super::words`]).
    Words = 6,
}

pub(crate) const OWN: usize = 7;

/// First byte of a page.
const ORDINALS: u8 = 0;
const INTEGERS: u8 = 1;

/// An extent of a column: the pages of up to sixteen chunks, decompressed.
#[derive(Debug)]
pub(crate) struct Extent {
    raw: Vec<u8>,
    pages: Vec<Range<usize>>,
}

impl Extent {
    fn split(raw: Vec<u8>, chunks: usize) -> Result<Self> {
        let mut input = Input::new(&raw);
        let mut pages = Vec::with_capacity(chunks);
        for _ in 0..chunks {
            let page = input.bytes()?;
            let end = raw.len() - input.rest().len();
            pages.push(end - page.len()..end);
        }
        input.end()?;
        Ok(Self { raw, pages })
    }

    fn page(&self, at: usize) -> Result<&[u8]> {
        let range = self.pages.get(at).cloned();
        range.and_then(|range| self.raw.get(range)).ok_or(Malformed("there is no such page"))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.raw.capacity() + self.pages.capacity() * size_of::<Range<usize>>()
    }
}

/// What a page begins with.
struct PageHead {
    kind: u8,
    /// The sets of documents with a value here, and in the residue.
    values: u64,
    residue: u64,
    /// How many values.
    count: usize,
}

impl PageHead {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.kind);
        put_varint(out, self.values);
        put_varint(out, self.residue);
        put_varint(out, self.count as u64);
    }

    fn take(input: &mut Input<'_>) -> Result<Self> {
        let head = Self {
            kind: input.byte()?,
            values: input.varint()?,
            residue: input.varint()?,
            count: input.length()?,
        };
        if head.kind > INTEGERS || head.count > CHUNK {
            return Err(Malformed("a page is of no known kind"));
        }
        Ok(head)
    }
}

/// What a column's parts take in the section, in order: its dictionary, then its extents (0 where no chunk has a page).
#[derive(Clone, Debug, Default)]
struct Lengths {
    dictionary: u64,
    extents: Vec<u64>,
}

/// One column as the index lists it.
#[derive(Clone, Debug, Default)]
struct Entry {
    name: Box<str>,
    /// Documents that have a value in the pages, and in the residue.
    documents: u64,
    residue: u64,
    /// Whether some pages hold integers themselves.
    numbers: bool,
    lengths: Lengths,
}

impl Entry {
    fn put(&self, out: &mut Vec<u8>) {
        super::bytes::put_bytes(out, self.name.as_bytes());
        put_varint(out, self.documents);
        put_varint(out, self.residue);
        out.push(self.numbers.into());
        put_varint(out, self.lengths.dictionary);
        self.lengths.extents.iter().for_each(|length| put_varint(out, *length));
    }
}

/// The index of all columns. `left_out`: fields that have no column because there would be too many.
fn encode_index(entries: &[Entry], left_out: u64) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    put_varint(&mut out, left_out);
    put_varint(&mut out, entries.len() as u64);
    entries.iter().for_each(|entry| entry.put(&mut out));
    super::pack::pack(&out)
}
