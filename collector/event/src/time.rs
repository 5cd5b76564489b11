//! [`Timestamp`]: nanoseconds since the Unix epoch, and its text forms.

use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z, negative before. Covers the years 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or number was no time this crate can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseTimeError;

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected RFC 3339 or a Unix time in seconds, milli-, micro- or nanoseconds")
    }
}

impl std::error::Error for ParseTimeError {}

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl Timestamp {
    /// The earliest time that can be held.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time that can be held.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole milliseconds since the epoch, saturating.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From whole seconds since the epoch, saturating.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This time moved by `nanos`, saturating.
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Reads RFC 3339 with any offset: `2026-03-01T12:00:00.120+01:00`. A space may stand for the `T`;
    /// the seconds are required.
    pub fn parse_rfc3339(text: &str) -> Result<Self, ParseTimeError> {
        // jiff accepts more than RFC 3339 (annotations in brackets, no seconds), so the shape is checked first.
        let bytes = text.as_bytes();
        if bytes.len() < 20 || !matches!(bytes.get(10), Some(b'T' | b't' | b' ')) || text.contains('[') {
            return Err(ParseTimeError);
        }
        let instant: jiff::Timestamp = text.parse().map_err(|_| ParseTimeError)?;
        i64::try_from(instant.as_nanosecond()).map(Self).map_err(|_| ParseTimeError)
    }

    /// Reads a Unix time whose unit is told by its size: below 1e11 seconds, below 1e14 milliseconds,
    /// below 1e17 microseconds, else nanoseconds. So every unit covers 1973 to 5138 without overlap.
    pub fn from_epoch(number: i64) -> Self {
        let scale = match number.unsigned_abs() {
            0..100_000_000_000 => NANOS_PER_SECOND,
            100_000_000_000..100_000_000_000_000 => 1_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000,
            _ => 1,
        };
        Self(number.saturating_mul(scale))
    }

    /// As [`Timestamp::from_epoch`] for a number with a fraction. What counts is the shortest decimal text of the float, so
    /// that `1772366400.25` and `1764000000.123456` mean what they say.
    pub fn from_epoch_float(number: f64) -> Result<Self, ParseTimeError> {
        if number.is_finite() && number.abs() < 1e11 {
            return Self::parse(&number.to_string());
        }
        let scale = match number.abs() {
            n if n < 1e14 => 1e6,
            n if n < 1e17 => 1e3,
            _ => 1.0,
        };
        let nanos = number * scale;
        if !nanos.is_finite() || nanos.abs() >= i64::MAX as f64 {
            return Err(ParseTimeError);
        }
        Ok(Self(nanos.round() as i64))
    }

    /// Reads RFC 3339, an integer or a decimal Unix time (`1764000000.123456789`, exact to the nanosecond).
    pub fn parse(text: &str) -> Result<Self, ParseTimeError> {
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Self::from_epoch(number));
        }
        if let Some((whole, fraction)) = text.split_once('.')
            && let Ok(seconds) = whole.parse::<i64>()
            && seconds.unsigned_abs() < 100_000_000_000
            && !fraction.is_empty()
            && fraction.bytes().all(|b| b.is_ascii_digit())
        {
            let digits: i64 = fraction
                .bytes()
                .chain(std::iter::repeat(b'0'))
                .take(9)
                .fold(0, |n, b| n * 10 + i64::from(b - b'0'));
            let signed = if whole.starts_with('-') { -digits } else { digits };
            return Ok(Self::from_seconds(seconds).plus_nanos(signed));
        }
        Self::parse_rfc3339(text)
    }
}

/// RFC 3339 in UTC with the shortest of 3, 6 or 9 digits that loses nothing: `2026-03-01T12:00:00.120Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_nanosecond(i128::from(self.0)).map_err(|_| fmt::Error)?;
        let civil = jiff::tz::Offset::UTC.to_datetime(instant);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        )?;
        let nanos = civil.subsec_nanosecond();
        match nanos {
            n if n % 1_000_000 == 0 => write!(f, "{:03}Z", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{:06}Z", n / 1_000),
            n => write!(f, "{n:09}Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(Timestamp::parse(input).map(|t| t.to_string()), Ok(expected.to_owned()), "{input}");
    }

    #[test]
    fn every_unit_and_rfc3339_name_the_same_instant() {
        check("1764000000", "2025-11-24T16:00:00.000Z");
        check("1764000000123", "2025-11-24T16:00:00.123Z");
        check("1764000000123456", "2025-11-24T16:00:00.123456Z");
        check("1764000000123456789", "2025-11-24T16:00:00.123456789Z");
        check("1764000000.5", "2025-11-24T16:00:00.500Z");
        check("-1.5", "1969-12-31T23:59:58.500Z");
        check("1764000000.1234567891", "2025-11-24T16:00:00.123456789Z");
        check("2025-11-24T17:00:00.120+01:00", "2025-11-24T16:00:00.120Z");
        check("2025-11-24 16:00:00Z", "2025-11-24T16:00:00.000Z");
    }

    #[test]
    fn a_float_means_its_shortest_text() {
        for (float, text) in
            [(1_764_000_000.123456, "1764000000.123456"), (1_772_366_400.25, "1772366400.25"), (0.0, "0")]
        {
            assert_eq!(Timestamp::from_epoch_float(float), Timestamp::parse(text));
        }
        assert_eq!(Timestamp::from_epoch_float(f64::NAN), Err(ParseTimeError));
        assert_eq!(Timestamp::from_epoch_float(1e300), Err(ParseTimeError));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in ["", "now", "2025-11-24", "2025-11-24T16:00:00", "2025-13-01T00:00:00Z", "12:00", "1e9"] {
            assert_eq!(Timestamp::parse(bad), Err(ParseTimeError), "{bad}");
        }
        assert_eq!(Timestamp::parse("9999-01-01T00:00:00Z"), Err(ParseTimeError));
    }

    #[test]
    fn extremes_have_a_text_form() {
        assert_eq!(Timestamp::MIN.to_string(), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(Timestamp::MAX.to_string(), "2262-04-11T23:47:16.854775807Z");
    }
}
