//! The inverted index of a split: tantivy, three fields, nothing stored, no columns.
//!
//! `message` and `values` hold words with positions, `keys` whole values and presence ([`super::terms`]). Everything that
//! names a tantivy type for reading or writing terms is here and in `directory`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use locard_event::Event;
use tantivy::indexer::merge_indices;
use tantivy::query::{EnableScoring, PhraseQuery, Query};
use tantivy::schema::{BytesOptions, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::Compressor;
use tantivy::termdict::TermStreamer;
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};
use tantivy::{
    DocSet, Index, IndexSettings, InvertedIndexReader, ReloadPolicy, Searcher, SegmentReader,
    SingleSegmentIndexWriter, TERMINATED, TantivyDocument, Term,
};

use super::bits::Bits;
use super::directory::{Bundle, Full, INDEX_PREFIX, Scratch};
use super::fault::{Fault, Result};
use super::object::{Object, ObjectWriter};
use super::terms::{BETWEEN_VALUES, Phrase, TOKENIZER, WordTokenizer, key};
use crate::{Control, Error};

/// What tantivy sizes its hash table for.
const TABLE_BYTES: usize = 15_000_000;
/// A part of the index is put on disk when it holds this much memory. Tests put small parts on disk and merge them.
const SPILL_BYTES: usize = if cfg!(test) { 0 } else { 192 << 20 };
/// How often the memory is asked for, in documents.
const SPILL_CHECK: u32 = if cfg!(test) { 16 } else { 1024 };

/// Which words are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Message,
    Values,
}

#[derive(Clone, Copy, Debug)]
struct Fields {
    message: Field,
    values: Field,
    keys: Field,
}

fn schema() -> (Schema, Fields) {
    let words = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions)
        .set_fieldnorms(false);
    let words = TextOptions::default().set_indexing_options(words);
    let mut schema = Schema::builder();
    let message = schema.add_text_field("message", words.clone());
    let values = schema.add_text_field("values", words);
    let keys = schema.add_bytes_field("keys", BytesOptions::default().set_indexed());
    (schema.build(), Fields { message, values, keys })
}

fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::new();
    // tantivy asks for `default` even where no field uses it.
    for name in [TOKENIZER, "default"] {
        manager.register(name, TextAnalyzer::from(WordTokenizer::default()));
    }
    manager
}

/// Writes the index, in parts where one would take too much memory.
pub(crate) struct IndexWriter {
    folder: PathBuf,
    parts: Vec<Index>,
    current: Option<SingleSegmentIndexWriter>,
    fields: Fields,
    documents: u32,
    values: String,
    full: Full,
}

impl IndexWriter {
    /// Writes below `folder`, which must be empty.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
            parts: Vec::new(),
            current: None,
            fields: schema().1,
            documents: 0,
            values: String::new(),
            full: Full::default(),
        }
    }

    /// Adds the next document.
    pub(crate) fn add(&mut self, event: &Event, stream: u32) -> std::result::Result<(), Error> {
        let document = self.document(event, stream);
        let mut writer = match self.current.take() {
            Some(writer) => writer,
            None => self.begin_part()?,
        };
        writer.add_document(document).map_err(|error| self.full.explain(error))?;
        self.documents += 1;
        if self.documents.is_multiple_of(SPILL_CHECK) && writer.mem_usage() > SPILL_BYTES {
            self.parts.push(writer.finalize().map_err(|error| self.full.explain(error))?);
        } else {
            self.current = Some(writer);
        }
        Ok(())
    }

    /// Copies the finished index into `object`.
    pub(crate) fn finish(mut self, object: &mut ObjectWriter) -> std::result::Result<(), Error> {
        if let Some(writer) = self.current.take() {
            self.parts.push(writer.finalize().map_err(|error| self.full.explain(error))?);
        }
        let folder = match self.parts.len() {
            1 => self.part_folder(0),
            _ => {
                let folder = self.folder.join("merged");
                make_folder(&folder)?;
                merge_indices(&self.parts, Scratch::new(&folder, &self.full))
                    .map_err(|error| self.full.explain(error))?;
                folder
            }
        };
        bundle(&folder, object)
    }

    fn begin_part(&self) -> std::result::Result<SingleSegmentIndexWriter, Error> {
        let folder = self.part_folder(self.parts.len());
        make_folder(&folder)?;
        let settings = IndexSettings {
            docstore_compression: Compressor::None,
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let builder = Index::builder().schema(schema().0).settings(settings).tokenizers(tokenizers());
        let scratch = Scratch::new(&folder, &self.full);
        builder.single_segment_index_writer(scratch, TABLE_BYTES).map_err(|error| self.full.explain(error))
    }

    fn part_folder(&self, part: usize) -> PathBuf {
        self.folder.join(format!("part-{part}"))
    }

    fn document(&mut self, event: &Event, stream: u32) -> TantivyDocument {
        let Fields { message, values, keys } = self.fields;
        let mut document = TantivyDocument::default();
        document.add_text(message, String::from_utf8_lossy(&event.message));
        self.values.clear();
        for (name, value) in event.fields.iter() {
            key::of_field(name, value, &mut |key| document.add_bytes(keys, &key));
            key::each_text(value, &mut |text| {
                self.values.push(BETWEEN_VALUES);
                self.values.push_str(text);
            });
        }
        if !self.values.is_empty() {
            document.add_text(values, &self.values);
        }
        document.add_bytes(keys, &key::stream(stream));
        if event.filed() != event.time {
            document.add_bytes(keys, &key::suspect());
        }
        document
    }
}

fn make_folder(folder: &Path) -> std::result::Result<(), Error> {
    std::fs::create_dir(folder).map_err(|error| Error::io("making a scratch folder", error))
}

/// Copies the files of a finished index, by name, leaving out what only a writer needs.
fn bundle(folder: &Path, object: &mut ObjectWriter) -> std::result::Result<(), Error> {
    let copy = |object: &mut ObjectWriter| {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string().ok().filter(|name| !name.starts_with('.')));
        }
        names.sort();
        for name in names {
            object.section_from(&format!("{INDEX_PREFIX}{name}"), File::open(folder.join(&name))?)?;
        }
        Ok(())
    };
    copy(object).map_err(|error| Error::io("bundling a split", error))
}

/// Looks terms up.
#[derive(Clone)]
pub(crate) struct IndexReader {
    searcher: Searcher,
    fields: Fields,
    documents: u32,
}

impl std::fmt::Debug for IndexReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexReader").field("documents", &self.documents).finish_non_exhaustive()
    }
}

impl IndexReader {
    pub(crate) fn open(object: Arc<Object>) -> Result<Self> {
        let mut index = Index::open(Bundle::new(object))?;
        let (schema, fields) = schema();
        if index.schema() != schema {
            return Err(Fault::Corrupt("its index has another schema".into()));
        }
        index.set_tokenizers(tokenizers());
        let reader: tantivy::IndexReader =
            index.reader_builder().reload_policy(ReloadPolicy::Manual).num_warming_threads(0).try_into()?;
        let searcher = reader.searcher();
        match searcher.segment_readers() {
            [segment] => Ok(Self { documents: segment.max_doc(), fields, searcher }),
            _ => Err(Fault::Corrupt("its index has not one segment".into())),
        }
    }

    /// How many documents.
    pub(crate) fn documents(&self) -> u32 {
        self.documents
    }

    /// The documents that have this key.
    pub(crate) fn with_key(&self, key: &[u8]) -> Result<Bits> {
        let mut bits = Bits::none(self.documents);
        let term = Term::from_field_bytes(self.fields.keys, key);
        self.insert_postings(&*self.terms(self.fields.keys)?, &term, &mut bits)?;
        Ok(bits)
    }

    /// How many keys begin with `prefix`, at most.
    pub(crate) fn count_keys(&self, prefix: &[u8]) -> Result<u64> {
        let inverted = self.terms(self.fields.keys)?;
        let mut stream = inverted.terms().range().ge(prefix).limit(1).into_stream()?;
        if !stream.advance() || !stream.key().starts_with(prefix) {
            return Ok(0);
        }
        let first = stream.term_ord();
        let after = match after_prefix(prefix) {
            None => return Ok(inverted.terms().num_terms() as u64 - first),
            Some(after) => after,
        };
        let mut stream = inverted.terms().range().ge(after).limit(1).into_stream()?;
        let end = if stream.advance() { stream.term_ord() } else { inverted.terms().num_terms() as u64 };
        Ok(end - first)
    }

    /// The documents whose keys after `prefix` are `Some(true)` to `ask`, and those whose keys are `None` to it. Nothing if
    /// more than `max_terms` terms are.
    pub(crate) fn scan_keys(
        &self,
        prefix: &[u8],
        max_terms: usize,
        control: &Control,
        ask: &mut dyn FnMut(&[u8]) -> Option<bool>,
    ) -> Result<Option<(Bits, Bits)>> {
        let inverted = self.terms(self.fields.keys)?;
        let (mut sure, mut unsure) = (Bits::none(self.documents), Bits::none(self.documents));
        let mut stream = stream_prefix(&inverted, prefix)?;
        let (mut seen, mut taken) = (0usize, 0usize);
        while stream.advance() {
            seen += 1;
            if seen.is_multiple_of(512) {
                control.check()?;
            }
            let bits = match ask(stream.key().get(prefix.len()..).unwrap_or_default()) {
                Some(false) => continue,
                Some(true) => &mut sure,
                None => &mut unsure,
            };
            taken += 1;
            if taken > max_terms {
                return Ok(None);
            }
            let mut postings =
                inverted.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
            drain(&mut postings, bits);
        }
        Ok(Some((sure, unsure)))
    }

    /// The documents with these words at these positions.
    pub(crate) fn with_phrase(&self, words: Words, phrase: &Phrase) -> Result<Bits> {
        let field = self.field(words);
        let mut bits = Bits::none(self.documents);
        let term = |text: &str| Term::from_field_text(field, text);
        match phrase.terms.as_slice() {
            [] => {}
            [(_, single)] => self.insert_postings(&*self.terms(field)?, &term(single), &mut bits)?,
            several => {
                let terms = several.iter().map(|(at, text)| (*at, term(text))).collect();
                let query = PhraseQuery::new_with_offset(terms);
                let weight = query.weight(EnableScoring::disabled_from_searcher(&self.searcher))?;
                weight.for_each_no_score(self.segment()?, &mut |documents| {
                    documents.iter().for_each(|document| bits.insert(*document));
                })?;
            }
        }
        Ok(bits)
    }

    /// The documents with a word that begins with `prefix`; nothing if there are more than `max_terms` such words.
    pub(crate) fn with_prefix(&self, words: Words, prefix: &str, max_terms: usize) -> Result<Option<Bits>> {
        let inverted = self.terms(self.field(words))?;
        let mut bits = Bits::none(self.documents);
        let mut stream = stream_prefix(&inverted, prefix.as_bytes())?;
        let mut taken = 0;
        while stream.advance() {
            taken += 1;
            if taken > max_terms {
                return Ok(None);
            }
            let mut postings =
                inverted.read_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
            drain(&mut postings, &mut bits);
        }
        Ok(Some(bits))
    }

    fn field(&self, words: Words) -> Field {
        match words {
            Words::Message => self.fields.message,
            Words::Values => self.fields.values,
        }
    }

    fn segment(&self) -> Result<&SegmentReader> {
        let first = self.searcher.segment_readers().first();
        first.ok_or_else(|| Fault::Corrupt("its index has no segment".into()))
    }

    fn terms(&self, field: Field) -> Result<Arc<InvertedIndexReader>> {
        Ok(self.segment()?.inverted_index(field)?)
    }

    fn insert_postings(&self, inverted: &InvertedIndexReader, term: &Term, bits: &mut Bits) -> Result<()> {
        if let Some(mut postings) = inverted.read_postings(term, IndexRecordOption::Basic)? {
            drain(&mut postings, bits);
        }
        Ok(())
    }
}

fn drain(documents: &mut impl DocSet, bits: &mut Bits) {
    let mut document = documents.doc();
    while document != TERMINATED {
        bits.insert(document);
        document = documents.advance();
    }
}

fn stream_prefix<'a>(inverted: &'a InvertedIndexReader, prefix: &[u8]) -> Result<TermStreamer<'a>> {
    let range = inverted.terms().range().ge(prefix);
    let range = match after_prefix(prefix) {
        Some(after) => range.lt(after),
        None => range,
    };
    Ok(range.into_stream()?)
}

/// The least key greater than all that begin with `prefix`.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut after = prefix.to_vec();
    while let Some(last) = after.pop() {
        if last < u8::MAX {
            after.push(last + 1);
            return Some(after);
        }
    }
    None
}
