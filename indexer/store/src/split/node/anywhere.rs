//! A bare test: the message, all labels, all values.

use super::super::blocks::Record;
use super::super::columns::{Own, PageKind};
use super::super::fault::Result;
use super::super::mask::Mask;
use super::super::ordinals::Ordinals;
use super::super::read::Reader;
use super::{Bounds, Keys, NumberTest, TextNode, marked};

/// A test on the message, all labels and all values.
#[derive(Debug)]
pub(crate) struct AnyNode {
    pub(crate) text: Option<TextNode>,
    pub(crate) labels: Ordinals,
    /// Columns some of whose dictionary matches, and in which chunks those values are, if that is known.
    pub(crate) values: Vec<(usize, Ordinals, Option<Ordinals>)>,
    /// Columns that may hold integers as such, and those that have residue.
    pub(crate) loose: Vec<usize>,
    pub(crate) numbers: NumberTest,
    pub(crate) keys: Keys,
    pub(crate) left_out: bool,
}

impl AnyNode {
    /// Whether nothing but messages can match.
    pub(crate) fn is_only_text(&self) -> bool {
        self.labels.is_empty() && self.values.is_empty()
    }

    /// The documents of a chunk some value of which may match that is in no dictionary.
    fn loose(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        if self.loose.is_empty() && !self.left_out { Ok(Mask::NONE) } else { self.keys.mask(reader, chunk) }
    }

    /// Whether there are such documents.
    pub(crate) fn may_hold_loose(&self, reader: &Reader, chunk: usize) -> Result<bool> {
        Ok(!self.loose(reader, chunk)?.is_empty())
    }
}

impl AnyNode {
    pub(super) fn bounds(&self, reader: &Reader, chunk: usize, within: &Mask) -> Result<Bounds> {
        let mut bounds = match &self.text {
            Some(text) => text.bounds(reader, chunk, within)?,
            None => Bounds::candidates(reader.all_of(chunk)?),
        };
        if !self.labels.is_empty() {
            let streams = reader.columns().own(Own::Stream, chunk)?;
            bounds.or(&Bounds::exact(marked(&streams, &self.labels)?));
        }
        for (column, values, only) in &self.values {
            if only.as_ref().is_none_or(|only| only.contains(chunk as u32))
                && let Some(page) = reader.columns().page(*column, chunk)?
                && page.kind == PageKind::Ordinals
            {
                bounds.or(&Bounds::exact(marked(&page, values)?));
            }
        }
        let loose = self.loose(reader, chunk)?;
        if !loose.is_empty() {
            self.add_loose(reader, chunk, &loose, &mut bounds)?;
        }
        Ok(bounds)
    }

    /// What is left open has it in the message or in the residue.
    pub(super) fn verify(&self, record: &Record<'_>) -> Result<bool> {
        let test = &self.numbers.test;
        let is_in_message = test.matches_bytes(record.message);
        Ok(is_in_message || record.has(|text| test.matches_bytes(text), |value| test.matches(value))?)
    }

    /// Numbers that are stored as such, and residue.
    fn add_loose(&self, reader: &Reader, chunk: usize, loose: &Mask, bounds: &mut Bounds) -> Result<()> {
        if self.left_out {
            bounds.maybe.or(loose);
        }
        for column in &self.loose {
            let Some(page) = reader.columns().page(*column, chunk)? else { continue };
            let mut residue = page.residue;
            residue.and(loose);
            bounds.maybe.or(&residue);
            if page.kind == PageKind::Integers {
                bounds.or(&Bounds::exact(self.numbers.mark(&page, loose)?));
            }
        }
        Ok(())
    }
}
