//! Sizes (`64MiB`) and spans of time (`5s`) as people write them.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

const SIZES: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const SPANS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A number of bytes: `65536`, `64KiB`, `1MiB`, `1GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// A span of time: `250ms`, `5s`, `10m`, `12h`, `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// How long something is kept: a [`Span`], or `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub locard_indexer::Age);

const FOREVER: &str = "forever";

impl Size {
    /// The bytes, saturating where an address is smaller than 64 bits.
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let (digits, unit) = split(text)?;
        let scale = if unit.is_empty() { 1 } else { scale(&SIZES, unit)? };
        digits.checked_mul(scale).map(Self)
    }
}

impl Span {
    fn parse(text: &str) -> Option<Self> {
        let (digits, unit) = split(text)?;
        digits.checked_mul(scale(&SPANS, unit)?).map(|millis| Self(Duration::from_millis(millis)))
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit.trim()))
}

fn scale(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale)
}

/// The largest unit that gives a whole number.
fn show(f: &mut fmt::Formatter<'_>, number: u64, units: &[(&str, u64)]) -> fmt::Result {
    let fits = |(_, scale): &&(&str, u64)| number >= *scale && number.is_multiple_of(*scale);
    match units.iter().find(fits) {
        Some((unit, scale)) => write!(f, "{}{unit}", number / scale),
        None => write!(f, "{number}{}", units.last().map_or("", |(unit, _)| unit)),
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0, &SIZES)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &SPANS)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            locard_indexer::Age::For(span) => Span(span).fmt(f),
            locard_indexer::Age::Forever => f.write_str(FOREVER),
        }
    }
}

struct AgeVisitor;

impl Visitor<'_> for AgeVisitor {
    type Value = Age;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span of time such as `12h` or `30d`, or `forever`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Age, E> {
        if text.trim() == FOREVER {
            return Ok(Age(locard_indexer::Age::Forever));
        }
        let span = Span::parse(text).map(|Span(span)| Age(locard_indexer::Age::For(span)));
        span.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AgeVisitor)
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as `65536`, `64KiB` or `1GiB`")
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
        Size::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span of time such as `250ms`, `5s`, `10m`, `12h` or `30d`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        Span::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes, shown) in [
            ("65536", 65536, "64KiB"),
            ("1 GiB", 1 << 30, "1GiB"),
            ("1536MiB", 1536 << 20, "1536MiB"),
            ("7B", 7, "7B"),
            ("0", 0, "0B"),
        ] {
            assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
            assert_eq!(Size(bytes).to_string(), shown);
        }
        for text in ["", "MiB", "1MB", "1.5GiB", "-1", "99999999999TiB", "1 GiB x"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_read_and_shown() {
        for (text, millis, shown) in [
            ("250ms", 250, "250ms"),
            ("90s", 90_000, "90s"),
            ("120s", 120_000, "2m"),
            ("7d", 604_800_000, "7d"),
        ] {
            assert_eq!(Span::parse(text), Some(Span(Duration::from_millis(millis))), "{text}");
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), shown);
        }
        for text in ["", "5", "s", "1w", "-5s", "1.5h"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }
}
