//! [`Mix`]: a hash of numbers that cannot be chosen freely, in a few instructions.
//!
//! Not for texts, nor for what a sender could make collide in great number.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps keyed by numbers given out one after the other, or by digests.
pub(crate) type MixState = BuildHasherDefault<Mix>;

/// An odd number without a pattern: the golden ratio's fraction in 64 bits.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Multiplies and rotates.
#[derive(Debug, Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(FACTOR);
    }

    fn write_u128(&mut self, number: u128) {
        self.write_u64(number as u64);
    }

    /// The map looks at the lowest and the highest bits, a product's best ones are the highest.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
