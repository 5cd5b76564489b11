//! Columns, read: the index, then dictionaries and pages as they are asked for.

use std::ops::Range;
use std::sync::Arc;

use super::super::cache::{Cache, Item};
use super::super::chunks::Chunks;
use super::super::dictionary::Dictionary;
use super::super::fault::{Fault, Result};
use super::super::mask::Mask;
use super::super::object::Object;
use super::super::page::{Head, Packed};
use super::super::presence::Sets;
use super::super::words::WordPage;
use super::super::{pack, presence};
use super::{Entry, Extent, INDEX_SECTION, INTEGERS, Input, Lengths, Malformed, OWN, Own, PageHead, SECTION};

const MAX_INDEX_BYTES: usize = 1 << 28;
const MAX_EXTENT_BYTES: usize = 1 << 26;
pub(crate) const PRESENCE_SECTION: &str = "presence";

/// One column of a split.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: Box<str>,
    /// Documents with a value in the pages.
    pub(crate) documents: u64,
    /// Documents with a value in the residue.
    pub(crate) residue: u64,
    numbers: bool,
    dictionary: Range<u64>,
    extents: Vec<Range<u64>>,
}

impl Column {
    /// Whether some pages hold integers themselves.
    pub(crate) fn has_numbers(&self) -> bool {
        self.numbers
    }

    /// Whether no chunk of an extent has a page.
    pub(crate) fn is_absent(&self, extent: usize) -> bool {
        self.extents.get(extent).is_none_or(Range::is_empty)
    }
}

/// All columns of a split, open.
#[derive(Debug)]
pub(crate) struct Columns {
    object: Arc<Object>,
    cache: Cache,
    reader: u64,
    columns: Vec<Column>,
    /// Where the presence sets of each extent are.
    sets: Vec<Range<u64>>,
    pub(crate) chunks: Arc<Chunks>,
    /// Fields that have no column.
    pub(crate) left_out: u64,
}

/// What the values of a page are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// Ordinals of the column's dictionary, or of a table of the split.
    Ordinals,
    /// Integers themselves.
    Integers,
}

/// A column's values in one chunk.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    extent: Arc<Extent>,
    head: Head,
    bits: Range<usize>,
    pub(crate) kind: PageKind,
    /// Documents with a value here.
    pub(crate) values: Mask,
    /// Documents with a value in the residue.
    pub(crate) residue: Mask,
}

impl Page {
    /// The values, one for each member of `values`.
    pub(crate) fn packed(&self) -> Packed<'_> {
        self.head.with(self.extent.raw.get(self.bits.clone()).unwrap_or_default())
    }

    /// The documents of the values at these places.
    pub(crate) fn places_of(&self, members: &Mask) -> Mask {
        if members.is_empty() || self.values == Mask::first(self.packed().len()) {
            *members
        } else {
            self.values.select(members)
        }
    }
}

impl Columns {
    pub(crate) fn open(
        object: &Arc<Object>,
        chunks: &Arc<Chunks>,
        cache: &Cache,
        reader: u64,
    ) -> Result<Self> {
        let section = object.section(SECTION).ok_or(Malformed("there are no columns"))?;
        let index = object.section(INDEX_SECTION).ok_or(Malformed("there is no index of columns"))?;
        let raw = pack::unpack(&object.read(index)?, MAX_INDEX_BYTES)?;
        let extents = chunks.extents().len();
        let (columns, left_out) = read_index(&raw, section, extents)?;
        let sets = object.section(PRESENCE_SECTION).ok_or(Malformed("there are no presence sets"))?;
        let sets = spans(chunks.extents().iter().map(|span| span.sets), sets)?;
        let (object, cache, chunks) = (Arc::clone(object), cache.clone(), Arc::clone(chunks));
        Ok(Self { object, cache, reader, columns, sets, chunks, left_out })
    }

    /// The named columns, in name order, with their places.
    pub(crate) fn named(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().skip(OWN)
    }

    /// The place of a named column.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let named = self.columns.get(OWN..).unwrap_or_default();
        named.binary_search_by(|column| (*column.name).cmp(name)).ok().map(|at| at + OWN)
    }

    pub(crate) fn get(&self, column: usize) -> Result<&Column> {
        Ok(self.columns.get(column).ok_or(Malformed("there is no such column"))?)
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The dictionary of a column; empty if it has none.
    pub(crate) fn dictionary(&self, column: usize) -> Result<Arc<Dictionary>> {
        let range = self.get(column)?.dictionary.clone();
        if range.is_empty() {
            return Ok(Arc::default());
        }
        let take = |item: &Item| match item {
            Item::Dictionary(dictionary) => Some(Arc::clone(dictionary)),
            _ => None,
        };
        let make = || Ok(Dictionary::decode(&self.object.read(range.clone())?)?);
        self.cache.get(self.reader, range.start, take, make, Item::Dictionary)
    }

    /// The dictionary of a column, past the cache: what is merged is not asked again.
    pub(super) fn raw_dictionary(&self, column: usize) -> Result<Dictionary> {
        let range = self.get(column)?.dictionary.clone();
        match range.is_empty() {
            true => Ok(Dictionary::default()),
            false => Ok(Dictionary::decode(&self.object.read(range)?)?),
        }
    }

    /// The pages of a column in an extent; nothing if there is none.
    fn extent(&self, column: usize, extent: usize) -> Result<Option<Arc<Extent>>> {
        let range = self.get(column)?.extents.get(extent).cloned().unwrap_or(0..0);
        let span = self.chunks.extents().get(extent);
        let (false, Some(span)) = (range.is_empty(), span) else { return Ok(None) };
        let take = |item: &Item| match item {
            Item::Extent(extent) => Some(Arc::clone(extent)),
            _ => None,
        };
        let make = || -> Result<Extent> {
            let raw = pack::unpack(&self.object.read(range.clone())?, MAX_EXTENT_BYTES)?;
            Ok(Extent::split(raw, span.chunks.len())?)
        };
        self.cache.get(self.reader, range.start, take, make, Item::Extent).map(Some)
    }

    /// The presence sets of an extent.
    fn sets(&self, extent: usize) -> Result<Arc<Sets>> {
        let range = self.sets.get(extent).cloned().ok_or(Malformed("there is no such extent"))?;
        let chunks = self.chunks.extents().get(extent).map_or(0, |span| span.chunks.len());
        let take = |item: &Item| match item {
            Item::Sets(sets) => Some(Arc::clone(sets)),
            _ => None,
        };
        let make = || -> Result<Sets> { Ok(Sets::decode(&self.object.read(range.clone())?, chunks)?) };
        self.cache.get(self.reader, range.start, take, make, Item::Sets)
    }

    /// A column's page of a chunk; nothing if no document there has a value.
    pub(crate) fn page(&self, column: usize, chunk: usize) -> Result<Option<Page>> {
        let (extent_at, at) = self.chunks.extent_of(chunk)?;
        let Some(extent) = self.extent(column, extent_at)? else { return Ok(None) };
        let bytes = extent.page(at)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut input = Input::new(bytes);
        let head = PageHead::take(&mut input)?;
        let documents = self.chunks.get(chunk)?.documents;
        let resolve = |reference: u64| -> Result<Mask> {
            Ok(match reference {
                presence::NOBODY => Mask::NONE,
                presence::EVERYBODY => Mask::first(documents),
                own => self.sets(extent_at)?.resolve(at, own, documents)?,
            })
        };
        let (values, residue) = (resolve(head.values)?, resolve(head.residue)?);
        if values.count() != head.count {
            return Err(Malformed("a page has another number of values").into());
        }
        let end = extent.pages.get(at).map_or(0, |range| range.end);
        let (packed, bits) = Head::read(input, head.count)?;
        let bits = end - bits.len()..end;
        let kind = if head.kind == INTEGERS { PageKind::Integers } else { PageKind::Ordinals };
        Ok(Some(Page { extent, head: packed, bits, kind, values, residue }))
    }

    /// The documents of a chunk that have one of the listed words.
    pub(crate) fn words(&self, chunk: usize, words: &Range<u32>) -> Result<Mask> {
        let (extent, at) = self.chunks.extent_of(chunk)?;
        let Some(extent) = self.extent(Own::Words as usize, extent)? else { return Ok(Mask::NONE) };
        match extent.page(at)? {
            [] => Ok(Mask::NONE),
            page => Ok(WordPage::read(page)?.mask(words)?),
        }
    }

    /// The page of a column that every event has.
    pub(crate) fn own(&self, own: Own, chunk: usize) -> Result<Page> {
        let page = self.page(own as usize, chunk)?;
        page.ok_or_else(|| Fault::Corrupt("a page is missing".into()))
    }

    // What merging copies.

    /// The pages of an extent, past the cache; nothing if there are none.
    pub(super) fn raw_extent(&self, column: usize, extent: usize) -> Result<Option<Extent>> {
        let packed = self.packed_extent(column, extent)?;
        let span = self.chunks.extents().get(extent);
        let (false, Some(span)) = (packed.is_empty(), span) else { return Ok(None) };
        Ok(Some(Extent::split(pack::unpack(&packed, MAX_EXTENT_BYTES)?, span.chunks.len())?))
    }

    /// The compressed presence sets of an extent.
    pub(crate) fn packed_sets(&self, extent: usize) -> Result<Vec<u8>> {
        let range = self.sets.get(extent).cloned().ok_or(Malformed("there is no such extent"))?;
        Ok(self.object.read(range)?)
    }

    /// The compressed pages of an extent; empty if there are none.
    pub(super) fn packed_extent(&self, column: usize, extent: usize) -> Result<Vec<u8>> {
        let range = self.get(column)?.extents.get(extent).cloned().unwrap_or(0..0);
        Ok(self.object.read(range)?)
    }
}

fn read_index(raw: &[u8], section: Range<u64>, extents: usize) -> super::Result<(Vec<Column>, u64)> {
    let mut input = Input::new(raw);
    let left_out = input.varint()?;
    let count = input.count()?;
    let mut start = section.start;
    let mut next = |length: u64| {
        let range = start..start.saturating_add(length);
        start = range.end;
        range
    };
    let mut columns = Vec::new();
    for _ in 0..count {
        let Entry { name, documents, residue, numbers, lengths } = take_entry(&mut input, extents)?;
        let dictionary = next(lengths.dictionary);
        let extents = lengths.extents.into_iter().map(&mut next).collect();
        columns.push(Column { name, documents, residue, numbers, dictionary, extents });
    }
    input.end()?;
    let named = columns.get(OWN..).ok_or(Malformed("there are too few columns"))?;
    if start != section.end || !named.is_sorted_by(|one, two| one.name < two.name) {
        return Err(Malformed("the columns do not fill their section in order"));
    }
    Ok((columns, left_out))
}

fn take_entry(input: &mut Input<'_>, extents: usize) -> super::Result<Entry> {
    let name = input.text()?.into();
    let (documents, residue, numbers) = (input.varint()?, input.varint()?, input.byte()? != 0);
    let dictionary = input.varint()?;
    let extents = (0..extents).map(|_| input.varint()).collect::<super::Result<_>>()?;
    Ok(Entry { name, documents, residue, numbers, lengths: Lengths { dictionary, extents } })
}

/// Where things of these lengths are that fill a section.
pub(crate) fn spans(
    lengths: impl Iterator<Item = u64>,
    section: Range<u64>,
) -> super::Result<Vec<Range<u64>>> {
    let mut start = section.start;
    let mut spans = Vec::new();
    for length in lengths {
        let end = start.checked_add(length).ok_or(Malformed("a length is too large"))?;
        spans.push(start..end);
        start = end;
    }
    if start == section.end { Ok(spans) } else { Err(Malformed("a section has another length")) }
}
