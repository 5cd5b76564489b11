//! [`Zone`]: times as people want to read them. What is no time of ours is left as it is.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The zone that times are shown in; nothing: as the server wrote them, in UTC.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Zone(Option<TimeZone>);

impl Zone {
    pub(in crate::cli) fn new(zone: Option<TimeZone>) -> Self {
        Self(zone)
    }

    /// The same instant with the same digits of a second, its offset said.
    pub(super) fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.converted(text).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    fn converted(&self, text: &str) -> Option<String> {
        let zone = self.0.as_ref()?;
        let clock = text.strip_suffix('Z')?;
        let digits = clock.split_once('.').map_or(0, |(_, digits)| digits.len());
        (clock.get(10..11) == Some("T") && digits <= 9).then_some(())?;
        let time = text.parse::<Timestamp>().ok()?.to_zoned_datetime(zone.clone());
        let seconds = if digits == 0 { String::new() } else { format!("%.{digits}f") };
        Some(time.strftime(&format!("%Y-%m-%dT%H:%M:%S{seconds}%:z")).to_string())
    }

    /// A date or time that names no zone, read in this one; everything else as it is.
    pub(in crate::cli) fn instant(&self, text: &str) -> String {
        let read = || {
            let zone = self.0.as_ref()?;
            // Digits alone are a Unix time; what has an offset says itself when it is.
            (text.trim().get(4..5) == Some("-") && text.trim().parse::<Timestamp>().is_err()).then_some(())?;
            let clock: DateTime = text.trim().parse().ok()?;
            Some(zone.to_timestamp(clock).ok()?.to_string())
        };
        read().unwrap_or_else(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Zone {
        Zone::new(Some(TimeZone::get("Europe/Berlin").unwrap()))
    }

    #[test]
    fn a_time_keeps_its_digits_and_says_its_offset() {
        for (text, expected) in [
            ("2026-05-28T10:00:00.000Z", "2026-05-28T12:00:00.000+02:00"),
            ("2026-11-24T23:30:00.123456789Z", "2026-11-25T00:30:00.123456789+01:00"),
            ("2026-11-24T08:00:00Z", "2026-11-24T09:00:00+01:00"),
            ("at 2026-11-24T08:00:00Z", "at 2026-11-24T08:00:00Z"),
            ("Z", "Z"),
            ("", ""),
        ] {
            assert_eq!(berlin().shown(text), expected);
            assert_eq!(Zone::default().shown(text), text);
        }
    }

    #[test]
    fn a_date_without_a_zone_is_one_of_this_zone() {
        for (text, expected) in [
            ("2026-05-28", "2026-05-27T22:00:00Z"),
            ("2026-05-28T12:30", "2026-05-28T10:30:00Z"),
            ("2026-05-28T12:30:00Z", "2026-05-28T12:30:00Z"),
            ("2026-05-28T12:30:00+05:00", "2026-05-28T12:30:00+05:00"),
            ("1h", "1h"),
            ("now-1h", "now-1h"),
            ("1779962401", "1779962401"),
        ] {
            assert_eq!(berlin().instant(text), expected);
            assert_eq!(Zone::default().instant(text), text);
        }
    }
}
