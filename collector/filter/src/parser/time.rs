//! Dates, times and durations as people write them. No clock: `now` stays relative.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use locard_event::Timestamp;

use crate::TimePoint;

/// What a written time covers: `2026-03-01` a day, `12:10` a minute, `now-5m` nothing but an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// First instant inside.
    pub(super) start: TimePoint,
    /// First instant after; equal to `start` for an instant.
    pub(super) end: TimePoint,
}

/// Reads a duration such as `90s`, `15m` or `1h30m` into nanoseconds. Units: `ns us ms s m h d w`; a day is 24 hours.
pub fn parse_duration(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (number, behind) = split_digits(rest);
        let unit_end = behind.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at_checked(unit_end)?;
        let nanos = number.parse::<i64>().ok()?.checked_mul(unit_nanos(unit)?)?;
        total = total.checked_add(nanos)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

fn unit_nanos(unit: &str) -> Option<i64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos)
}

/// Units of durations and their nanoseconds, longest first.
pub(crate) const UNITS: [(&str, i64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads an instant as a time predicate takes it: the first one of what is written, so that `2026-03-01` is its midnight.
pub fn parse_time(text: &str) -> Option<TimePoint> {
    period(text).map(|period| period.start)
}

/// Reads `now`, `now-5m`, a date or time of any precision with an optional zone (UTC without), or a Unix time.
pub(super) fn period(text: &str) -> Option<Period> {
    if let Some(offset) = text.strip_prefix("now") {
        let point = TimePoint::Now(relative(offset)?);
        return Some(Period { start: point, end: point });
    }
    let (start, end) = civil_period(text).or_else(|| epoch_period(text))?;
    Some(Period { start: TimePoint::At(start), end: TimePoint::At(end) })
}

/// The signed duration behind `now`. The magnitude may be 2^63, that of the least offset.
fn relative(offset: &str) -> Option<i64> {
    if offset.is_empty() {
        return Some(0);
    }
    if let Some(duration) = offset.strip_prefix('+') {
        return parse_duration(duration);
    }
    let duration = offset.strip_prefix('-')?;
    match duration {
        "9223372036854775808ns" => Some(i64::MIN),
        _ => parse_duration(duration).map(|nanos| -nanos),
    }
}

/// A Unix time covers one unit of the precision it is written in.
fn epoch_period(text: &str) -> Option<(Timestamp, Timestamp)> {
    if !text.starts_with(|char: char| char == '-' || char.is_ascii_digit()) {
        return None;
    }
    let start = Timestamp::parse(text).ok()?;
    let nanos = match text.split_once('.') {
        Some((_, fraction)) => fraction_nanos(fraction)?,
        None => Timestamp::from_epoch(text.parse::<i64>().ok()?.checked_add(1)?).nanos() - start.nanos(),
    };
    Some((start, start.plus_nanos(nanos.max(1))))
}

/// What the last digit of a fraction of a second is worth.
fn fraction_nanos(fraction: &str) -> Option<i64> {
    let digits = u32::try_from(fraction.len()).ok()?;
    Some(10i64.pow(9u32.checked_sub(digits)?))
}

/// `2026[-03[-01[T12[:10[:30[.5]]]]]][zone]`.
fn civil_period(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (digits, mut rest) = split_digits(text);
    if digits.len() != 4 {
        return None;
    }
    let mut parts = [digits.parse().ok()?, 1, 1, 0, 0, 0];
    let mut known = 1;
    for (part, separators) in parts.iter_mut().skip(1).zip(["-", "-", "Tt ", ":", ":"]) {
        // A zone may follow at once: `2026-03-01T12-05:00` has hours, then a zone.
        let Some(behind) = rest.strip_prefix(|char| separators.contains(char)) else { break };
        let (digits, behind) = split_digits(behind);
        if digits.len() != 2 {
            return None;
        }
        *part = digits.parse().ok()?;
        known += 1;
        rest = behind;
    }
    let mut fraction = "";
    if known == 6
        && let Some(behind) = rest.strip_prefix('.')
    {
        (fraction, rest) = split_digits(behind);
        if fraction.is_empty() {
            return None;
        }
    }
    let start = civil(parts, fraction)?;
    let end = start.checked_add(precision(known, fraction)?).ok()?;
    let zone = zone(rest)?;
    let end = instant(end, zone)?.min(i128::from(i64::MAX));
    let at = |nanos: i128| i64::try_from(nanos).ok().map(Timestamp::from_nanos);
    Some((at(instant(start, zone)?)?, at(end)?))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn civil([year, month, day, hour, minute, second]: [i16; 6], fraction: &str) -> Option<DateTime> {
    let small = |part: i16| i8::try_from(part).ok();
    let nanos = if fraction.is_empty() {
        0
    } else {
        i32::try_from(fraction.parse::<i64>().ok()? * fraction_nanos(fraction)?).ok()?
    };
    let date = Date::new(year, small(month)?, small(day)?).ok()?;
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanos).ok()?;
    Some(date.to_datetime(time))
}

/// The length of what is written to this many parts.
fn precision(known: usize, fraction: &str) -> Option<Span> {
    let span = Span::new();
    Some(match known {
        1 => span.years(1),
        2 => span.months(1),
        3 => span.days(1),
        4 => span.hours(1),
        5 => span.minutes(1),
        _ if fraction.is_empty() => span.seconds(1),
        _ => span.nanoseconds(fraction_nanos(fraction)?),
    })
}

/// Nothing (UTC), `Z`, `+01`, `+0100` or `+01:00`.
fn zone(text: &str) -> Option<Offset> {
    let sign = match text.chars().next() {
        None => return Some(Offset::UTC),
        Some('Z' | 'z') => return (text.len() == 1).then_some(Offset::UTC),
        Some('+') => 1,
        Some('-') => -1,
        Some(_) => return None,
    };
    let (hours, rest) = text.get(1..)?.split_at_checked(2)?;
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    let number = |digits: &str| match digits.len() {
        2 if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<i32>().ok(),
        _ => None,
    };
    let minutes = if rest.is_empty() { 0 } else { number(minutes).filter(|minutes| *minutes < 60)? };
    let hours = number(hours).filter(|hours| *hours < 24)?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn instant(civil: DateTime, zone: Offset) -> Option<i128> {
    zone.to_timestamp(civil).ok().map(|instant| instant.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, start: &str, end: &str) {
        let at = |text: &str| TimePoint::At(Timestamp::parse_rfc3339(text).unwrap());
        assert_eq!(period(text), Some(Period { start: at(start), end: at(end) }), "{text}");
    }

    #[test]
    fn a_time_covers_what_it_is_written_to() {
        check("2026", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        check("2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
        check("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z");
        check("2026-03-01T12", "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z");
        check("2026-03-01T12:10Z", "2026-03-01T12:10:00Z", "2026-03-01T12:11:00Z");
        check("2026-03-01 12:10:59", "2026-03-01T12:10:59Z", "2026-03-01T12:11:00Z");
        check("2026-03-01T12:10:59.5Z", "2026-03-01T12:10:59.5Z", "2026-03-01T12:10:59.6Z");
        check(
            "2026-03-01T12:10:59.123456789Z",
            "2026-03-01T12:10:59.123456789Z",
            "2026-03-01T12:10:59.12345679Z",
        );
        check("1764000000", "2025-11-24T16:00:00Z", "2025-11-24T16:00:01Z");
        check("1764000000123", "2025-11-24T16:00:00.123Z", "2025-11-24T16:00:00.124Z");
        check("1764000000.5", "2025-11-24T16:00:00.5Z", "2025-11-24T16:00:00.6Z");
    }

    #[test]
    fn zones_move_the_period() {
        check("2026-03-01+02:00", "2026-02-28T22:00:00Z", "2026-03-01T22:00:00Z");
        check("2026-03-01T12:00-0530", "2026-03-01T17:30:00Z", "2026-03-01T17:31:00Z");
        check("2026-03-01T12-05", "2026-03-01T17:00:00Z", "2026-03-01T18:00:00Z");
    }

    #[test]
    fn now_moves_by_durations() {
        let at = |text: &str| period(text).map(|period| period.start);
        assert_eq!(at("now"), Some(TimePoint::Now(0)));
        assert_eq!(at("now-1h30m"), Some(TimePoint::Now(-5_400_000_000_000)));
        assert_eq!(at("now+1d"), Some(TimePoint::Now(86_400_000_000_000)));
        assert_eq!(at("now-9223372036854775808ns"), Some(TimePoint::Now(i64::MIN)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "now-",
            "now5m",
            "now-5",
            "nowhere",
            "yesterday",
            "2026-13",
            "2026-02-30",
            "2026-3-1",
            "2026-03-01T25",
            "2026-03-01T12:60",
            "2026-03-01T12:00:00.",
            "2026-03-01T12:00:00.1234567890",
            "2026-03-01X",
            "2026-03-01+1",
            "2026-03-01+25:00",
            "2026-03-01T",
            "9999-01-01",
            "-",
            "1e9",
        ] {
            assert_eq!(period(bad), None, "{bad}");
        }
        for bad in ["", "5", "h", "5x", "5m3", "-5m", "1.5h", "99999999999999w"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
