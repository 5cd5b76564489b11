//! Times and durations as people type them in parameters: `now-1h`, `1h`, a date, RFC 3339, a Unix time; `5s`, `1m30s`.
//!
//! The clock is an argument.

use std::time::Duration;

use locard_event::Timestamp;
use locard_filter::{parse_duration, parse_time};

/// What [`read_time`] takes, for who wrote something else.
pub(crate) const TIME_HINT: &str =
    "write now-1h, 1h (an hour ago), 2026-03-01, 2026-03-01T12:00:00Z, or a Unix time";

/// Reads what a time predicate takes (`now-1h`, a date or time of any precision, in UTC unless it names a zone, a Unix time in
/// seconds, milli-, micro- or nanoseconds), and a plain duration as that long ago. A date is its first instant.
pub(crate) fn read_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(point) = parse_time(text) {
        return Some(point.at(now));
    }
    if let Some(ago) = parse_duration(text) {
        return Some(now.plus_nanos(-ago));
    }
    Timestamp::parse(text).ok()
}

/// Reads `5s`, `500ms`, `1m30s`, or a plain number of seconds.
pub(crate) fn read_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    u64::try_from(parse_duration(text)?).ok().map(Duration::from_nanos)
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
        check("1764000000", Some("2025-11-24T16:00:00.000Z"));
        check("1h", Some("2026-11-24T07:00:00.000Z"));
        check("1d12h", Some("2026-11-22T20:00:00.000Z"));
        check("2026-05-28", Some("2026-05-28T00:00:00.000Z"));
        check("2026-05-28T12:30", Some("2026-05-28T12:30:00.000Z"));
        check(" 2026-05-28 12:30:01+02:00 ", Some("2026-05-28T10:30:01.000Z"));
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
