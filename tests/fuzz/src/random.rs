//! [`Random`]: numbers that are the same for the same seed, on every machine and in every version (SplitMix64).

/// A sequence of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, and 0 where there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.next().checked_rem(end as u64).map_or(0, |number| number as usize)
    }

    /// Yes in one of so many cases.
    pub(crate) fn one_in(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = self.below(of.len());
        of.get(at)
    }

    /// Two places up to `end`, in order.
    pub(crate) fn range(&mut self, end: usize) -> std::ops::Range<usize> {
        let (one, two) = (self.below(end + 1), self.below(end + 1));
        // Mostly short pieces: what is near belongs together.
        let near = if self.one_in(3) { two } else { (one + self.below(9)).min(end) };
        one.min(near)..one.max(near)
    }
}
