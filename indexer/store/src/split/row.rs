//! [`Row`]: an event as a split has it, for who writes many of them out: what repeats is put into words once.
//!
//! Does not know the words: who asks for rows brings them.

use foldhash::fast::RandomState;
use std::collections::HashMap;

use locard_event::{Stream, Timestamp, Value};

use super::Position;
use super::fault::Result;

/// Appends a field in words: its name and its value; nothing if it is not to be seen.
pub type Write<'w> = &'w (dyn Fn(&str, &Value, &mut Vec<u8>) + 'w);

/// An event that is not put together.
#[derive(Debug)]
pub struct Row<'a> {
    /// When it is filed, and its id.
    pub position: Position,
    /// [`locard_event::Event::time`].
    pub time: Timestamp,
    /// When it was accepted.
    pub ingested: Option<Timestamp>,
    /// Its origin, and a number that no other origin of the same split has.
    pub stream: (usize, &'a Stream),
    /// Its line.
    pub message: &'a [u8],
    pub(super) words: &'a Words<'a>,
    pub(super) fields: &'a [Cell<'a>],
}

impl<'a> Row<'a> {
    /// The names of its fields, in order, each with the field in words.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let (words, fields) = (self.words, self.fields);
        fields.iter().map(|cell| (cell.name, words.of(cell)))
    }
}

/// A field of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    pub(super) name: &'a str,
    text: Text,
}

/// Where a text is.
#[derive(Clone, Copy, Debug)]
struct Text {
    is_known: bool,
    start: u32,
    end: u32,
}

/// Dictionaries may be large, and of a large one few values are asked for.
const FEW: usize = 1024;

/// Texts of one column by ordinal.
#[derive(Default)]
struct Known {
    first: Vec<Option<Text>>,
    others: HashMap<usize, Text, RandomState>,
}

impl Known {
    fn get(&self, ordinal: usize) -> Option<Text> {
        match ordinal < FEW {
            true => self.first.get(ordinal).copied().flatten(),
            false => self.others.get(&ordinal).copied(),
        }
    }

    fn insert(&mut self, ordinal: usize, text: Text) {
        if ordinal >= FEW {
            self.others.insert(ordinal, text);
            return;
        }
        if self.first.len() <= ordinal {
            self.first.resize(ordinal + 1, None);
        }
        self.first.get_mut(ordinal).into_iter().for_each(|slot| *slot = Some(text));
    }
}

/// Fields in words: those of dictionaries once, and the others of one row.
pub(super) struct Words<'w> {
    write: Write<'w>,
    /// By column and ordinal.
    known: Vec<Known>,
    texts: Vec<u8>,
    fresh: Vec<u8>,
}

impl std::fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Words").finish_non_exhaustive()
    }
}

impl<'w> Words<'w> {
    pub(super) fn new(write: Write<'w>) -> Self {
        Self { write, known: Vec::new(), texts: Vec::new(), fresh: Vec::new() }
    }

    /// Forgets the fields of the row before.
    pub(super) fn next_row(&mut self) {
        self.fresh.clear();
    }

    /// A field whose value is of this row alone.
    pub(super) fn add<'a>(&mut self, name: &'a str, value: &Value) -> Cell<'a> {
        let start = self.fresh.len() as u32;
        (self.write)(name, value, &mut self.fresh);
        Cell { name, text: Text { is_known: false, start, end: self.fresh.len() as u32 } }
    }

    /// A field whose value stands in the dictionary of a column.
    pub(super) fn add_known<'a>(
        &mut self,
        name: &'a str,
        (column, ordinal): (usize, usize),
        value: impl FnOnce() -> Result<Value>,
    ) -> Result<Cell<'a>> {
        let Self { write, known, texts, .. } = self;
        if let Some(text) = known.get(column).and_then(|known| known.get(ordinal)) {
            return Ok(Cell { name, text });
        }
        let start = texts.len() as u32;
        write(name, &value()?, texts);
        let text = Text { is_known: true, start, end: texts.len() as u32 };
        if known.len() <= column {
            known.resize_with(column + 1, Known::default);
        }
        known.get_mut(column).into_iter().for_each(|known| known.insert(ordinal, text));
        Ok(Cell { name, text })
    }

    fn of(&self, cell: &Cell<'_>) -> &[u8] {
        let Text { is_known, start, end } = cell.text;
        let from = if is_known { &self.texts } else { &self.fresh };
        from.get(start as usize..end as usize).unwrap_or_default()
    }
}
