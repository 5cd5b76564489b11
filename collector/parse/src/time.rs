//! Calendar times as log lines spell them, to [`Timestamp`].
//!
//! Does not know time zones: a time without one is read as UTC. RFC 3339 here is the strict form that runtimes and loggers
//! write; it is read by position because it stands before every container line.

use jiff::civil::DateTime;
use locard_event::Timestamp;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A date and a time of day, with the offset the text gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i16,
    pub(crate) month: i8,
    pub(crate) day: i8,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    pub(crate) second: i8,
    pub(crate) nanos: i32,
    pub(crate) offset_seconds: i32,
}

impl Civil {
    /// The instant, or `None` when no calendar has such a day or minute. A leap second is its minute's last second.
    pub(crate) fn timestamp(self) -> Option<Timestamp> {
        let second = if self.second == 60 { 59 } else { self.second };
        let civil =
            DateTime::new(self.year, self.month, self.day, self.hour, self.minute, second, self.nanos)
                .ok()?;
        let instant = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?;
        let nanos = i64::try_from(instant.as_nanosecond()).ok()?;
        nanos.checked_sub(i64::from(self.offset_seconds) * NANOS_PER_SECOND).map(Timestamp::from_nanos)
    }
}

/// Reads RFC 3339 from the start of `input`; gives the time and what follows. The separator may be `T` or a space, the fraction
/// follows `.` or `,` and is cut at nanoseconds.
pub(crate) fn rfc3339(input: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (mut civil, rest) = date_time(input)?;
    let (offset, rest) = offset(rest)?;
    civil.offset_seconds = offset;
    Some((civil.timestamp()?, rest))
}

/// Reads `2026-03-01T12:00:00.123` (also with a space, also `2026/03/01`), without a zone.
pub(crate) fn date_time(input: &[u8]) -> Option<(Civil, &[u8])> {
    let (date, time) = input.split_at_checked(10)?;
    let [y1, y2, y3, y4, sep1, m1, m2, sep2, d1, d2] = *date else { return None };
    if sep1 != sep2 || !matches!(sep1, b'-' | b'/') {
        return None;
    }
    let time = match time.split_first()? {
        (b'T' | b't' | b' ', time) => time,
        _ => return None,
    };
    let (mut civil, rest) = clock(time)?;
    civil.year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
    civil.month = two(m1, m2)?;
    civil.day = two(d1, d2)?;
    Some((civil, rest))
}

/// Reads `12:00:00` and a fraction after `.` or `,`.
pub(crate) fn clock(input: &[u8]) -> Option<(Civil, &[u8])> {
    let (hms, rest) = input.split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *hms else { return None };
    let (nanos, rest) = fraction(rest);
    let civil =
        Civil { hour: two(h1, h2)?, minute: two(m1, m2)?, second: two(s1, s2)?, nanos, ..Civil::default() };
    Some((civil, rest))
}

/// Reads `.123456789` or `,123`; digits beyond the ninth are dropped. No digit: nothing is read.
fn fraction(input: &[u8]) -> (i32, &[u8]) {
    let Some((b'.' | b',', digits)) = input.split_first() else { return (0, input) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return (0, input);
    }
    let (digits, rest) = digits.split_at(length);
    let mut nanos = 0;
    for place in 0..9 {
        nanos = nanos * 10 + digits.get(place).map_or(0, |digit| i32::from(digit - b'0'));
    }
    (nanos, rest)
}

/// Reads `Z`, `+01:00`, `+0100` or `-05`; gives seconds east of UTC.
pub(crate) fn offset(input: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, rest) = match input.split_first()? {
        (b'Z' | b'z', rest) => return Some((0, rest)),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = two_digits(rest)?;
    let (minutes, rest) = match rest {
        [b':', tail @ ..] => two_digits(tail)?,
        [b'0'..=b'9', ..] => two_digits(rest)?,
        _ => (0, rest),
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some((sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60), rest))
}

pub(crate) fn two_digits(input: &[u8]) -> Option<(i8, &[u8])> {
    match input {
        [tens, ones, rest @ ..] => Some((two(*tens, *ones)?, rest)),
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<i8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i8::try_from(tens * 10 + ones).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: Option<(&str, &str)>) {
        let read = rfc3339(input.as_bytes())
            .map(|(time, rest)| (time.to_string(), String::from_utf8_lossy(rest).into_owned()));
        assert_eq!(read, expected.map(|(time, rest)| (time.to_owned(), rest.to_owned())), "{input}");
    }

    #[test]
    fn rfc3339_of_every_precision_and_offset() {
        check("2026-03-01T12:00:00Z", Some(("2026-03-01T12:00:00.000Z", "")));
        check("2026-03-01T12:00:00.123456789+01:00 x", Some(("2026-03-01T11:00:00.123456789Z", " x")));
        check("2026-03-01 12:00:00,5-0530", Some(("2026-03-01T17:30:00.500Z", "")));
        check("2026-12-31T23:59:60Z", Some(("2026-12-31T23:59:59.000Z", "")));
        check("2026-03-01T12:00:00.1234567891Z", Some(("2026-03-01T12:00:00.123456789Z", "")));
    }

    #[test]
    fn what_no_calendar_holds_is_refused() {
        for bad in ["2026-02-29T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:00", "2026-03-01", ""] {
            check(bad, None);
        }
        check("2026-03/01T12:00:00Z", None);
        check("2026-03-01T12:00:00+24:00", None);
    }
}
