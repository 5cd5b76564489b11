//! [`ChunkLists`]: in which chunks the values of a dictionary are, of those that are in few. Who looks for such a value need not look at
//! the pages of the other chunks. Knows no values.

use std::ops::Range;

use super::bytes::{Input, Malformed, Result, put_varint};

/// A value that is in more than one of so many chunks is not listed.
const SHARE: usize = 8;

/// For each value of a dictionary its chunks, ascending; none for those that are in too many.
#[derive(Debug, Default)]
pub(crate) struct ChunkLists {
    ends: Vec<u32>,
    chunks: Vec<u32>,
}

/// In how many chunks of so many a value may be to be listed.
pub(crate) fn most(chunks: usize) -> usize {
    (chunks / SHARE).max(1)
}

impl ChunkLists {
    /// The chunks of a value; nothing if they are not listed.
    pub(crate) fn get(&self, ordinal: u32) -> Option<&[u32]> {
        let Range { start, end } = self.range(ordinal as usize)?;
        self.chunks.get(start..end).filter(|list| !list.is_empty())
    }

    fn range(&self, at: usize) -> Option<Range<usize>> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        Some(start as usize..*self.ends.get(at)? as usize)
    }

    /// Adds the chunks of the next value.
    pub(crate) fn push(&mut self, list: &[u32]) {
        self.chunks.extend_from_slice(list);
        self.ends.push(self.chunks.len() as u32);
    }

    /// Appends the lists of `count` values, each by the differences of its chunks.
    pub(crate) fn put(&self, count: u32, out: &mut Vec<u8>) {
        for ordinal in 0..count {
            let list = self.get(ordinal).unwrap_or_default();
            put_varint(out, list.len() as u64);
            let mut before = 0;
            for chunk in list {
                put_varint(out, u64::from(chunk - before));
                before = *chunk;
            }
        }
    }

    /// Reads what [`ChunkLists::put`] wrote of `count` values.
    pub(crate) fn take(input: &mut Input<'_>, count: usize) -> Result<Self> {
        let mut lists = Self::default();
        for _ in 0..count {
            let mut chunk = 0u32;
            for _ in 0..input.count()? {
                let next = u32::try_from(input.varint()?).ok().and_then(|step| chunk.checked_add(step));
                chunk = next.ok_or(Malformed("a chunk's number is too large"))?;
                lists.chunks.push(chunk);
            }
            let end =
                u32::try_from(lists.chunks.len()).map_err(|_| Malformed("there are too many chunks"))?;
            lists.ends.push(end);
        }
        lists.chunks.shrink_to_fit();
        Ok(lists)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        (self.ends.capacity() + self.chunks.capacity()) * size_of::<u32>()
    }
}

/// Gathers the lists, chunk after chunk.
#[derive(Debug, Default)]
pub(crate) struct Lister {
    most: u32,
    values: Vec<Seen>,
    /// Value and chunk, each once, of values that are not in too many.
    pairs: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// In how many chunks, and one more than the last of them.
    chunks: u32,
    next: u32,
}

impl Lister {
    /// For so many values in so many chunks.
    pub(crate) fn new(values: u32, chunks: usize) -> Self {
        let most = u32::try_from(most(chunks)).unwrap_or(u32::MAX);
        Self { most, values: vec![Seen::default(); values as usize], pairs: Vec::new() }
    }

    /// A value is in a chunk; chunks come in order.
    #[inline]
    pub(crate) fn note(&mut self, value: u32, chunk: u32) {
        let Some(seen) = self.values.get_mut(value as usize) else { return };
        if seen.next <= chunk {
            *seen = Seen { chunks: seen.chunks + 1, next: chunk + 1 };
            if seen.chunks <= self.most {
                self.pairs.push((value, chunk));
            }
        }
    }

    pub(crate) fn finish(mut self) -> ChunkLists {
        self.pairs.sort_unstable();
        let mut pairs = self.pairs.iter().peekable();
        let (mut lists, mut list) = (ChunkLists::default(), Vec::new());
        for (value, seen) in (0u32..).zip(&self.values) {
            list.clear();
            while let Some((_, chunk)) = pairs.next_if(|(own, _)| *own == value) {
                list.push(*chunk);
            }
            lists.push(if seen.chunks <= self.most { &list } else { &[] });
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_values_lead_to_their_chunks() {
        let mut lister = Lister::new(4, 17);
        for (value, chunk) in [(0, 0), (1, 0), (0, 0), (1, 1), (3, 2), (1, 2), (0, 16), (9, 16)] {
            lister.note(value, chunk);
        }
        let lists = lister.finish();
        let found = |lists: &ChunkLists| {
            (0..5).map(|value| lists.get(value).map(<[u32]>::to_vec)).collect::<Vec<_>>()
        };
        assert_eq!(found(&lists), [Some(vec![0, 16]), None, None, Some(vec![2]), None]);
        let mut out = Vec::new();
        lists.put(4, &mut out);
        let mut input = Input::new(&out);
        assert_eq!(found(&ChunkLists::take(&mut input, 4).unwrap()), found(&lists));
        assert!(input.end().is_ok());
        for length in 0..out.len() {
            assert!(ChunkLists::take(&mut Input::new(&out[..length]), 4).is_err());
        }
    }
}
