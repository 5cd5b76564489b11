//! Columns made of events.
//!
//! 1. [`Fresh`] gathers every field of every event, in document order.
//! 2. [`Fresh::plan`] decides for each name what its values become: entries of a dictionary, numbers, or residue.
//! 3. [`Planned`] tells what stays residue, and writes the pages of one extent after another.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;
use std::rc::Rc;

use locard_event::{Fields, Shape, Timestamp, Value};

use super::super::dictionary::{Dictionary, Interner};
use super::super::key;
use super::super::lists::Lister;
use super::super::mask::Mask;
use super::super::object::ObjectWriter;
use super::super::presence::SetsWriter;
use super::super::{pack, page};
use super::{Entry, INDEX_SECTION, INTEGERS, ORDINALS, OWN, Own, PageHead, SECTION, encode_index};
use crate::split::bytes::put_bytes;

/// Most names that get a column in one fresh split.
const MAX_COLUMNS: usize = if cfg!(test) { 6 } else { 1000 };
/// Longer values stay residue: a dictionary is for what repeats.
const MAX_KEY_BYTES: usize = 256;
/// Integers with more different values than this are stored as numbers.
const MANY_INTEGERS: usize = if cfg!(test) { 4 } else { 1024 };
/// Names with more different values than this are residue if more than half of the values are different.
const MANY_VALUES: usize = if cfg!(test) { 4 } else { 256 };

/// Where a value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the dictionary of its column.
    Dictionary,
    /// In the pages of its column.
    Number,
    /// In the event blocks; its column says so.
    Residue,
    /// In the event blocks, and its name has no column.
    LeftOut,
}

impl Place {
    pub(crate) fn is_residue(self) -> bool {
        matches!(self, Self::Residue | Self::LeftOut)
    }
}

/// No column; a value in no dictionary.
const RESIDUE: u32 = u32::MAX;

/// What all events have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnRow {
    pub(crate) filed: i64,
    pub(crate) sequence: u64,
    pub(crate) ingested: i64,
    pub(crate) stream: u32,
    pub(crate) template: u32,
    /// The time as said, where it is another.
    pub(crate) said: Option<i64>,
}

/// One field of one event: its column, and its value's number there.
#[derive(Clone, Copy, Debug)]
struct Cell {
    column: u32,
    code: u32,
}

#[derive(Debug, Default)]
struct Gathering {
    name: Box<str>,
    values: Interner<RandomState>,
}

/// Fields of events, in document order.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    names: HashMap<Box<str>, u32, RandomState>,
    /// By its number, a shape and the column of each of its names: most events have one of a few.
    shapes: HashMap<usize, (Shape, Rc<[u32]>), RandomState>,
    columns: Vec<Gathering>,
    cells: Vec<Cell>,
    /// Where each event's cells end.
    ends: Vec<usize>,
    ingested: Interner<RandomState>,
    rows: Vec<OwnRow>,
    left_out: u64,
    key: Vec<u8>,
}

impl Fresh {
    /// Adds the next event.
    pub(crate) fn add(&mut self, row: OwnRow, fields: &Fields) {
        self.key.clear();
        key::encode(&Value::Time(Timestamp::from_nanos(row.ingested)), &mut self.key);
        let ingested = i64::from(self.ingested.intern(&self.key));
        self.rows.push(OwnRow { ingested, ..row });
        match fields.shape() {
            Some(shape) => self.add_shaped(shape, fields.values()),
            None => {
                for (name, value) in fields.iter() {
                    let column = self.column(name);
                    self.add_cell(column, value);
                }
            }
        }
        self.ends.push(self.cells.len());
    }

    fn add_shaped(&mut self, shape: &Shape, values: &[Value]) {
        let columns = match self.shapes.get(&shape.id()) {
            Some((_, columns)) => Rc::clone(columns),
            None => {
                let columns: Rc<[u32]> = shape.names().iter().map(|name| self.column(name)).collect();
                self.shapes.insert(shape.id(), (shape.clone(), Rc::clone(&columns)));
                columns
            }
        };
        for (column, value) in columns.iter().zip(values) {
            self.add_cell(*column, value);
        }
    }

    fn add_cell(&mut self, column: u32, value: &Value) {
        let cell = self.cell(column, value);
        self.cells.push(cell);
    }

    fn cell(&mut self, column: u32, value: &Value) -> Cell {
        if column == RESIDUE {
            self.left_out += 1;
            return Cell { column: RESIDUE, code: RESIDUE };
        }
        self.key.clear();
        key::encode(value, &mut self.key);
        let code = match self.columns.get_mut(column as usize) {
            Some(column) if self.key.len() <= MAX_KEY_BYTES => column.values.intern(&self.key),
            _ => RESIDUE,
        };
        Cell { column, code }
    }

    /// The column of a name, [`RESIDUE`] if it gets none.
    fn column(&mut self, name: &str) -> u32 {
        if let Some(column) = self.names.get(name) {
            return *column;
        }
        if self.columns.len() >= MAX_COLUMNS {
            return RESIDUE;
        }
        let column = self.columns.len() as u32;
        self.names.insert(name.into(), column);
        self.columns.push(Gathering { name: name.into(), values: Interner::default() });
        column
    }

    /// Decides what becomes of every value; `templates`: what became of their ordinals; `chunks`: how many there will be.
    pub(crate) fn plan(self, templates: &[u32], chunks: usize) -> Planned {
        let Self { columns, cells, ends, ingested, mut rows, left_out, .. } = self;
        for row in &mut rows {
            row.template = templates.get(row.template as usize).copied().unwrap_or(0);
        }
        let decisions = columns.iter().map(Decision::of).collect::<Vec<_>>();
        let mut out: Vec<Out> = (0..OWN).map(|_| Out::default()).collect();
        let (dictionary, ingested) = ingested.sorted(|_| true);
        if let Some(own) = out.get_mut(Own::Ingested as usize) {
            own.set_dictionary(dictionary, chunks);
        }
        let mut codes = Vec::with_capacity(columns.len());
        for (column, decision) in columns.into_iter().zip(decisions) {
            let (of_codes, dictionary) = decision.values(&column.values);
            let numbers = decision == Decision::Integers;
            let entry = Entry { name: column.name, numbers, ..Entry::default() };
            let mut of_column = Out { entry, ..Out::default() };
            of_column.set_dictionary(dictionary, chunks);
            out.push(of_column);
            codes.push((decision.page_kind(), of_codes));
        }
        Planned { rows, cells, ends, ingested, codes, out, left_out, chunk: 0, scratch: Vec::new() }
    }
}

/// What becomes of the values of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Dictionary,
    Integers,
    Residue,
}

impl Decision {
    fn of(column: &Gathering) -> Self {
        let (mut values, mut integers, mut different_integers) = (0u64, 0u64, 0usize);
        for (key, count) in column.values.keys() {
            values += count;
            if key::integer(key).is_some() {
                integers += count;
                different_integers += 1;
            }
        }
        let different = column.values.len();
        if different_integers > MANY_INTEGERS && integers * 10 >= values * 9 {
            Self::Integers
        } else if different > MANY_VALUES && different as u64 * 2 > values {
            Self::Residue
        } else {
            Self::Dictionary
        }
    }

    fn page_kind(self) -> u8 {
        if self == Self::Integers { INTEGERS } else { ORDINALS }
    }

    /// What goes into a page for each of the column's numbers, nothing for residue; and the dictionary.
    fn values(self, values: &Interner<RandomState>) -> (Vec<Option<i64>>, Dictionary) {
        match self {
            Self::Residue => (vec![None; values.len()], Dictionary::default()),
            Self::Integers => {
                (values.keys().map(|(key, _)| key::integer(key)).collect(), Dictionary::default())
            }
            Self::Dictionary => {
                let (dictionary, became) = values.sorted(|_| true);
                (became.into_iter().map(|ordinal| ordinal.map(i64::from)).collect(), dictionary)
            }
        }
    }
}

/// A column as it is written.
#[derive(Debug, Default)]
struct Out {
    entry: Entry,
    dictionary: Dictionary,
    /// In which chunks its values are.
    lister: Lister,
    /// Pages of the extent that is being made.
    raw: Vec<u8>,
    /// Whether none of them has anything.
    is_empty: bool,
    /// Finished extents.
    extents: Vec<u8>,
    // Of the chunk that is being made.
    values: Vec<i64>,
    has_value: Option<Box<(Mask, Mask)>>,
}

impl Out {
    fn set_dictionary(&mut self, dictionary: Dictionary, chunks: usize) {
        self.lister = Lister::new(dictionary.len(), chunks);
        self.dictionary = dictionary;
    }

    /// The dictionary as it is stored; nothing if there is none.
    fn packed_dictionary(&mut self) -> io::Result<Vec<u8>> {
        if self.dictionary.len() == 0 {
            return Ok(Vec::new());
        }
        let lists = std::mem::take(&mut self.lister).finish();
        std::mem::take(&mut self.dictionary).with_lists(lists).encode()
    }

    /// Ends a chunk's page.
    fn end_page(
        &mut self,
        kind: u8,
        (chunk, documents): (u32, usize),
        sets: &mut SetsWriter,
        scratch: &mut Vec<u8>,
    ) {
        scratch.clear();
        if kind == ORDINALS && self.dictionary.len() > 0 {
            self.values.iter().for_each(|value| self.lister.note(*value as u32, chunk));
        }
        if let Some(found) = self.has_value.take() {
            let (values, residue) = *found;
            self.is_empty = false;
            self.entry.documents += values.count() as u64;
            self.entry.residue += residue.count() as u64;
            let (values, residue) = (sets.refer(&values, documents), sets.refer(&residue, documents));
            PageHead { kind, values, residue, count: self.values.len() }.put(scratch);
            page::pack(&self.values, scratch);
        }
        self.values.clear();
        put_bytes(&mut self.raw, scratch);
    }

    /// Adds a page that was made elsewhere.
    fn add_page(&mut self, page: &[u8]) {
        self.is_empty &= page.is_empty();
        put_bytes(&mut self.raw, page);
    }

    fn end_extent(&mut self) -> io::Result<()> {
        let packed = if self.is_empty { Vec::new() } else { pack::pack(&self.raw)? };
        self.raw.clear();
        self.is_empty = true;
        self.entry.lengths.extents.push(packed.len() as u64);
        self.extents.extend_from_slice(&packed);
        Ok(())
    }

    fn add(&mut self, at: usize, value: Option<i64>) {
        let (values, residue) =
            &mut **self.has_value.get_or_insert_with(|| Box::new((Mask::NONE, Mask::NONE)));
        match value {
            Some(value) => {
                values.insert(at);
                self.values.push(value);
            }
            None => residue.insert(at),
        }
    }
}

/// Columns with everything decided, ready to be written.
#[derive(Debug)]
pub(crate) struct Planned {
    rows: Vec<OwnRow>,
    cells: Vec<Cell>,
    ends: Vec<usize>,
    ingested: Vec<Option<u32>>,
    codes: Vec<(u8, Vec<Option<i64>>)>,
    /// The columns all events have, then the named ones.
    out: Vec<Out>,
    left_out: u64,
    /// The number of the next chunk.
    chunk: u32,
    scratch: Vec<u8>,
}

impl Planned {
    fn cells(&self, document: usize) -> &[Cell] {
        let start = document.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(document).and_then(|end| self.cells.get(start..*end)).unwrap_or_default()
    }

    fn value(&self, cell: Cell) -> Option<i64> {
        let (_, codes) = self.codes.get(cell.column as usize)?;
        codes.get(cell.code as usize).copied().flatten()
    }

    /// The templates of some documents.
    pub(crate) fn templates(&self, documents: Range<usize>) -> impl Iterator<Item = u32> + '_ {
        self.rows.get(documents).unwrap_or_default().iter().map(|row| row.template)
    }

    /// For each field of an event, in order, where its value is kept.
    pub(crate) fn places(&self, document: usize) -> impl Iterator<Item = Place> + '_ {
        self.cells(document).iter().map(|cell| self.place(*cell))
    }

    fn place(&self, cell: Cell) -> Place {
        match (self.codes.get(cell.column as usize), self.value(cell)) {
            (None, _) => Place::LeftOut,
            (_, None) => Place::Residue,
            (Some((INTEGERS, _)), _) => Place::Number,
            _ => Place::Dictionary,
        }
    }

    /// Writes the pages of one extent: of the chunks with these documents.
    pub(crate) fn add_extent(
        &mut self,
        chunks: &[Range<usize>],
        sets: &mut [SetsWriter],
        words: &[Vec<u8>],
    ) -> io::Result<()> {
        for ((chunk, sets), words) in chunks.iter().zip(sets).zip(words) {
            self.gather(chunk.clone());
            let mut scratch = std::mem::take(&mut self.scratch);
            for (at, out) in self.out.iter_mut().enumerate() {
                if at == Own::Words as usize {
                    out.add_page(words);
                    continue;
                }
                let named = at.checked_sub(OWN).and_then(|named| self.codes.get(named));
                let kind = named.map_or(OWN_KINDS.get(at).copied().unwrap_or(ORDINALS), |(kind, _)| *kind);
                out.end_page(kind, (self.chunk, chunk.len()), sets, &mut scratch);
            }
            self.scratch = scratch;
            self.chunk += 1;
        }
        self.out.iter_mut().try_for_each(Out::end_extent)
    }

    fn gather(&mut self, chunk: Range<usize>) {
        let mut out = std::mem::take(&mut self.out);
        for (at, document) in chunk.enumerate() {
            let Some(row) = self.rows.get(document) else { continue };
            let own = self.own_values(row);
            for (out, value) in out.iter_mut().zip(own) {
                if value.is_some() {
                    out.add(at, value);
                }
            }
            for cell in self.cells(document) {
                if let Some(out) = out.get_mut(OWN + cell.column as usize) {
                    out.add(at, self.value(*cell));
                }
            }
        }
        self.out = out;
    }

    /// In the order of [`Own`].
    fn own_values(&self, row: &OwnRow) -> [Option<i64>; OWN] {
        let ingested = self.ingested.get(row.ingested as usize).copied().flatten();
        [
            Some(row.filed),
            Some(row.sequence as i64),
            ingested.map(i64::from),
            Some(row.stream.into()),
            Some(row.template.into()),
            row.said,
            None,
        ]
    }

    /// Writes what was made into its sections. `words` is the dictionary of the listed words.
    pub(crate) fn finish(mut self, object: &mut ObjectWriter, words: &Dictionary) -> io::Result<()> {
        let start = object.position();
        if let Some(named) = self.out.get_mut(OWN..) {
            named.sort_by(|one, two| one.entry.name.cmp(&two.entry.name));
        }
        let mut entries = Vec::with_capacity(self.out.len());
        for (at, mut out) in self.out.into_iter().enumerate() {
            let dictionary = match at == Own::Words as usize {
                true if words.len() > 0 => words.encode()?,
                true => Vec::new(),
                false => out.packed_dictionary()?,
            };
            object.write_all(&dictionary)?;
            object.write_all(&out.extents)?;
            let mut entry = out.entry;
            entry.lengths.dictionary = dictionary.len() as u64;
            entries.push(entry);
        }
        object.end_section(SECTION, start);
        object.section(INDEX_SECTION, &encode_index(&entries, self.left_out)?)
    }
}

/// Page kinds of the columns all events have, in the order of [`Own`].
const OWN_KINDS: [u8; OWN] = [INTEGERS, INTEGERS, ORDINALS, ORDINALS, ORDINALS, INTEGERS, ORDINALS];
