//! One filter for each group of records of a chunk over the keys of what is nearly unique in it: says "not here", or "perhaps".
//!
//! Binary fuse filters of 8 bits: 9 bits a key, one key in 256 that was never put in is said to be there (Graf and Lemire, *Binary
//! Fuse Filters*, 2022). Knows keys, not what they stand for ([`locard_filter::template`]).

use std::ops::Range;

use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter as _, FilterRef as _};

use super::bytes::{Malformed, Result};
use super::columns::spans;

/// Records that share a filter. Small groups cost little where most keys are in one document.
pub(crate) const GROUP: usize = if cfg!(test) { 3 } else { 512 };
const DESCRIPTOR: usize = BinaryFuse8::DESCRIPTOR_LEN;

/// The filter over `keys`, which are sorted and rid of repetitions; nothing for none.
pub(crate) fn build(keys: &mut Vec<u64>) -> std::io::Result<Vec<u8>> {
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let filter = BinaryFuse8::try_from_iterator(keys.iter().copied()).map_err(std::io::Error::other)?;
    let mut out = vec![0; DESCRIPTOR];
    filter.dma_copy_descriptor_to(&mut out);
    out.extend_from_slice(filter.dma_fingerprints());
    Ok(out)
}

/// A filter over keys that stands alone.
#[derive(Clone, Debug)]
pub struct KeyFilter(Vec<u8>);

impl KeyFilter {
    /// From its bytes; nothing if they are too few.
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Self> {
        (bytes.is_empty() || bytes.len() > DESCRIPTOR).then_some(Self(bytes))
    }

    /// Whether the key may be in it; one that is always is said to be.
    pub fn may_have(&self, key: u64) -> bool {
        self.0.split_at_checked(DESCRIPTOR).is_some_and(|(descriptor, fingerprints)| {
            BinaryFuse8Ref::from_dma(descriptor, fingerprints).contains(&key)
        })
    }
}

/// The filters of a chunk, read.
#[derive(Debug)]
pub(crate) struct Filters {
    bytes: Vec<u8>,
    /// Where the filter of each group is.
    groups: Vec<Range<usize>>,
    /// Records of a group, and of the chunk.
    group: usize,
    records: usize,
}

impl Filters {
    /// Filters of these lengths, one after another, for groups of `group` of the `records` of a chunk.
    pub(crate) fn read(bytes: Vec<u8>, lengths: &[u64], group: usize, records: usize) -> Result<Self> {
        let groups = spans(lengths.iter().copied(), 0..bytes.len() as u64)?;
        let groups: Vec<Range<usize>> =
            groups.into_iter().map(|range| range.start as usize..range.end as usize).collect();
        if groups.iter().any(|range| !range.is_empty() && range.len() <= DESCRIPTOR) {
            return Err(Malformed("a filter is too short"));
        }
        Ok(Self { bytes, groups, group, records })
    }

    /// The records, by range, that may have `key`: no others have it.
    pub(crate) fn may_have(&self, key: u64) -> impl Iterator<Item = Range<usize>> + '_ {
        let group_of = |at: usize| at * self.group..((at + 1) * self.group).min(self.records);
        let has = move |range: &Range<usize>| {
            let filter = self.bytes.get(range.clone()).and_then(|bytes| bytes.split_at_checked(DESCRIPTOR));
            filter.is_some_and(|(descriptor, fingerprints)| {
                BinaryFuse8Ref::from_dma(descriptor, fingerprints).contains(&key)
            })
        };
        let groups = self.groups.iter().enumerate().filter(move |(_, range)| has(range));
        groups.map(move |(at, _)| group_of(at))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_few_others() {
        for count in [0u64, 1, 2, 3, 100, 40_000] {
            let keys: Vec<u64> = (0..count).map(|at| at.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            let bytes = build(&mut [keys.clone(), keys.clone()].concat()).unwrap();
            let lengths = [0, bytes.len() as u64];
            let filters = Filters::read(bytes, &lengths, 10, 15).unwrap();
            let second = |key: &u64| filters.may_have(*key).eq(std::iter::once(10..15));
            assert!(keys.iter().all(second), "{count}");
            let has = |key: u64| filters.may_have(key).next().is_some();
            let wrong = (0..10_000u64).filter(|at| has(at.wrapping_mul(77) | 1 << 63)).count();
            assert!(wrong < 100, "{count}: {wrong}");
        }
        assert!(Filters::read(vec![1], &[1], 10, 15).is_err());
    }
}
