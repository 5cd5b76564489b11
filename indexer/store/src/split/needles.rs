//! One filter a chunk over the keys of what is nearly unique in it: says "not here", or "perhaps".
//!
//! Binary fuse filters of 8 bits: 9 bits a key, one key in 256 that was never put in is said to be there (Graf and Lemire, *Binary
//! Fuse Filters*, 2022). Knows keys, not what they stand for ([`super::message`]).

use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter as _, FilterRef as _};

use super::bytes::{Malformed, Result};

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

/// A filter, read.
#[derive(Debug)]
pub(crate) struct Filter {
    bytes: Vec<u8>,
}

impl Filter {
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self> {
        if bytes.is_empty() || bytes.len() > DESCRIPTOR {
            return Ok(Self { bytes });
        }
        Err(Malformed("a filter is too short"))
    }

    /// Whether some event of the chunk may have `key`. Never false for one that has it.
    pub(crate) fn may_have(&self, key: u64) -> bool {
        match self.bytes.split_at_checked(DESCRIPTOR) {
            Some((descriptor, fingerprints)) => {
                BinaryFuse8Ref::from_dma(descriptor, fingerprints).contains(&key)
            }
            None => false,
        }
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
            let filter = Filter::read(bytes).unwrap();
            assert!(keys.iter().all(|key| filter.may_have(*key)), "{count}");
            let wrong = (0..10_000u64).filter(|at| filter.may_have(at.wrapping_mul(77) | 1 << 63)).count();
            assert!(wrong < 100, "{count}: {wrong}");
        }
        assert!(Filter::read(vec![1]).is_err());
    }
}
