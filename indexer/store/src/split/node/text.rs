//! Tests on messages by what their templates say, and on the names of templates.

use locard_filter::ValueTest;

use super::super::columns::Own;
use super::super::fault::Result;
use super::super::mask::Mask;
use super::super::ordinals::Ordinals;
use super::super::read::Reader;
use super::{Bounds, Wanted, marked};

/// A test on messages.
#[derive(Debug)]
pub(crate) struct TextNode {
    pub(crate) test: ValueTest,
    /// For each template: [`NEVER`], [`ALWAYS`], or from [`PERHAPS`] on what must be in the filter.
    pub(crate) verdicts: Vec<u8>,
    /// Sets of `wanted`, as bits, by verdict less [`PERHAPS`].
    pub(crate) missing: Vec<u64>,
    pub(crate) wanted: Vec<Wanted>,
    /// In which order to ask.
    pub(crate) order: Vec<usize>,
    /// Events of the templates that always match.
    pub(crate) always: u64,
}

pub(crate) const NEVER: u8 = 0;
pub(crate) const ALWAYS: u8 = 1;
pub(crate) const PERHAPS: u8 = 2;

impl TextNode {
    /// For each of `missing`, the documents of a chunk that may have it.
    fn allowed(&self, reader: &Reader, chunk: usize) -> Result<Vec<Mask>> {
        let mut known: Vec<Option<Mask>> = vec![None; self.wanted.len()];
        let mut allowed = Vec::with_capacity(self.missing.len());
        for missing in &self.missing {
            let mut mask = reader.all_of(chunk)?;
            for at in &self.order {
                let (Some(known), Some(wanted)) = (known.get_mut(*at), self.wanted.get(*at)) else {
                    continue;
                };
                if missing >> at & 1 == 1 && !mask.is_empty() {
                    let of_wanted = match known {
                        Some(mask) => mask,
                        None => known.insert(wanted.mask(reader, chunk)?),
                    };
                    mask.and(of_wanted);
                }
            }
            allowed.push(mask);
        }
        Ok(allowed)
    }

    /// Whether a chunk may hold matching messages besides those of the templates that always match.
    pub(crate) fn may_hold_others(&self, reader: &Reader, chunk: usize) -> Result<bool> {
        Ok(!self.missing.is_empty() && self.allowed(reader, chunk)?.iter().any(|mask| !mask.is_empty()))
    }

    /// The documents of the templates that always match.
    pub(crate) fn surely(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        Ok(self.bounds(reader, chunk)?.sure)
    }

    pub(super) fn bounds(&self, reader: &Reader, chunk: usize) -> Result<Bounds> {
        let allowed = self.allowed(reader, chunk)?;
        if self.always == 0 && allowed.iter().all(Mask::is_empty) {
            return Ok(Bounds::NONE);
        }
        let page = reader.columns().own(Own::Template, chunk)?;
        let mut bounds = Bounds::NONE;
        let mut place = 0;
        page.packed().each(|ordinal| {
            match self.verdicts.get(ordinal as usize).copied().unwrap_or(NEVER) {
                NEVER => {}
                ALWAYS => bounds.sure.insert(place),
                perhaps => {
                    let allowed = allowed.get(usize::from(perhaps - PERHAPS));
                    bounds.maybe.insert_if(place, allowed.is_some_and(|allowed| allowed.contains(place)));
                }
            }
            place += 1;
        });
        bounds.maybe.or(&bounds.sure);
        Ok(bounds)
    }
}

/// A test on the names of patterns.
#[derive(Debug)]
pub(crate) struct PatternNode {
    /// The templates whose names match.
    pub(crate) templates: Ordinals,
    /// Messages without a template here may have one that a split has no room for.
    pub(crate) has_gaps: bool,
    pub(crate) test: ValueTest,
}

impl PatternNode {
    pub(super) fn bounds(&self, reader: &Reader, chunk: usize) -> Result<Bounds> {
        let page = reader.columns().own(Own::Template, chunk)?;
        let mut bounds = Bounds::exact(marked(&page, &self.templates)?);
        if self.has_gaps {
            let mut place = 0;
            page.packed().each(|ordinal| {
                bounds.maybe.insert_if(place, ordinal == 0);
                place += 1;
            });
        }
        Ok(bounds)
    }
}
