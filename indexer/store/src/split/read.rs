//! [`Reader`]: one split's sections, open. What is asked of it is answered in [`super::search`].

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use locard_event::{Stream, Timestamp};

use super::arrangement::Arrangement;
use super::blocks::{BlockIndex, BlockReader};
use super::bytes::Malformed;
use super::cache::{Cache, Item};
use super::chunks::{self, Chunks};
use super::columns::{Columns, Own, spans};
use super::fault::{Fault, Result};
use super::mask::{CHUNK, Mask};
use super::needles::Filters;
use super::object::Object;
use super::streams::Labels;
use super::templates::{self, Templates};
use super::write::NEEDLES_SECTION;
use super::{SplitMeta, streams};
use crate::Control;

/// One split's sections, open.
#[derive(Debug)]
pub(crate) struct Reader {
    object: Arc<Object>,
    cache: Cache,
    /// This reader's number in the cache.
    number: u64,
    streams: Vec<Arc<Stream>>,
    labels: Labels,
    chunks: Arc<Chunks>,
    blocks: BlockIndex,
    columns: Columns,
    filters: Vec<Range<u64>>,
    templates: Range<u64>,
}

impl Reader {
    pub(crate) fn open(path: &Path, meta: &SplitMeta, cache: &Cache) -> Result<Self> {
        let object = Arc::new(Object::open(path)?);
        if !object.header().describes(meta) {
            return Err(Fault::Corrupt("it is not the split the catalog describes".into()));
        }
        Self::of(Arc::clone(&object), cache).map_err(|fault| match object.corruption() {
            Some(reason) => Fault::Corrupt(reason),
            None => fault,
        })
    }

    fn of(object: Arc<Object>, cache: &Cache) -> Result<Self> {
        let section = |name: &str| object.section(name).ok_or(Malformed("a section is missing"));
        let chunks = Arc::new(Chunks::decode(&object.read(section(chunks::SECTION)?)?)?);
        if u64::from(chunks.documents()) != object.header().events {
            return Err(Fault::Corrupt("the chunks hold another number of events".into()));
        }
        let streams = streams::decode(&object.read(section(streams::SECTION)?)?)?;
        let labels = Labels::of(&streams);
        let blocks = BlockIndex::open(&object, chunks.documents())?;
        let filters =
            spans(chunks.iter().map(|chunk| chunk.filters.iter().sum()), section(NEEDLES_SECTION)?)?;
        let templates = section(templates::SECTION)?;
        let number = cache.reader();
        let columns = Columns::open(&object, &chunks, cache, number)?;
        Ok(Self {
            object,
            cache: cache.clone(),
            number,
            streams,
            labels,
            chunks,
            blocks,
            columns,
            filters,
            templates,
        })
    }

    pub(crate) fn corruption(&self) -> Option<String> {
        self.object.corruption()
    }

    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    pub(crate) fn partition(&self) -> u32 {
        self.object.header().partition
    }

    pub(crate) fn streams(&self) -> &[Arc<Stream>] {
        &self.streams
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(crate) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(crate) fn blocks(&self) -> &BlockIndex {
        &self.blocks
    }

    pub(crate) fn records<'a>(&'a self, control: &'a Control) -> BlockReader<'a> {
        BlockReader::new(&self.object, &self.blocks, control)
    }

    /// Packed bytes of the templates.
    pub(crate) fn template_bytes(&self) -> u64 {
        self.templates.end - self.templates.start
    }

    /// The templates of all messages.
    pub(crate) fn templates(&self) -> Result<Arc<Templates>> {
        let take = |item: &Item| match item {
            Item::Templates(templates) => Some(Arc::clone(templates)),
            _ => None,
        };
        let make = || Ok(Templates::decode(&self.object.read(self.templates.clone())?)?);
        self.cache.get(self.number, self.templates.start, take, make, Item::Templates)
    }

    /// The templates, past the cache: what is merged is not asked again.
    pub(crate) fn raw_templates(&self) -> Result<Templates> {
        Ok(Templates::decode(&self.object.read(self.templates.clone())?)?)
    }

    /// The needle filters of a chunk.
    fn needles(&self, chunk: usize) -> Result<Arc<Filters>> {
        let range = self.filters.get(chunk).cloned().ok_or(Malformed("there is no such chunk"))?;
        let (chunk, group) = (self.chunks.get(chunk)?, self.chunks.group());
        let read = || -> Result<Filters> {
            let bytes = self.object.read(range.clone())?;
            Ok(Filters::read(bytes, &chunk.filters, group, chunk.documents)?)
        };
        if range.is_empty() {
            return read().map(Arc::new);
        }
        let take = |item: &Item| match item {
            Item::Filters(filters) => Some(Arc::clone(filters)),
            _ => None,
        };
        self.cache.get(self.number, range.start, take, read, Item::Filters)
    }

    /// The documents of a chunk that may have a key, as far as its filters tell: no others have it.
    pub(crate) fn may_have(&self, chunk: usize, key: u64) -> Result<Mask> {
        let needles = self.needles(chunk)?;
        let mut groups = needles.may_have(key).peekable();
        if groups.peek().is_none() {
            return Ok(Mask::NONE);
        }
        let arrangement = self.arrangement(chunk)?;
        Ok(groups.fold(Mask::NONE, |mut mask, records| {
            mask.or(&arrangement.mask(records));
            mask
        }))
    }

    /// In which order the records of a chunk are stored.
    pub(crate) fn arrangement(&self, chunk: usize) -> Result<Arc<Arrangement>> {
        let take = |item: &Item| match item {
            Item::Arrangement(arrangement) => Some(Arc::clone(arrangement)),
            _ => None,
        };
        let make = || -> Result<Arrangement> {
            let page = self.columns.own(Own::Template, chunk)?;
            let mut room = [0; CHUNK];
            Ok(Arrangement::of(page.packed().ordinals(&mut room).iter().copied()))
        };
        // No section begins so far out.
        self.cache.get(self.number, u64::MAX - chunk as u64, take, make, Item::Arrangement)
    }

    /// The documents of a chunk that have one of the listed words.
    pub(crate) fn with_words(&self, chunk: usize, words: &Range<u32>) -> Result<Mask> {
        if words.is_empty() { Ok(Mask::NONE) } else { self.columns.words(chunk, words) }
    }

    /// The bytes of a chunk's filters, for copying.
    pub(crate) fn packed_filters(&self, chunk: usize) -> Result<Vec<u8>> {
        let range = self.filters.get(chunk).cloned().ok_or(Malformed("there is no such chunk"))?;
        Ok(self.object.read(range)?)
    }

    /// All documents of a chunk.
    pub(crate) fn all_of(&self, chunk: usize) -> Result<Mask> {
        Ok(Mask::first(self.chunks.get(chunk)?.documents))
    }

    /// The documents of a chunk that are filed in a range, half-open.
    pub(crate) fn filed_within(
        &self,
        chunk: usize,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Mask> {
        let chunk_is = self.chunks.get(chunk)?;
        let (first, last) = chunk_is.filed;
        let from = from.map_or(i64::MIN, Timestamp::nanos);
        let is_before = |nanos: i64| to.is_none_or(|to| nanos < to.nanos());
        if from <= first && is_before(last) {
            return Ok(Mask::first(chunk_is.documents));
        }
        if last < from || !is_before(first) {
            return Ok(Mask::NONE);
        }
        let page = self.columns.own(Own::Filed, chunk)?;
        let filed = page.packed();
        let end = to.map_or(filed.len(), |to| filed.rank(to.nanos()));
        Ok(Mask::range(filed.rank(from)..end))
    }

    /// Where in a chunk the event with this sequence number is.
    pub(crate) fn place_of(&self, chunk: usize, sequence: u64) -> Result<Option<usize>> {
        if !self.chunks.get(chunk)?.sequences.contains(&sequence) {
            return Ok(None);
        }
        let page = self.columns.own(Own::Sequence, chunk)?;
        let packed = page.packed();
        Ok((0..packed.len()).find(|place| packed.get(*place) as u64 == sequence))
    }
}
