//! [`Distinct`]: how many different values; exact up to [`EXACT`], then an estimate that says so.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};

use locard_event::Value;

use super::order;

/// Up to this many different values are counted exactly.
pub(crate) const EXACT: usize = 100_000;
/// What one of them takes in a set that is half full.
const VALUE_BYTES: usize = size_of::<u128>() * 2;
/// Registers of the estimate: 2^14, standard error 1.04 / sqrt(2^14) = 0.8 % (Flajolet et al., HyperLogLog, 2007).
const REGISTER_BITS: u32 = 14;
const REGISTERS: usize = 1 << REGISTER_BITS;

/// A set of values, by 128 bits of hash each, or the registers of an estimate.
#[derive(Clone, Debug)]
pub(crate) enum Distinct {
    Exact(HashSet<u128>),
    Estimate(Vec<u8>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(HashSet::new())
    }
}

impl Distinct {
    /// Adds a value; answers by how many bytes this grew.
    pub(crate) fn add(&mut self, value: &Value) -> usize {
        self.insert(hash(value))
    }

    fn insert(&mut self, hash: u128) -> usize {
        match self {
            Self::Exact(set) => {
                let grown = if set.insert(hash) { VALUE_BYTES } else { 0 };
                if set.len() > EXACT {
                    *self = Self::Estimate(registers(set));
                }
                grown
            }
            Self::Estimate(registers) => {
                register(registers, hash);
                0
            }
        }
    }

    /// Takes in what another has; answers by how many bytes this grew.
    pub(crate) fn merge(&mut self, other: Self) -> usize {
        match other {
            Self::Exact(set) => set.into_iter().map(|hash| self.insert(hash)).sum(),
            Self::Estimate(theirs) => {
                if let Self::Exact(set) = self {
                    *self = Self::Estimate(registers(set));
                }
                if let Self::Estimate(own) = self {
                    own.iter_mut().zip(theirs).for_each(|(own, their)| *own = their.max(*own));
                }
                0
            }
        }
    }

    /// An estimate counts as what it grew from.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Exact(set) => set.len() * VALUE_BYTES,
            Self::Estimate(_) => EXACT * VALUE_BYTES,
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_))
    }

    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Exact(set) => set.len() as u64,
            Self::Estimate(registers) => estimate(registers),
        }
    }
}

/// 128 bits, so that even who chooses the values does not make two of them one.
fn hash(value: &Value) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        order::hash(value, &mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

fn registers(set: &HashSet<u128>) -> Vec<u8> {
    let mut registers = vec![0; REGISTERS];
    set.iter().for_each(|hash| register(&mut registers, *hash));
    registers
}

fn register(registers: &mut [u8], hash: u128) {
    let hash = hash as u64;
    let index = (hash >> (64 - REGISTER_BITS)) as usize;
    let zeros = (hash << REGISTER_BITS | 1 << (REGISTER_BITS - 1)).leading_zeros() as u8 + 1;
    if let Some(register) = registers.get_mut(index) {
        *register = zeros.max(*register);
    }
}

/// Never small enough here for the correction by empty registers: it takes over from more than 100,000 exact ones.
fn estimate(registers: &[u8]) -> u64 {
    let count = REGISTERS as f64;
    let alpha = 0.7213 / (1.0 + 1.079 / count);
    let sum: f64 = registers.iter().map(|zeros| (-f64::from(*zeros)).exp2()).sum();
    (alpha * count * count / sum).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: std::ops::Range<i64>) -> Distinct {
        let mut distinct = Distinct::default();
        values.for_each(|value| {
            distinct.add(&value.into());
        });
        distinct
    }

    #[test]
    fn it_is_exact_up_to_the_limit_and_near_beyond() {
        let mut exact = of(0..100_000);
        exact.merge(of(50_000..100_000));
        assert!(exact.is_exact());
        assert_eq!(exact.count(), 100_000);
        let mut near = of(0..150_000);
        near.merge(of(0..10));
        near.merge(of(100_000..300_000));
        assert!(!near.is_exact());
        let error = (near.count() as f64 / 300_000.0 - 1.0).abs();
        assert!(error < 0.03, "{}", near.count());
    }
}
