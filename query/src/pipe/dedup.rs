//! `dedup user.name, process.executable`: the first record of each combination of values, in the order of the search.
//!
//! `dedup 3 user.name` keeps three of each. What a record has not is null, and null is a value like others: none is left out for lacking
//! a field. A combination is remembered by 128 bits of a keyed hash.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use locard_filter::SyntaxError;

use super::key::Key;
use super::order;
use super::read::Reader;
use super::record::Record;

/// Most records of one combination that can be asked for.
const MAX_KEPT: usize = 1_000;

/// The pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedup {
    /// How many records of each combination.
    pub kept: usize,
    /// Whose combinations; at least one.
    pub keys: Vec<Key>,
}

impl Dedup {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let kept = match reader.number() {
            Some((kept @ 1..=MAX_KEPT, _)) => kept,
            Some((_, span)) => {
                let message = format!("from 1 to {MAX_KEPT} records of each can be kept");
                return Err(SyntaxError::new(span, message));
            }
            None => 1,
        };
        reader.keyword("by");
        Ok(Self { kept, keys: Key::parse_list(reader)? })
    }
}

/// The pipe at work.
#[derive(Clone, Debug)]
pub(super) struct DedupWork {
    dedup: Dedup,
    hashes: (RandomState, RandomState),
    seen: HashMap<u128, usize>,
}

impl DedupWork {
    pub(super) fn new(dedup: Dedup) -> Self {
        Self { dedup, hashes: Default::default(), seen: HashMap::new() }
    }

    /// Whether a record is one of the first of its combination.
    pub(super) fn keeps(&mut self, record: &Record<'_>) -> bool {
        let (mut low, mut high) = (self.hashes.0.build_hasher(), self.hashes.1.build_hasher());
        for key in &self.dedup.keys {
            let value = key.value(record);
            order::hash(&value, &mut low);
            order::hash(&value, &mut high);
        }
        let combination = u128::from(low.finish()) | (u128::from(high.finish()) << 64);
        let seen = self.seen.entry(combination).or_insert(0);
        *seen += 1;
        *seen <= self.dedup.kept
    }

    /// What it holds, in a table that is half full.
    pub(super) fn bytes(&self) -> usize {
        2 * self.seen.len() * (size_of::<(u128, usize)>() + 1)
    }
}
