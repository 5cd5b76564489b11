//! A test on a field: the event's own, else the label of that name.

use super::super::blocks::Record;
use super::super::columns::{Own, Page, PageKind};
use super::super::fault::Result;
use super::super::mask::Mask;
use super::super::ordinals::Ordinals;
use super::super::read::Reader;
use super::{Bounds, Judged, Keys, NumberTest, marked};

/// A test on a field: the event's own, else the label of that name.
#[derive(Debug)]
pub(crate) struct FieldNode {
    pub(crate) name: Box<str>,
    pub(crate) column: Option<usize>,
    /// The values of the column's dictionary that match.
    pub(crate) values: Ordinals,
    pub(crate) numbers: NumberTest,
    pub(crate) keys: Keys,
    /// The chunks that may hold a match, if they are known.
    pub(crate) only: Option<Ordinals>,
    /// Streams whose label matches.
    pub(crate) labels: Ordinals,
    /// Where some names have no column: the key of this name's presence.
    pub(crate) presence: Option<u64>,
}

impl FieldNode {
    /// How many match, where the dictionary alone knows it.
    pub(crate) fn counted(&self, reader: &Reader) -> Result<Option<u64>> {
        let (true, None, Some(column)) = (self.labels.is_empty(), self.presence, self.column) else {
            return Ok(None);
        };
        let of_column = reader.columns().get(column)?;
        if of_column.residue > 0 || of_column.has_numbers() {
            return Ok(None);
        }
        let dictionary = reader.columns().dictionary(column)?;
        Ok(Some(self.values.iter().map(|ordinal| dictionary.count(ordinal)).sum()))
    }

    pub(super) fn judge(&self, reader: &Reader, chunk: usize) -> Result<Judged> {
        if self.only.as_ref().is_some_and(|only| !only.contains(chunk as u32)) {
            return Ok(Judged::leaf(Bounds::NONE));
        }
        let page = match self.column {
            Some(column) => reader.columns().page(column, chunk)?,
            None => None,
        };
        let mut bounds = match &page {
            Some(page) => self.own_values(reader, chunk, page)?,
            None => Bounds::NONE,
        };
        // Documents that have the field surely, and perhaps: it hides the label.
        let mut has = page.as_ref().map_or(Mask::NONE, |page| page.values);
        if let Some(page) = &page {
            has.or(&page.residue);
        }
        let mut may_have = has;
        if let (None, Some(presence)) = (&page, self.presence) {
            may_have = reader.may_have(chunk, presence)?;
            if !may_have.is_empty() {
                let mut own = may_have;
                own.and(&self.keys.mask(reader, chunk)?);
                bounds.maybe.or(&own);
            }
        }
        let mut labels = Mask::NONE;
        if !self.labels.is_empty() {
            labels = marked(&reader.columns().own(Own::Stream, chunk)?, &self.labels)?;
            let (mut sure, mut maybe) = (labels, labels);
            sure.and_not(&may_have);
            maybe.and_not(&has);
            bounds.or(&Bounds { sure, maybe });
        }
        Ok(Judged { bounds, parts: Vec::new(), labels })
    }

    /// What is left open has the field in the residue, or not at all.
    pub(super) fn verify(&self, judged: &Judged, place: usize, record: &Record<'_>) -> Result<bool> {
        let mut found = None;
        record.residue(|name, value| {
            if name == &*self.name {
                found = Some(self.numbers.test.matches(&value));
            }
        })?;
        Ok(found.unwrap_or_else(|| judged.labels.contains(place)))
    }

    fn own_values(&self, reader: &Reader, chunk: usize, page: &Page) -> Result<Bounds> {
        let mut bounds = Bounds::exact(match page.kind {
            PageKind::Ordinals => marked(page, &self.values)?,
            PageKind::Integers => self.numbers.mark(page, &page.values)?,
        });
        if !page.residue.is_empty() {
            let mut residue = page.residue;
            residue.and(&self.keys.mask(reader, chunk)?);
            bounds.maybe.or(&residue);
        }
        Ok(bounds)
    }
}
