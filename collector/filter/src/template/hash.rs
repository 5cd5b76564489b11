//! Needle keys: 64-bit hashes of folded words, of windows of them, of prefixes and of values. Part of the format of a split: a key
//! never changes. Knows no text to take apart.

/// What a key stands for; keys of different kinds never meet but by chance.
#[derive(Clone, Copy)]
#[repr(u64)]
pub enum Kind {
    /// A folded word.
    Word = 1,
    /// The first characters of a folded word that has at least as many.
    Prefix = 2,
    /// Four numbers joined by dots, or six pairs of hex digits joined by colons or dashes.
    Window = 3,
    /// The name of a field; part of the next.
    Name = 4,
    /// A value of a field.
    Value = 5,
    /// That there is a field of this name.
    Presence = 6,
}

/// Digits of pi.
const PI: [u64; 5] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7345,
    0xa409_3822_299f_31d1,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
];

/// The key of `text` as a `kind`.
#[inline]
pub fn key(kind: Kind, text: &[u8]) -> u64 {
    hash((kind as u64).wrapping_mul(PI[0]), text)
}

/// Key of "field `name` has exactly this canonical text".
pub fn key_of_value(name: &str, canonical: &str) -> u64 {
    let name = key(Kind::Name, name.as_bytes());
    hash(name ^ (Kind::Value as u64).wrapping_mul(PI[0]), canonical.as_bytes())
}

/// Key of "field `name` is present here".
pub fn key_of_presence(name: &str) -> u64 {
    key(Kind::Presence, name.as_bytes())
}

#[inline]
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let (first, last) = if bytes.len() <= 16 { ends(bytes) } else { long(seed, bytes) };
    let length = (bytes.len() as u64).wrapping_mul(PI[4]);
    mix(mix(first ^ PI[1], last ^ seed ^ length) ^ PI[2], seed ^ PI[3])
}

/// All of at most 16 bytes; those in the middle may be in both.
#[inline]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
    }
    (bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0)
}

#[cold]
fn long(seed: u64, bytes: &[u8]) -> (u64, u64) {
    let mut state = seed;
    for chunk in bytes.chunks(16) {
        let (first, last) = ends(chunk);
        state = mix(first ^ PI[1], last ^ state ^ PI[2]);
    }
    (state, bytes.last_chunk().map_or(0, |last| u64::from_le_bytes(*last)))
}

/// The product folded: each bit of the result depends on all bits of both.
#[inline]
fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// Hashes the keys of tables in memory.
#[derive(Default)]
pub struct TableHasher(u64);

impl std::hash::Hasher for TableHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.write_u64(ends(rest).0);
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0 ^ value ^ PI[1], PI[2]);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
