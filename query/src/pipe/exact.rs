//! [`ExactSum`]: floats added up without loss, so that neither their order nor how they are grouped changes the result.
//!
//! The sum is kept as a few floats that do not overlap (Shewchuk, *Adaptive Precision Floating-Point Arithmetic*, 1997, theorem
//! 10), and rounded once, when it is asked for.

/// How many bits of a whole number one float holds.
const MANTISSA_BITS: u32 = 53;

/// The exact sum of floats.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExactSum {
    /// From the smallest to the largest.
    parts: Vec<f64>,
    /// Whether it went beyond what a float can be.
    overflowed: bool,
}

impl ExactSum {
    /// Adds `number` so many times; answers by how many bytes this grew.
    pub(crate) fn add(&mut self, number: f64, times: u64) -> usize {
        let before = self.heap_bytes();
        if times == 1 {
            self.add_one(number);
        } else {
            // Each half of the factor is a float without loss, and so is what the product loses: `mul_add` rounds once.
            for factor in [(times >> 32) as f64 * 4_294_967_296.0, f64::from(times as u32)] {
                let product = number * factor;
                self.add_one(product);
                self.add_one(number.mul_add(factor, -product));
            }
        }
        self.heap_bytes() - before
    }

    fn add_one(&mut self, number: f64) {
        let mut carried = number;
        self.parts.retain_mut(|part| {
            let (sum, lost) = two_sum(carried, *part);
            (carried, *part) = (sum, lost);
            lost != 0.0
        });
        if !carried.is_finite() {
            self.overflowed = true;
            self.parts.clear();
        } else if carried != 0.0 {
            self.parts.push(carried);
        }
    }

    /// Adds what another has; answers by how many bytes this grew.
    pub(crate) fn merge(&mut self, other: &Self) -> usize {
        let before = self.heap_bytes();
        other.parts.iter().for_each(|part| self.add_one(*part));
        self.overflowed |= other.overflowed;
        self.heap_bytes() - before
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.parts.capacity() * size_of::<f64>()
    }

    /// The sum and `whole`, as the nearest float; infinite if it is too large for one.
    pub(crate) fn rounded_with(mut self, whole: i128) -> f64 {
        for piece in 0..3 {
            let shift = piece * MANTISSA_BITS;
            let bits = (whole.unsigned_abs() >> shift) & ((1 << MANTISSA_BITS) - 1);
            let part = bits as f64 * f64::from(shift).exp2();
            self.add_one(if whole < 0 { -part } else { part });
        }
        if self.overflowed { f64::INFINITY } else { self.rounded() }
    }

    /// The parts as one float. Where the largest two leave exactly half a step, the next one decides, as if all were added at once.
    fn rounded(mut self) -> f64 {
        let mut sum = self.parts.pop().unwrap_or(0.0);
        let mut lost = 0.0;
        while lost == 0.0
            && let Some(part) = self.parts.pop()
        {
            (sum, lost) = two_sum(sum, part);
        }
        if self.parts.last().is_some_and(|next| lost * next.signum() > 0.0) {
            let doubled = lost * 2.0;
            let next = sum + doubled;
            if next - sum == doubled {
                return next;
            }
        }
        sum
    }
}

/// The rounded sum and what rounding lost (Knuth).
fn two_sum(left: f64, right: f64) -> (f64, f64) {
    let sum = left + right;
    let right_in_sum = sum - left;
    (sum, (left - (sum - right_in_sum)) + (right - right_in_sum))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(numbers: &[(f64, u64)], whole: i128, expected: f64) {
        let mut sum = ExactSum::default();
        for (number, times) in numbers {
            sum.add(*number, *times);
        }
        assert_eq!(sum.rounded_with(whole), expected, "{numbers:?} {whole}");
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        check(&[], 0, 0.0);
        check(&[(0.1, 10)], 0, 1.0);
        check(&[(1e100, 1), (1.0, 1), (-1e100, 1)], 0, 1.0);
        check(&[(0.5, 1)], 9_007_199_254_740_993, 9_007_199_254_740_994.0);
        check(&[(-0.5, 1)], i128::from(u64::MAX), 18_446_744_073_709_551_616.0);
        check(&[(0.25, u64::MAX)], -(1 << 62), -0.25);
        check(&[(f64::MIN_POSITIVE, 3)], 0, 3.0 * f64::MIN_POSITIVE);
        // Half a step, and a little more or less.
        check(&[(1.0, 1), (2f64.powi(-53), 1), (2f64.powi(-120), 1)], 0, 1.0 + f64::EPSILON);
        check(&[(1.0, 1), (2f64.powi(-53), 1), (-2f64.powi(-120), 1)], 0, 1.0);
        check(&[(f64::MAX, 2)], 0, f64::INFINITY);
    }

    proptest! {
        #[test]
        fn neither_order_nor_weights_matter(numbers in proptest::collection::vec((-1e20..1e20f64, 0..6u64), 0..20)) {
            let mut weighted = ExactSum::default();
            let mut merged = ExactSum::default();
            for (number, times) in &numbers {
                weighted.add(*number, *times);
            }
            for (number, times) in numbers.iter().rev() {
                let mut one = ExactSum::default();
                (0..*times).for_each(|_| {
                    one.add(*number, 1);
                });
                merged.merge(&one);
            }
            prop_assert_eq!(weighted.rounded_with(7), merged.rounded_with(7));
        }
    }
}
