//! [`ByteMask`]: which bytes occur in a slot. Knows nothing of what they mean, but how case folding changes them.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ByteMask(pub [u64; 4]);

/// `A` to `Z` within the second word of a mask.
const UPPER: u64 = 0x07ff_fffe;
/// `k` within the second word: the Kelvin sign folds into it.
const LOWER_K: u64 = 1 << (b'k' - 64);

impl ByteMask {
    /// Every byte.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The bytes that occur in `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let (mut low, mut high, mut wide) = (0u64, 0u64, false);
        for byte in bytes {
            let bit = 1 << (byte & 63);
            if byte & 64 == 0 {
                low |= bit
            } else {
                high |= bit
            }
            wide |= !byte.is_ascii();
        }
        if wide { Self::of_wide(bytes) } else { Self([low, high, 0, 0]) }
    }

    fn of_wide(bytes: &[u8]) -> Self {
        let mut mask = Self::default();
        for byte in bytes {
            if let Some(word) = mask.0.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
        mask
    }

    /// Takes in the bytes of `other`.
    pub fn add(&mut self, other: &Self) {
        for (own, word) in self.0.iter_mut().zip(other.0) {
            *own |= word;
        }
    }

    /// Whether `byte` is in it.
    pub fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    /// Whether all of `other` is in it.
    pub fn has_all(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(own, word)| word & !own == 0)
    }

    /// Whether some byte from `low` to `high` (inside) is in it.
    pub fn meets(&self, low: u8, high: u8) -> bool {
        (0u8..4).zip(self.0).any(|(index, word)| {
            let (first, last) = (index * 64, index * 64 + 63);
            let (low, high) = (low.max(first), high.min(last));
            low <= high && word & ((u64::MAX >> (63 - (high - low))) << (low - first)) != 0
        })
    }

    /// At least the bytes of any text of these bytes once its case is folded.
    pub fn folded(&self) -> Self {
        let [low, high, ..] = self.0;
        let high = high & !UPPER | (high & UPPER) << 32;
        if self.is_ascii() {
            Self([low, high, 0, 0])
        } else {
            Self([low, high | LOWER_K, u64::MAX, u64::MAX])
        }
    }

    fn is_ascii(&self) -> bool {
        let [.., third, fourth] = self.0;
        third | fourth == 0
    }
}

#[cfg(test)]
mod tests {
    use crate::word;

    use super::*;

    #[test]
    fn a_mask_is_a_set() {
        let mask = ByteMask::of("az\u{0}é\u{ff}".as_bytes());
        for byte in 0..=255 {
            assert_eq!(mask.has(byte), "az\u{0}é\u{ff}".as_bytes().contains(&byte), "{byte}");
            for high in byte..=255 {
                assert_eq!(
                    mask.meets(byte, high),
                    (byte..=high).any(|byte| mask.has(byte)),
                    "{byte}..{high}"
                );
            }
        }
        assert!(ByteMask::ALL.has_all(&mask) && !mask.has_all(&ByteMask::ALL));
    }

    #[test]
    fn folding_a_mask_covers_folding_its_text() {
        for text in ["AbZ@[`09", "\u{212A}", "É", "İ", "Ⱥ"] {
            let folded = ByteMask::of(word::fold_str(text).as_bytes());
            assert!(ByteMask::of(text.as_bytes()).folded().has_all(&folded), "{text}");
        }
        assert_eq!(ByteMask::of(b"AbZ@[").folded(), ByteMask::of(b"abz@["));
    }
}
