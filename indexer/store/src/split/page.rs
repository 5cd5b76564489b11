//! Integers packed in few bits each, any of them readable without the others.
//!
//! `value[i] = base + unit × ((slope × i) >> 32 + rest[i])`, `rest` in a fixed number of bits. The unit takes out what all
//! differences share (a clock that ticks in milliseconds), the slope what rises evenly (times and sequence numbers in order).
//! All arithmetic wraps: what was packed comes back, whatever it was.

use super::bytes::{Input, Malformed, Result, put_varint, put_zigzag};

/// Bytes behind the packed bits, so that the last value can be read with one wide load.
const PADDING: usize = 8;
/// Widths up to this many bits are read with a load of eight bytes.
const NARROW: u8 = 56;

/// Appends `values`, packed. How many there are must be known to the reader.
pub(crate) fn pack(values: &[i64], out: &mut Vec<u8>) {
    let Some(min) = values.iter().min().copied() else { return };
    let unit = unit(values, min);
    let steps = || values.iter().map(|value| value.wrapping_sub(min) as u64 / unit);
    let slope = slope(values.len(), steps());
    let flat = Line { base: min, unit, slope: 0 };
    let plain_width = width(steps().max().unwrap_or(0));
    let (low, high) = residual_range(slope, steps());
    let slanted_width = width(high.wrapping_sub(low) as u64);
    let line = if slope != 0 && slanted_width < plain_width {
        Line { base: min.wrapping_add(low.wrapping_mul(unit as i64)), unit, slope }
    } else {
        flat
    };
    let rest = |(at, step): (usize, u64)| match line.slope {
        0 => step,
        slope => (step as i64).wrapping_sub(rise(slope, at)).wrapping_sub(low) as u64,
    };
    line.put(out);
    put_bits(
        steps().enumerate().map(rest),
        plain_width.min(if slope == 0 { 64 } else { slanted_width }),
        out,
    );
}

/// Appends small numbers, packed as [`pack`] does without looking for a unit or a slope.
pub(crate) fn pack_ordinals(values: &[u32], out: &mut Vec<u8>) {
    let (Some(min), Some(max)) = (values.iter().min().copied(), values.iter().max().copied()) else { return };
    Line { base: i64::from(min), unit: 1, slope: 0 }.put(out);
    put_bits(values.iter().map(|value| u64::from(value - min)), width(u64::from(max - min)), out);
}

#[derive(Clone, Copy, Debug)]
struct Line {
    base: i64,
    unit: u64,
    slope: i64,
}

impl Line {
    fn put(self, out: &mut Vec<u8>) {
        put_zigzag(out, self.base);
        put_varint(out, self.unit);
        put_zigzag(out, self.slope);
    }

    fn value(self, at: usize, rest: u64) -> i64 {
        let step = rise(self.slope, at).wrapping_add(rest as i64);
        self.base.wrapping_add(step.wrapping_mul(self.unit as i64))
    }
}

/// How far a slope has risen at `at`.
fn rise(slope: i64, at: usize) -> i64 {
    ((i128::from(slope) * at as i128) >> 32) as i64
}

/// What all differences from the least value are multiples of.
fn unit(values: &[i64], min: i64) -> u64 {
    let mut unit = 0;
    for value in values {
        unit = gcd(value.wrapping_sub(min) as u64, unit);
        if unit == 1 {
            break;
        }
    }
    unit.max(1)
}

fn gcd(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// The slope from the first to the last value; 0 where that says nothing.
fn slope(count: usize, mut steps: impl Iterator<Item = u64>) -> i64 {
    let (Some(first), Some(last)) = (steps.next(), steps.last()) else { return 0 };
    let rise = (i128::from(last) - i128::from(first)) << 32;
    i64::try_from(rise / (count as i128 - 1).max(1)).unwrap_or(0)
}

/// The least and the greatest distance from the line.
fn residual_range(slope: i64, steps: impl Iterator<Item = u64>) -> (i64, i64) {
    let residuals = steps.enumerate().map(|(at, step)| (step as i64).wrapping_sub(rise(slope, at)));
    residuals.fold((i64::MAX, i64::MIN), |(low, high), rest| (low.min(rest), high.max(rest)))
}

fn width(max: u64) -> u8 {
    (u64::BITS - max.leading_zeros()) as u8
}

fn put_bits(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    out.push(width);
    if width == 0 {
        return;
    }
    let (mut held, mut bits) = (0u128, 0u32);
    for value in values {
        held |= u128::from(value) << bits;
        bits += u32::from(width);
        while bits >= 32 {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            held >>= 32;
            bits -= 32;
        }
    }
    let left = (held as u32).to_le_bytes();
    out.extend_from_slice(left.get(..bits.div_ceil(8) as usize).unwrap_or_default());
    out.extend_from_slice(&[0; PADDING]);
}

/// What packed integers begin with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    line: Line,
    width: u8,
    len: usize,
}

impl Head {
    /// Reads the head of `len` packed values that fill `input`; what is left are their bits.
    pub(crate) fn read<'a>(mut input: Input<'a>, len: usize) -> Result<(Self, &'a [u8])> {
        if len == 0 {
            input.end()?;
            return Ok((Self { line: Line { base: 0, unit: 1, slope: 0 }, width: 0, len }, &[]));
        }
        let line = Line { base: input.zigzag()?, unit: input.varint()?, slope: input.zigzag()? };
        let width = input.byte()?;
        let bits = input.rest();
        let expected = match width {
            0 => Some(0),
            1..=64 => len.checked_mul(width.into()).map(|bits| bits.div_ceil(8) + PADDING),
            _ => None,
        };
        if expected != Some(bits.len()) {
            return Err(Malformed("a page has another length"));
        }
        Ok((Self { line, width, len }, bits))
    }

    /// The values, whose bits these are.
    pub(crate) fn with(self, bits: &[u8]) -> Packed<'_> {
        let Self { line, width, len } = self;
        Packed { line, width, len, bits }
    }
}

/// Packed integers, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a> {
    line: Line,
    width: u8,
    len: usize,
    bits: &'a [u8],
}

impl<'a> Packed<'a> {
    /// Reads what [`pack`] wrote of `len` values, to the end of `input`.
    pub(crate) fn read(input: Input<'a>, len: usize) -> Result<Self> {
        let (head, bits) = Head::read(input, len)?;
        Ok(head.with(bits))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at `at`; the base beyond the end.
    pub(crate) fn get(&self, at: usize) -> i64 {
        self.line.value(at, self.rest(at))
    }

    fn rest(&self, at: usize) -> u64 {
        let bit = at * usize::from(self.width);
        if self.width <= NARROW {
            let load = self.bits.get(bit / 8..).and_then(|bits| bits.first_chunk::<8>());
            let word = load.map_or(0, |bytes| u64::from_le_bytes(*bytes));
            return word >> (bit % 8) & mask(self.width);
        }
        let mut bytes = [0; 16];
        let from = self.bits.get(bit / 8..).unwrap_or_default();
        bytes.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        (u128::from_le_bytes(bytes) >> (bit % 8)) as u64 & mask(self.width)
    }

    /// Calls `visit` with every value in order.
    #[inline]
    pub(crate) fn each(&self, mut visit: impl FnMut(i64)) {
        let Line { base, unit, slope } = self.line;
        if slope != 0 || unit != 1 || self.width > NARROW {
            (0..self.len).for_each(|at| visit(self.get(at)));
        } else if self.width == 0 {
            (0..self.len).for_each(|_| visit(base));
        } else {
            let (width, mask) = (usize::from(self.width), mask(self.width));
            let mut bit = 0;
            for _ in 0..self.len {
                let load = self.bits.get(bit / 8..).and_then(|bits| bits.first_chunk::<8>());
                let word = load.map_or(0, |bytes| u64::from_le_bytes(*bytes));
                visit(base.wrapping_add((word >> (bit % 8) & mask) as i64));
                bit += width;
            }
        }
    }

    /// Writes the values, which are ordinals, to the front of `out`: all that it has room for. Answers them.
    ///
    /// A width known to the compiler makes of eight values a few shifts without a branch: four times as fast as one by one.
    pub(crate) fn ordinals<'o>(&self, out: &'o mut [u32]) -> &'o [u32] {
        let out = out.get_mut(..self.len).unwrap_or_default();
        let Line { base, unit, slope } = self.line;
        if slope != 0 || unit != 1 || self.width > 32 {
            (0..).zip(&mut *out).for_each(|(at, slot)| *slot = self.get(at) as u32);
            return out;
        }
        unpack(self.width, self.bits, base as u32, out);
        out
    }

    /// The least ordinal and the greatest that the values may be, if that shows without looking at them.
    pub(crate) fn span(&self) -> Option<(u32, u32)> {
        let Line { base, unit, slope } = self.line;
        let base = u32::try_from(base).ok()?;
        let above = u32::try_from(mask(self.width)).ok()?;
        (slope == 0 && unit == 1).then(|| (base, base.saturating_add(above)))
    }

    /// The one value that all are, if that shows without looking at them.
    pub(crate) fn constant(&self) -> Option<i64> {
        (self.width == 0 && self.line.slope == 0).then_some(self.line.base)
    }

    /// How many values come before the first that is not less than `wanted`; the values must be in order.
    pub(crate) fn rank(&self, wanted: i64) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = (low + high) / 2;
            if self.get(middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// [`eights`] of a width that is known only now.
fn unpack(width: u8, bits: &[u8], base: u32, out: &mut [u32]) {
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                $($width => eights::<$width>(bits, base, out),)*
                _ => out.fill(base),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

/// Eight values fill `WIDTH` bytes; the padding behind the last ones lets each be read with a load of eight.
fn eights<const WIDTH: usize>(bits: &[u8], base: u32, out: &mut [u32]) {
    let mut from = bits;
    let mut eights = out.chunks_exact_mut(8);
    for eight in &mut eights {
        let mut window = Window([0; 40]);
        if let (Some(to), Some(taken)) = (window.0.get_mut(..WIDTH + PADDING), from.get(..WIDTH + PADDING)) {
            to.copy_from_slice(taken);
        }
        (0..8).zip(eight).for_each(|(at, slot)| *slot = window.value::<WIDTH>(at, base));
        from = from.get(WIDTH..).unwrap_or_default();
    }
    let mut window = Window([0; 40]);
    window.0.iter_mut().zip(from).for_each(|(to, byte)| *to = *byte);
    (0..8).zip(eights.into_remainder()).for_each(|(at, slot)| *slot = window.value::<WIDTH>(at, base));
}

/// The bytes of eight values, and the padding.
struct Window([u8; 40]);

impl Window {
    #[inline]
    fn value<const WIDTH: usize>(&self, at: usize, base: u32) -> u32 {
        let load = self.0.get(at * WIDTH / 8..).and_then(|bytes| bytes.first_chunk::<8>());
        let word = load.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        base.wrapping_add((word >> (at * WIDTH % 8) & (u64::MAX >> (64 - WIDTH))) as u32)
    }
}

fn mask(width: u8) -> u64 {
    u64::MAX.checked_shr(64 - u32::from(width)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(values: &[i64]) -> usize {
        let mut bytes = Vec::new();
        pack(values, &mut bytes);
        let packed = Packed::read(Input::new(&bytes), values.len()).unwrap();
        let mut all = Vec::new();
        packed.each(|value| all.push(value));
        assert_eq!(all, values);
        let each: Vec<i64> = (0..values.len()).map(|at| packed.get(at)).collect();
        assert_eq!(each, values);
        bytes.len()
    }

    #[test]
    fn what_is_regular_takes_few_bits() {
        assert!(check(&[7; 4096]) < 8);
        assert!(check(&(0..4096).collect::<Vec<_>>()) < 20);
        // Milliseconds in nanoseconds, rising with noise: 11 bits or so.
        let noisy: Vec<i64> = (0..4096i64).map(|at| (at * 17 + at * at % 13) * 1_000_000).collect();
        assert!(check(&noisy) < 4096);
    }

    #[test]
    fn the_edges_come_back() {
        check(&[]);
        check(&[i64::MIN]);
        check(&[i64::MIN, i64::MAX, 0, -1, 1]);
        check(&[i64::MAX, i64::MIN]);
        check(&[0, i64::MAX, 0]);
        check(&[-5, 10, 25]);
    }

    #[test]
    fn a_page_cut_or_longer_is_refused() {
        let mut bytes = Vec::new();
        pack(&[1, 5, 900], &mut bytes);
        for length in 0..bytes.len() {
            assert!(Packed::read(Input::new(&bytes[..length]), 3).is_err(), "{length}");
        }
        bytes.push(0);
        assert!(Packed::read(Input::new(&bytes), 3).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_packed_comes_back(values in prop::collection::vec(any::<i64>(), 0..200), shift in 0..64u32) {
            check(&values.iter().map(|value| value >> shift).collect::<Vec<_>>());
        }

        #[test]
        fn ordinals_come_back_and_are_found(mut values in prop::collection::vec(any::<u32>(), 0..200), shift in 0..32u32, wanted: u32) {
            values.iter_mut().for_each(|value| *value >>= shift);
            values.sort_unstable();
            let mut bytes = Vec::new();
            pack_ordinals(&values, &mut bytes);
            let packed = Packed::read(Input::new(&bytes), values.len()).unwrap();
            let all: Vec<u32> = (0..values.len()).map(|at| packed.get(at) as u32).collect();
            prop_assert_eq!(&all, &values);
            let wanted = wanted >> shift;
            prop_assert_eq!(packed.rank(wanted.into()), values.partition_point(|value| *value < wanted));
        }
    }
}
