//! Times and durations as people type them in parameters: `now-1h`, RFC 3339, a Unix time; `5s`, `1m30s`.
//!
//! The clock is an argument.

use std::time::Duration;

use locard_event::Timestamp;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Reads `now`, `now-1h`, `now+30s`, RFC 3339, or a Unix time in seconds, milli-, micro- or nanoseconds.
pub(crate) fn read_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    let Some(offset) = text.strip_prefix("now") else { return Timestamp::parse(text).ok() };
    match offset.split_at_checked(1) {
        None => Some(now),
        Some(("-", duration)) => Some(now.plus_nanos(-read_nanos(duration)?)),
        Some(("+", duration)) => Some(now.plus_nanos(read_nanos(duration)?)),
        Some(_) => None,
    }
}

/// Reads `5s`, `500ms`, `1m30s`, or a plain number of seconds.
pub(crate) fn read_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    u64::try_from(read_nanos(text)?).ok().map(Duration::from_nanos)
}

/// A sum of numbers with units: `1d12h`.
fn read_nanos(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut nanos = 0i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let part = number.parse::<i64>().ok()?.checked_mul(unit_nanos(unit)?)?;
        nanos = nanos.checked_add(part)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(nanos)
}

fn unit_nanos(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => NANOS_PER_SECOND,
        "m" => 60 * NANOS_PER_SECOND,
        "h" => 3_600 * NANOS_PER_SECOND,
        "d" => 86_400 * NANOS_PER_SECOND,
        "w" => 7 * 86_400 * NANOS_PER_SECOND,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let now = Timestamp::parse("2026-11-24T08:00:00Z").unwrap();
        assert_eq!(read_time(text, now).map(|time| time.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn times_are_relative_absolute_or_unix() {
        check("now", Some("2026-11-24T08:00:00.000Z"));
        check("now-1h", Some("2026-11-24T07:00:00.000Z"));
        check("now+1d12h", Some("2026-11-25T20:00:00.000Z"));
        check("now-1w", Some("2026-11-17T08:00:00.000Z"));
        check("2026-11-24T09:00:00+01:00", Some("2026-11-24T08:00:00.000Z"));
        check("1764000000123", Some("2025-11-24T16:00:00.123Z"));
        for bad in ["", "nowish", "now-", "now-1", "now-1y", "now-h", "now1h", "yesterday", "now-é"] {
            check(bad, None);
        }
        check("now-99999999999999999w", None);
    }

    #[test]
    fn durations_have_units_or_are_seconds() {
        for (text, expected) in [
            ("5s", Some(Duration::from_secs(5))),
            ("1m30s", Some(Duration::from_secs(90))),
            ("0.5", Some(Duration::from_millis(500))),
            ("500ms", Some(Duration::from_millis(500))),
            ("-1", None),
            ("nan", None),
            ("soon", None),
        ] {
            assert_eq!(read_duration(text), expected, "{text}");
        }
    }
}
