//! Dates as Elasticsearch writes them: date math (`now-1d/d`, `2026-01-01||+1M/d`), formats, time zones. The clock is an argument.

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, ZonedDateTime as Zoned};
use locard_event::Timestamp;

use super::error::Error;
use super::pattern;

const MILLI: i64 = 1_000_000;

/// What a text denotes: an instant as wide as it is written. `2026-01` is a month, `now` a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    /// First instant inside.
    pub(super) start: Timestamp,
    /// First instant after.
    pub(super) end: Timestamp,
}

/// How dates are to be read.
#[derive(Clone, Debug)]
pub(super) struct Reading<'a> {
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    /// Formats separated by `||`; nothing: ISO 8601 or milliseconds since the epoch.
    pub(super) format: Option<&'a str>,
}

/// A time zone as `+01:00`, `Z` or a name.
pub(super) fn zone(text: &str) -> Result<TimeZone, Error> {
    let unknown = || Error::illegal(format!("failed to parse time zone [{text}]"));
    if matches!(text, "Z" | "UTC" | "utc" | "GMT") {
        return Ok(TimeZone::UTC);
    }
    let Some(sign) = text.chars().next().filter(|sign| matches!(sign, '+' | '-')) else {
        return TimeZone::get(text).map_err(|_| unknown());
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let number = |range: std::ops::Range<usize>| digits.get(range).unwrap_or("0").parse::<i32>();
    let well = matches!(digits.len(), 1 | 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let hours = number(0..digits.len().min(2)).map_err(|_| unknown())?;
    let minutes = number(2..4).map_err(|_| unknown())?;
    if !well || hours > 18 || minutes > 59 {
        return Err(unknown());
    }
    let seconds = hours * 3600 + minutes * 60;
    let offset = Offset::from_seconds(if sign == '-' { -seconds } else { seconds }).map_err(|_| unknown())?;
    Ok(TimeZone::fixed(offset))
}

/// The instant in a zone.
pub(super) fn zoned(time: Timestamp, zone: &TimeZone) -> Zoned {
    jiff::Timestamp::from_nanosecond(i128::from(time.nanos()))
        .unwrap_or_default()
        .to_zoned_datetime(zone.clone())
}

/// Back from a zone, saturating.
pub(super) fn instant(zoned: &Zoned) -> Timestamp {
    let nanos = zoned.timestamp().as_nanosecond();
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

fn floor(nanos: i64, step: i64) -> i64 {
    nanos.saturating_sub(nanos.rem_euclid(step))
}

impl Reading<'_> {
    /// Reads a date, or date math on one.
    pub(super) fn read(&self, text: &str) -> Result<Interval, Error> {
        let text = text.trim();
        let (anchor, math) = match text.strip_prefix("now") {
            Some(math) => (milli(self.now), math),
            None => match text.split_once("||") {
                Some((date, math)) => (self.date(date)?, math),
                None => (self.date(text)?, ""),
            },
        };
        let unreadable = || failed(text, self.format);
        self.math(anchor, math, unreadable)
    }

    /// Applies `+1d`, `-1h`, `/d`, one after the other.
    fn math(
        &self,
        anchor: Interval,
        mut math: &str,
        unreadable: impl Fn() -> Error,
    ) -> Result<Interval, Error> {
        let Interval { mut start, mut end } = anchor;
        while let Some(operator) = math.chars().next() {
            let rest = math.get(1..).unwrap_or_default();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = rest.split_at_checked(digits).ok_or_else(&unreadable)?;
            let unit = rest.chars().next().and_then(Unit::of).ok_or_else(&unreadable)?;
            math = rest.get(1..).unwrap_or_default();
            let count: i64 = if number.is_empty() { 1 } else { number.parse().map_err(|_| unreadable())? };
            match operator {
                '+' | '-' => {
                    let count = if operator == '-' { -count } else { count };
                    let last = Timestamp::from_nanos(end.nanos().saturating_sub(1));
                    start = self.plus(start, count, unit).ok_or_else(&unreadable)?;
                    end = self.plus(last, count, unit).ok_or_else(&unreadable)?.plus_nanos(1);
                }
                '/' if number.is_empty() || count == 1 => {
                    start = unit.floor(start, &self.zone);
                    end = self.plus(start, 1, unit).ok_or_else(&unreadable)?;
                }
                _ => return Err(unreadable()),
            }
        }
        Ok(Interval { start, end })
    }

    fn plus(&self, time: Timestamp, count: i64, unit: Unit) -> Option<Timestamp> {
        let span = unit.span(count)?;
        zoned(time, &self.zone).checked_add(span).ok().map(|moved| instant(&moved))
    }

    /// Reads a date in one of the formats.
    fn date(&self, text: &str) -> Result<Interval, Error> {
        let formats = self.format.unwrap_or("strict_date_optional_time||epoch_millis");
        let read = |format: &str| self.by(format.trim(), text);
        formats.split("||").find_map(read).ok_or_else(|| failed(text, self.format))
    }

    fn by(&self, format: &str, text: &str) -> Option<Interval> {
        match format {
            "epoch_millis" => epoch(text, MILLI),
            "epoch_second" => epoch(text, 1_000_000_000),
            "strict_date_optional_time"
            | "date_optional_time"
            | "strict_date_optional_time_nanos"
            | "iso8601"
            | "date_time"
            | "strict_date_time"
            | "date_time_no_millis"
            | "strict_date_time_no_millis"
            | "basic_date_time" => self.iso(text),
            "date" | "strict_date" | "year_month_day" | "strict_year_month_day" => {
                self.pattern("yyyy-MM-dd", text)
            }
            "year_month" | "strict_year_month" => self.pattern("yyyy-MM", text),
            "year" | "strict_year" => self.pattern("yyyy", text),
            "basic_date" => self.pattern("yyyyMMdd", text),
            "date_hour_minute_second" | "strict_date_hour_minute_second" => {
                self.pattern("yyyy-MM-dd'T'HH:mm:ss", text)
            }
            custom => self.pattern(custom, text),
        }
    }

    fn pattern(&self, pattern: &str, text: &str) -> Option<Interval> {
        let parts = pattern::parse(pattern, text)?;
        self.interval(&parts)
    }

    /// ISO 8601 with as many parts as are given.
    fn iso(&self, text: &str) -> Option<Interval> {
        let parts = pattern::parse_iso(text)?;
        self.interval(&parts)
    }

    fn interval(&self, parts: &pattern::Parts) -> Option<Interval> {
        let date = civil::Date::new(parts.year, parts.month.unwrap_or(1), parts.day.unwrap_or(1)).ok()?;
        let (hour, minute) = (parts.hour.unwrap_or(0), parts.minute.unwrap_or(0));
        let time =
            civil::Time::new(hour, minute, parts.second.unwrap_or(0), parts.nanos.unwrap_or(0)).ok()?;
        let zone = match parts.offset {
            Some(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
            None => self.zone.clone(),
        };
        let start = date.to_datetime(time).to_zoned_datetime(zone).ok()?;
        let end = match (parts.month, parts.day, parts.hour, parts.minute, parts.second) {
            (None, ..) => start.checked_add(Unit::Year.span(1)?),
            (_, None, ..) => start.checked_add(Unit::Month.span(1)?),
            (_, _, None, ..) => start.checked_add(Unit::Day.span(1)?),
            (_, _, _, None, _) => start.checked_add(Unit::Hour.span(1)?),
            (.., None) => start.checked_add(Unit::Minute.span(1)?),
            _ => {
                start.checked_add(Span::new().nanoseconds(parts.nanos.map_or(1_000_000_000, |_| parts.step)))
            }
        };
        Some(Interval { start: instant(&start), end: instant(&end.ok()?) })
    }
}

/// The instant that a text says as a date: with or without a time of day, a space or a `T` between.
pub(super) fn lenient(text: &str) -> Option<Timestamp> {
    let reading = Reading { now: Timestamp::from_seconds(0), zone: TimeZone::UTC, format: None };
    let is_date = text.len() >= 8 && text.as_bytes().get(4) == Some(&b'-');
    let said = is_date.then(|| text.replacen(' ', "T", 1))?;
    reading.iso(&said).map(|interval| interval.start)
}

/// A millisecond, the resolution of Elasticsearch's dates.
pub(super) fn milli(time: Timestamp) -> Interval {
    let start = floor(time.nanos(), MILLI);
    Interval { start: Timestamp::from_nanos(start), end: Timestamp::from_nanos(start.saturating_add(MILLI)) }
}

fn epoch(text: &str, unit: i64) -> Option<Interval> {
    if let Ok(number) = text.parse::<i64>() {
        let start = number.checked_mul(unit)?;
        return Some(Interval {
            start: Timestamp::from_nanos(start),
            end: Timestamp::from_nanos(start.saturating_add(unit)),
        });
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let nanos = number * unit as f64;
    (nanos.abs() < i64::MAX as f64).then(|| milli(Timestamp::from_nanos(nanos.round() as i64)))
}

fn failed(text: &str, format: Option<&str>) -> Error {
    let format = format.unwrap_or("strict_date_optional_time||epoch_millis");
    Error::parsing(format!("failed to parse date field [{text}] with format [{format}]"))
}

/// A unit of date math and of calendar intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            's' => Self::Second,
            'm' => Self::Minute,
            'h' | 'H' => Self::Hour,
            'd' => Self::Day,
            'w' => Self::Week,
            'M' => Self::Month,
            'y' => Self::Year,
            _ => return None,
        })
    }

    /// A calendar interval: `1d`, `day`, …
    pub(super) fn calendar(text: &str) -> Option<Self> {
        Some(match text {
            "second" | "1s" => Self::Second,
            "minute" | "1m" => Self::Minute,
            "hour" | "1h" => Self::Hour,
            "day" | "1d" => Self::Day,
            "week" | "1w" => Self::Week,
            "month" | "1M" => Self::Month,
            "quarter" | "1q" => Self::Quarter,
            "year" | "1y" => Self::Year,
            _ => return None,
        })
    }

    fn span(self, count: i64) -> Option<Span> {
        let span = Span::new();
        match self {
            Self::Second => span.try_seconds(count),
            Self::Minute => span.try_minutes(count),
            Self::Hour => span.try_hours(count),
            Self::Day => span.try_days(count),
            Self::Week => span.try_weeks(count),
            Self::Month => span.try_months(count),
            Self::Quarter => span.try_months(count.checked_mul(3)?),
            Self::Year => span.try_years(count),
        }
        .ok()
    }

    /// The beginning of the unit that an instant is in.
    pub(super) fn floor(self, time: Timestamp, zone: &TimeZone) -> Timestamp {
        let zoned = zoned(time, zone);
        let (date, clock) = (zoned.date(), zoned.time());
        let first = |month: i8| civil::Date::new(date.year(), month, 1).ok();
        let begin = |date: Option<civil::Date>| {
            date.and_then(|date| date.to_zoned_datetime(zone.clone()).ok())
                .map_or(time, |start| instant(&start))
        };
        match self {
            // Offsets of today's zones are whole minutes, so these need no calendar; a repeated hour stays two hours.
            Self::Second => Timestamp::from_nanos(floor(time.nanos(), 1_000_000_000)),
            Self::Minute => Timestamp::from_nanos(floor(time.nanos(), 60_000_000_000)),
            Self::Hour => {
                let into =
                    i64::from(clock.minute()) * 60_000_000_000 + i64::from(clock.second()) * 1_000_000_000;
                time.plus_nanos(-into - i64::from(clock.subsec_nanosecond()))
            }
            Self::Day => begin(Some(date)),
            Self::Week => {
                let back = i64::from(date.weekday().to_monday_zero_offset());
                begin(Span::new().try_days(back).ok().and_then(|back| date.checked_sub(back).ok()))
            }
            Self::Month => begin(first(date.month())),
            Self::Quarter => begin(first((date.month() - 1) / 3 * 3 + 1)),
            Self::Year => begin(first(1)),
        }
    }

    /// The beginning of the unit after the one that begins at `start`.
    pub(super) fn next(self, start: Timestamp, zone: &TimeZone) -> Timestamp {
        let ahead = match self {
            Self::Second => return start.plus_nanos(1_000_000_000),
            Self::Minute => return start.plus_nanos(60_000_000_000),
            Self::Hour => return start.plus_nanos(3_600_000_000_000),
            Self::Day => self.span(1),
            Self::Week => self.span(1),
            Self::Month | Self::Quarter | Self::Year => self.span(1),
        };
        let next = ahead.and_then(|span| zoned(start, zone).checked_add(span).ok());
        next.map_or(Timestamp::MAX, |next| self.floor(instant(&next), zone))
    }
}

/// A fixed length of time: `30s`, `1d`, `500ms`, in nanoseconds.
pub(super) fn fixed(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit {
        "nanos" => 1,
        "micros" => 1_000,
        "ms" => MILLI,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, format: Option<&str>, zone_name: &str, expected: Option<(&str, &str)>) {
        let now = Timestamp::parse("2026-03-29T12:34:56.789Z").unwrap();
        let reading = Reading { now, zone: zone(zone_name).unwrap(), format };
        let got = reading.read(text).ok().map(|it| (it.start.to_string(), it.end.to_string()));
        let got = got.as_ref().map(|(start, end)| (start.as_str(), end.as_str()));
        assert_eq!(got, expected, "{text} {format:?} {zone_name}");
    }

    #[test]
    fn date_math_is_an_interval_as_wide_as_it_is_written() {
        check("now", None, "Z", Some(("2026-03-29T12:34:56.789Z", "2026-03-29T12:34:56.790Z")));
        check("now-1h", None, "Z", Some(("2026-03-29T11:34:56.789Z", "2026-03-29T11:34:56.790Z")));
        check("now-1d/d", None, "Z", Some(("2026-03-28T00:00:00.000Z", "2026-03-29T00:00:00.000Z")));
        check("now/w", None, "Z", Some(("2026-03-23T00:00:00.000Z", "2026-03-30T00:00:00.000Z")));
        check("now/M+1d", None, "Z", Some(("2026-03-02T00:00:00.000Z", "2026-04-02T00:00:00.000Z")));
        check("2026-01-31||+1M", None, "Z", Some(("2026-02-28T00:00:00.000Z", "2026-03-01T00:00:00.000Z")));
        check("now/y", None, "Z", Some(("2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")));
        for bad in ["now-", "now+1", "now/2d", "now/x", "yesterday", ""] {
            check(bad, None, "Z", None);
        }
    }

    #[test]
    fn a_day_is_as_long_as_the_zone_says() {
        check("now/d", None, "Europe/Berlin", Some(("2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z")));
        check("2026-03-29", None, "+02:00", Some(("2026-03-28T22:00:00.000Z", "2026-03-29T22:00:00.000Z")));
    }

    #[test]
    fn formats_are_tried_in_turn() {
        check("1774787696789", None, "Z", Some(("2026-03-29T12:34:56.789Z", "2026-03-29T12:34:56.790Z")));
        check(
            "1774787696",
            Some("epoch_second"),
            "Z",
            Some(("2026-03-29T12:34:56.000Z", "2026-03-29T12:34:57.000Z")),
        );
        check(
            "29/03/2026",
            Some("dd/MM/yyyy||yyyy"),
            "Z",
            Some(("2026-03-29T00:00:00.000Z", "2026-03-30T00:00:00.000Z")),
        );
        check(
            "2026",
            Some("dd/MM/yyyy||yyyy"),
            "Z",
            Some(("2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")),
        );
        check(
            "2026-03-29T12:00:00.123456+01:00",
            None,
            "Z",
            Some(("2026-03-29T11:00:00.123456Z", "2026-03-29T11:00:00.123457Z")),
        );
        check("2026-03-29T12", None, "Z", Some(("2026-03-29T12:00:00.000Z", "2026-03-29T13:00:00.000Z")));
        check("2026-13-01", None, "Z", None);
    }

    #[test]
    fn calendar_units_follow_daylight_saving() {
        let berlin = zone("Europe/Berlin").unwrap();
        let day = Timestamp::parse("2026-03-28T23:00:00Z").unwrap();
        assert_eq!(Unit::Day.next(day, &berlin).to_string(), "2026-03-29T22:00:00.000Z");
        let hour = Timestamp::parse("2026-10-25T00:30:00Z").unwrap();
        assert_eq!(Unit::Hour.floor(hour, &berlin).to_string(), "2026-10-25T00:00:00.000Z");
        assert_eq!(fixed("90m"), Some(5_400_000_000_000));
        assert_eq!(fixed("1x"), None);
    }
}
