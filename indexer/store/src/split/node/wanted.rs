//! What filters and word lists are asked about a document, before it is read.

use std::ops::Range;

use super::super::fault::Result;
use super::super::mask::Mask;
use super::super::ordinals::Ordinals;
use super::super::read::Reader;

/// Something that must be true of a document, as far as filters and word lists can tell.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// It has one of these listed words,
    pub(crate) words: Range<u32>,
    /// in one of these chunks, if they are known,
    pub(crate) only: Option<Ordinals>,
    /// or this key.
    pub(crate) key: Option<u64>,
    /// The greater, the fewer documents have it; those are asked about first.
    pub(crate) weight: usize,
}

impl Wanted {
    /// The documents of which it may be true.
    pub(super) fn mask(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        let mut mask = match &self.only {
            Some(only) if !only.contains(chunk as u32) => Mask::NONE,
            _ => reader.with_words(chunk, &self.words)?,
        };
        if let Some(key) = self.key {
            mask.or(&reader.may_have(chunk, key)?);
        }
        Ok(mask)
    }
}

/// What must be true of a document with a value that is in no dictionary for it to match.
#[derive(Debug)]
pub(crate) enum Keys {
    Unknown,
    All(Vec<Wanted>),
    Any(Vec<u64>),
}

impl Keys {
    /// The documents that may match.
    pub(super) fn mask(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        match self {
            Self::Unknown => reader.all_of(chunk),
            Self::All(wanted) => {
                let mut mask = reader.all_of(chunk)?;
                for wanted in wanted {
                    if mask.is_empty() {
                        break;
                    }
                    mask.and(&wanted.mask(reader, chunk)?);
                }
                Ok(mask)
            }
            Self::Any(keys) => {
                let mut mask = Mask::NONE;
                for key in keys {
                    mask.or(&reader.may_have(chunk, *key)?);
                }
                Ok(mask)
            }
        }
    }
}
