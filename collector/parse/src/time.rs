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

/// Runs a reader of bytes on text; gives what follows as text.
pub(crate) fn on_str<'a, T>(
    text: &'a str,
    read: impl FnOnce(&'a [u8]) -> Option<(T, &'a [u8])>,
) -> Option<(T, &'a str)> {
    let (value, rest) = read(text.as_bytes())?;
    Some((value, text.get(text.len() - rest.len()..)?))
}

/// Reads an English month's first three letters, as in `Mar`.
pub(crate) fn month(input: &[u8]) -> Option<(i8, &[u8])> {
    const MONTHS: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let (name, rest) = input.split_at_checked(3)?;
    let index = MONTHS.iter().position(|month| month.as_slice() == name)?;
    Some((i8::try_from(index).ok()? + 1, rest))
}

/// Reads four digits.
pub(crate) fn year(input: &[u8]) -> Option<(i16, &[u8])> {
    let (century, rest) = two_digits(input)?;
    let (year, rest) = two_digits(rest)?;
    Some((i16::from(century) * 100 + i16::from(year), rest))
}

/// Reads one digit or two.
fn one_or_two_digits(input: &[u8]) -> Option<(i8, &[u8])> {
    two_digits(input).or_else(|| match input {
        [ones @ b'0'..=b'9', rest @ ..] => Some((two(b'0', *ones)?, rest)),
        _ => None,
    })
}

/// Reads `Mar  1 12:00:00` (RFC 3164 §4.1.2), also with a year before or after the clock, as Cisco and ctime write it. Without a
/// year, the one is taken that brings the time nearest before `received`, see [`with_year`].
pub(crate) fn bsd(input: &[u8], received: Timestamp) -> Option<(Timestamp, &[u8])> {
    let (month, rest) = month(input)?;
    let rest = rest.strip_prefix(b" ")?;
    let (day, rest) = one_or_two_digits(rest.strip_prefix(b" ").unwrap_or(rest))?;
    let rest = rest.strip_prefix(b" ")?;
    let (said_year, rest) = match year(rest) {
        Some((year, [b' ', tail @ ..])) => (Some(year), tail),
        _ => (None, rest),
    };
    let (civil, rest) = clock(rest)?;
    let (said_year, rest) = match (said_year, rest) {
        (None, [b' ', tail @ ..]) => match year(tail) {
            Some((year, after @ ([] | [b' ' | b']', ..]))) => (Some(year), after),
            _ => (None, rest),
        },
        _ => (said_year, rest),
    };
    let civil = Civil { month, day, ..civil };
    let time = match said_year {
        Some(year) => Civil { year, ..civil }.timestamp()?,
        None => with_year(civil, received)?,
    };
    Some((time, rest))
}

/// Gives a date without year the year of `received`, or the year before if it would lie more than a day ahead.
/// 29 February takes the latest year that has one.
pub(crate) fn with_year(civil: Civil, received: Timestamp) -> Option<Timestamp> {
    const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;
    let instant = jiff::Timestamp::from_nanosecond(i128::from(received.nanos())).ok()?;
    let this_year = jiff::tz::Offset::UTC.to_datetime(instant).year();
    let latest = received.plus_nanos(NANOS_PER_DAY);
    (0..9)
        .filter_map(|ago| Civil { year: this_year.checked_sub(ago)?, ..civil }.timestamp())
        .find(|time| *time <= latest)
}

/// Reads `01/Mar/2026:12:00:00 +0100`, the time of access logs.
pub(crate) fn access(input: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (day, rest) = two_digits(input)?;
    let (month, rest) = month(rest.strip_prefix(b"/")?)?;
    let (year, rest) = year(rest.strip_prefix(b"/")?)?;
    let (civil, rest) = clock(rest.strip_prefix(b":")?)?;
    let (offset_seconds, rest) = match rest.strip_prefix(b" ").and_then(offset) {
        Some(read) => read,
        None => (0, rest),
    };
    Some((Civil { year, month, day, offset_seconds, ..civil }.timestamp()?, rest))
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

    #[track_caller]
    fn check_bsd(input: &str, received: &str, expected: Option<&str>) {
        let received = Timestamp::parse(received).unwrap();
        let read = bsd(input.as_bytes(), received).map(|(time, _)| time.to_string());
        assert_eq!(read.as_deref(), expected, "{input}");
    }

    #[test]
    fn a_missing_year_is_the_one_that_brings_it_before_now() {
        let newyear = "2026-01-01T00:30:00Z";
        check_bsd("Dec 31 23:59:59", newyear, Some("2025-12-31T23:59:59.000Z"));
        check_bsd("Jan  1 00:29:00", newyear, Some("2026-01-01T00:29:00.000Z"));
        check_bsd("Jan  2 00:29:00", newyear, Some("2026-01-02T00:29:00.000Z"));
        check_bsd("Jan  2 00:31:00", newyear, Some("2025-01-02T00:31:00.000Z"));
        check_bsd("Feb 29 12:00:00", newyear, Some("2024-02-29T12:00:00.000Z"));
        check_bsd("Feb 30 12:00:00", newyear, None);
    }

    #[test]
    fn a_year_that_is_said_is_taken() {
        let now = "2026-01-01T00:30:00Z";
        check_bsd("Mar 1 12:00:00.5", now, Some("2025-03-01T12:00:00.500Z"));
        check_bsd("Mar 01 2024 12:00:00", now, Some("2024-03-01T12:00:00.000Z"));
        check_bsd("Oct 13 12:24:49.880562 2022] [x]", now, Some("2022-10-13T12:24:49.880562Z"));
        check_bsd("Mar  1 12:00:00 2022host x", now, Some("2025-03-01T12:00:00.000Z"));
        check_bsd("March 1 12:00:00", now, None);
    }

    #[test]
    fn access_times_have_an_offset_or_are_utc() {
        let show = |text: &str| access(text.as_bytes()).map(|(time, _)| time.to_string());
        assert_eq!(show("01/Mar/2026:12:00:00 +0100]").as_deref(), Some("2026-03-01T11:00:00.000Z"));
        assert_eq!(show("01/Mar/2026:12:00:00").as_deref(), Some("2026-03-01T12:00:00.000Z"));
        assert_eq!(show("32/Mar/2026:12:00:00 +0100"), None);
    }
}
