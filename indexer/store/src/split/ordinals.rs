//! [`Ordinals`]: a set of a table's or a dictionary's ordinals.

use std::ops::RangeInclusive;

/// A set of ordinals below a fixed number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ordinals {
    words: Vec<u64>,
    count: u32,
    len: u32,
    /// Its least and its greatest member; the other way round if there is none.
    ends: (u32, u32),
}

impl Ordinals {
    pub(crate) fn none(len: u32) -> Self {
        Self { words: vec![0; (len as usize).div_ceil(64)], count: 0, len, ends: (u32::MAX, 0) }
    }

    /// Those below `len` for which `is_member` holds.
    pub(crate) fn of(len: u32, mut is_member: impl FnMut(u32) -> bool) -> Self {
        let mut set = Self::none(len);
        (0..len).filter(|ordinal| is_member(*ordinal)).for_each(|ordinal| set.insert(ordinal));
        set
    }

    pub(crate) fn insert(&mut self, ordinal: u32) {
        if let Some(word) = self.words.get_mut(ordinal as usize / 64) {
            let bit = 1 << (ordinal % 64);
            self.count += u32::from(*word & bit == 0);
            *word |= bit;
            self.ends = (self.ends.0.min(ordinal), self.ends.1.max(ordinal));
        }
    }

    pub(crate) fn contains(&self, ordinal: u32) -> bool {
        self.words.get(ordinal as usize / 64).is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }

    /// Whether some member may lie between these, both inside.
    pub(crate) fn may_meet(&self, (low, high): (u32, u32)) -> bool {
        self.count > 0 && self.ends.0 <= high && low <= self.ends.1
    }

    /// The least member and the greatest, if all between are members too.
    pub(crate) fn range(&self) -> Option<RangeInclusive<u32>> {
        let (low, high) = self.ends;
        (low <= high && self.count - 1 == high - low).then_some(low..=high)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn is_all(&self) -> bool {
        self.count == self.len
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.words).filter(|(_, word)| **word != 0).flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_counted_once() {
        let mut set = Ordinals::of(130, |ordinal| ordinal % 64 == 1);
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 65, 129]);
        set.insert(65);
        let met = [(0, 0), (0, 1), (2, 64), (129, 500), (130, 500)].map(|span| set.may_meet(span));
        assert_eq!(met, [false, true, true, true, false]);
        assert!(!Ordinals::none(5).may_meet((0, u32::MAX)));
        assert_eq!((set.range(), Ordinals::none(5).range()), (None, None));
        assert_eq!(Ordinals::of(9, |ordinal| (3..6).contains(&ordinal)).range(), Some(3..=5));
        assert!(!set.is_empty() && !set.is_all());
        assert!(Ordinals::of(65, |_| true).is_all() && Ordinals::none(0).is_all());
        assert!(!set.contains(500));
    }
}
