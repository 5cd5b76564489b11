//! [`Weighted`]: numbers with how often each occurs, and what lies at a percentage of them.

/// From this many on, equal numbers are joined before more room is taken.
const FEW: usize = 1_024;

/// Numbers, each with how often it occurs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weighted(Vec<(f64, u64)>);

impl Weighted {
    /// Adds `number` so many times; answers by how many bytes this grew.
    pub(crate) fn add(&mut self, number: f64, times: u64) -> usize {
        let before = self.0.capacity();
        if self.0.len() == before && before >= FEW {
            self.join();
            // Joining pays only where it leaves room for a while.
            if self.0.len() > before / 4 * 3 {
                self.0.reserve_exact(before);
            }
        }
        self.0.push((number, times));
        (self.0.capacity() - before) * size_of::<(f64, u64)>()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(f64, u64)>()
    }

    /// Sorts, and joins equal numbers.
    fn join(&mut self) {
        self.0.sort_unstable_by(|(left, _), (right, _)| left.total_cmp(right));
        self.0.dedup_by(|(number, times), (kept, kept_times)| {
            let same = number.to_bits() == kept.to_bits();
            if same {
                *kept_times += *times;
            }
            same
        });
    }

    /// Takes in what another has; answers by how many bytes this grew.
    pub(crate) fn merge(&mut self, other: Self) -> usize {
        other.0.into_iter().map(|(number, times)| self.add(number, times)).sum()
    }

    /// The number at `share` per cent of the way through all of them in order, between two neighbours in proportion.
    pub(crate) fn at(mut self, share: f64) -> Option<f64> {
        self.join();
        let count: u64 = self.0.iter().map(|(_, times)| times).sum();
        let place = share / 100.0 * (count.checked_sub(1)? as f64);
        let below = self.nth(place.floor() as u64)?;
        let above = self.nth(place.ceil() as u64)?;
        Some(below + (above - below) * place.fract())
    }

    /// The number with `before` numbers before it.
    /// The numbers in order, each once.
    pub(crate) fn into_sorted(mut self) -> Vec<(f64, u64)> {
        self.join();
        self.0
    }

    fn nth(&self, before: u64) -> Option<f64> {
        let mut left = before;
        let (number, _) = self.0.iter().find(|(_, times)| match left.checked_sub(*times) {
            Some(still) => {
                left = still;
                false
            }
            None => true,
        })?;
        Some(*number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(numbers: &[(f64, u64)], share: f64, expected: Option<f64>) {
        let mut all = Weighted::default();
        for (number, times) in numbers {
            all.add(*number, *times);
        }
        assert_eq!(all.at(share), expected, "{numbers:?} {share}");
    }

    #[test]
    fn a_weight_stands_for_as_many_numbers() {
        check(&[], 50.0, None);
        check(&[(3.0, 1), (1.0, 2)], 50.0, Some(1.0));
        check(&[(3.0, 1), (1.0, 2)], 75.0, Some(2.0));
        check(&[(3.0, 1), (1.0, 2), (3.0, 1)], 50.0, Some(2.0));
        check(&[(3.0, 1), (1.0, 2)], 100.0, Some(3.0));
        check(&[(2.0, u64::MAX / 2), (1.0, 1)], 0.0, Some(1.0));
    }

    #[test]
    fn equal_numbers_take_no_more_room() {
        let mut all = Weighted::default();
        let bytes: usize = (0..100_000).map(|n| all.add(f64::from(n % 100), 1)).sum();
        assert_eq!(bytes, FEW * size_of::<(f64, u64)>());
        assert_eq!(all.at(50.0), Some(49.5));
        let mut different = Weighted::default();
        let bytes: usize = (0..10_000).map(|n| different.add(f64::from(n), 1)).sum();
        assert!((10_000 * 16..40_000 * 16).contains(&bytes), "{bytes}");
    }
}
