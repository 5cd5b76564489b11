//! [`Mask`]: a set of the documents of one chunk.

use std::ops::Range;

/// Documents in a chunk, at most. A chunk is what is planned, filtered and read at a time.
pub(crate) const CHUNK: usize = 4096;
const WORDS: usize = CHUNK / 64;

/// A set of documents of one chunk, by their place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask([u64; WORDS]);

/// How many members of a set come before each 64th place.
#[derive(Clone, Debug)]
pub(crate) struct Ranks([u16; WORDS]);

impl Mask {
    pub(crate) const NONE: Self = Self([0; WORDS]);

    /// The places of a range.
    pub(crate) fn range(range: Range<usize>) -> Self {
        let mut mask = Self::NONE;
        for (at, word) in mask.0.iter_mut().enumerate() {
            let low = range.start.saturating_sub(at * 64).min(64) as u32;
            let high = range.end.saturating_sub(at * 64).min(64) as u32;
            if low < high {
                *word = u64::MAX << low & u64::MAX >> (64 - high);
            }
        }
        mask
    }

    /// The first `count` places.
    pub(crate) fn first(count: usize) -> Self {
        Self::range(0..count)
    }

    pub(crate) fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Inserts the place if `is_member`, without a branch.
    pub(crate) fn insert_if(&mut self, at: usize, is_member: bool) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= u64::from(is_member) << (at % 64);
        }
    }

    /// The places of the values for which `is_member` holds, in their order.
    #[inline]
    pub(crate) fn of_each<T: Copy>(values: &[T], is_member: impl Fn(T) -> bool) -> Self {
        let mut mask = Self::NONE;
        for (word, values) in mask.0.iter_mut().zip(values.chunks(64)) {
            for (bit, value) in values.iter().enumerate() {
                *word |= u64::from(is_member(*value)) << bit;
            }
        }
        mask
    }

    /// The members of `self` that come at these places among them: the reverse of [`Mask::rank`].
    pub(crate) fn select(&self, of_members: &Self) -> Self {
        let (mut mask, mut rank) = (Self::NONE, 0);
        for (at, word) in self.0.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                mask.insert_if(at * 64 + word.trailing_zeros() as usize, of_members.contains(rank));
                (word, rank) = (word & (word - 1), rank + 1);
            }
        }
        mask
    }

    pub(crate) fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(crate) fn or(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    pub(crate) fn and(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    pub(crate) fn and_not(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many members come before each 64th place: for [`Mask::rank_after`].
    pub(crate) fn ranks(&self) -> Ranks {
        let mut before = 0;
        Ranks(self.0.map(|word| {
            let here = before;
            before += word.count_ones() as u16;
            here
        }))
    }

    /// As [`Mask::rank`], for who asks often.
    pub(crate) fn rank_after(&self, ranks: &Ranks, at: usize) -> usize {
        let before = ranks.0.get(at / 64).copied().unwrap_or(0);
        let word = self.0.get(at / 64).copied().unwrap_or(0);
        usize::from(before) + (word & ((1 << (at % 64)) - 1)).count_ones() as usize
    }

    /// How many members come before `at`.
    pub(crate) fn rank(&self, at: usize) -> usize {
        let (whole, part) = self.0.split_at_checked(at / 64).unwrap_or((&self.0, &[]));
        let before: u32 = whole.iter().map(|word| word.count_ones()).sum();
        let last = part.first().map_or(0, |word| (word & ((1 << (at % 64)) - 1)).count_ones());
        (before + last) as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The members, rising; from the other end, falling.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| Members { word: *word, base: at * 64 })
    }

    /// Calls `visit` with every member, rising.
    #[inline]
    pub(crate) fn each(&self, mut visit: impl FnMut(usize)) {
        for (at, word) in self.0.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                visit(at * 64 + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        }
    }

    /// The set in 64-bit words, the first places in the lowest bits of the first.
    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(crate) fn from_words(words: impl IntoIterator<Item = u64>) -> Self {
        let mut mask = Self::NONE;
        mask.0.iter_mut().zip(words).for_each(|(to, from)| *to = from);
        mask
    }
}

struct Members {
    word: u64,
    base: usize,
}

impl Iterator for Members {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.word == 0 {
            return None;
        }
        let bit = self.word.trailing_zeros();
        self.word &= self.word - 1;
        Some(self.base + bit as usize)
    }
}

impl DoubleEndedIterator for Members {
    fn next_back(&mut self) -> Option<usize> {
        if self.word == 0 {
            return None;
        }
        let bit = 63 - self.word.leading_zeros();
        self.word &= !(1 << bit);
        Some(self.base + bit as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: Range<usize>) {
        let expected: Vec<usize> = range.clone().filter(|at| *at < CHUNK).collect();
        let mask = Mask::range(range);
        assert_eq!(mask.iter().collect::<Vec<_>>(), expected);
        assert_eq!(mask.iter().rev().collect::<Vec<_>>(), expected.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(mask.count(), expected.len());
        for at in [0, 1, 63, 64, 65, 200, 4095, 4096, 9000] {
            assert_eq!(mask.rank(at), expected.iter().filter(|other| **other < at).count(), "{at}");
        }
        let mut rest = Mask::first(CHUNK);
        rest.and_not(&mask);
        assert_eq!(rest.count(), CHUNK - expected.len());
        rest.or(&mask);
        assert_eq!(rest, Mask::first(CHUNK));
    }

    #[test]
    fn members_are_selected_by_their_place_among_them() {
        let odd = Mask::of_each(&(0..CHUNK).collect::<Vec<_>>(), |at| at % 2 == 1);
        let third = Mask::of_each(&[7u8; 900], |byte| byte == 7);
        assert_eq!((odd.count(), third), (CHUNK / 2, Mask::first(900)));
        let mut wanted = Mask::NONE;
        [0, 3, 2047, 2048, 4000].iter().for_each(|at| wanted.insert(*at));
        assert_eq!(odd.select(&wanted).iter().collect::<Vec<_>>(), [1, 7, 4095]);
        assert_eq!(Mask::NONE.select(&Mask::first(9)), Mask::NONE);
    }

    #[test]
    fn ranges_members_and_ranks() {
        for range in [0..0, 0..1, 0..64, 1..63, 63..65, 64..128, 0..4096, 5..5000, 4095..4096] {
            check(range);
        }
    }
}
