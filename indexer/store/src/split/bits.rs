//! [`Bits`]: a set of documents of one split.

use std::ops::Range;

/// A set of numbers below a fixed length. All operands of one operation have the same length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: u32,
}

impl Bits {
    pub(crate) fn none(len: u32) -> Self {
        Self { words: vec![0; (len as usize).div_ceil(64)], len }
    }

    pub(crate) fn all(len: u32) -> Self {
        let mut bits = Self::none(len);
        bits.insert_range(0..len);
        bits
    }

    pub(crate) fn insert(&mut self, index: u32) {
        if let Some(word) = self.words.get_mut(index as usize / 64).filter(|_| index < self.len) {
            *word |= 1 << (index % 64);
        }
    }

    pub(crate) fn insert_range(&mut self, range: Range<u32>) {
        let range = range.start..range.end.min(self.len);
        for (at, word) in self.words.iter_mut().enumerate() {
            *word |= mask(at, &range);
        }
    }

    /// Keeps only what lies in `range`.
    pub(crate) fn keep_range(&mut self, range: &Range<u32>) {
        for (at, word) in self.words.iter_mut().enumerate() {
            *word &= mask(at, range);
        }
    }

    pub(crate) fn contains(&self, index: u32) -> bool {
        self.words.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(crate) fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    pub(crate) fn and(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    pub(crate) fn and_not(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    pub(crate) fn negate(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        let whole = 0..self.len;
        self.keep_range(&whole);
    }

    pub(crate) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(crate) fn is_none(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The members, rising; from the other end, falling.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| Members { word: *word, base: at as u32 * 64 })
    }
}

/// The bits of word `at` that lie in `range`.
fn mask(at: usize, range: &Range<u32>) -> u64 {
    let base = at as u64 * 64;
    let low = u64::from(range.start).saturating_sub(base).min(64);
    let high = u64::from(range.end).saturating_sub(base).min(64);
    if low >= high { 0 } else { u64::MAX << low & u64::MAX >> (64 - high) }
}

struct Members {
    word: u64,
    base: u32,
}

impl Iterator for Members {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.word == 0 {
            return None;
        }
        let bit = self.word.trailing_zeros();
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

impl DoubleEndedIterator for Members {
    fn next_back(&mut self) -> Option<u32> {
        if self.word == 0 {
            return None;
        }
        let bit = 63 - self.word.leading_zeros();
        self.word &= !(1 << bit);
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(len: u32, range: Range<u32>) {
        let expected: Vec<u32> = range.clone().filter(|index| *index < len).collect();
        let mut bits = Bits::none(len);
        bits.insert_range(range.clone());
        assert_eq!(bits.iter().collect::<Vec<_>>(), expected);
        assert_eq!(bits.iter().rev().collect::<Vec<_>>(), expected.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(bits.count(), expected.len() as u64);
        let mut kept = Bits::all(len);
        kept.keep_range(&range);
        assert_eq!(kept, bits);
        bits.negate();
        assert_eq!(bits.count(), u64::from(len) - expected.len() as u64);
    }

    #[test]
    fn ranges_and_their_complements() {
        for len in [0, 1, 63, 64, 65, 128, 200] {
            for range in [0..0, 0..1, 0..64, 1..63, 63..65, 64..128, 0..200, 5..300] {
                check(len, range);
            }
        }
    }

    #[test]
    fn a_number_out_of_range_is_no_member() {
        let mut bits = Bits::none(10);
        bits.insert(10);
        bits.insert(9);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [9]);
        assert!(!bits.contains(1000));
    }
}
