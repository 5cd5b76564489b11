//! Histograms of times and of numbers: which interval a value is in, and which ones lie between.

use jiff::tz::TimeZone;
use locard_event::{Timestamp, Value};

use super::bucket::BucketOrder;
use super::doc::Doc;
use super::number::number;
use crate::es::date::{Unit, instant, lenient, zoned};
use crate::es::key::{Key, millis};

const MILLI: i64 = 1_000_000;

/// Two ends, either of which may be open.
pub(super) type Bounds<T> = Option<(Option<T>, Option<T>)>;

/// How long the intervals of time are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    /// So many nanoseconds.
    Fixed(i64),
    /// As the calendar of the zone says.
    Calendar(Unit),
}

/// A bucket for each interval of time.
#[derive(Clone, Debug)]
pub(super) struct TimeHistogram {
    pub(super) field: Box<str>,
    pub(super) interval: Interval,
    pub(super) zone: TimeZone,
    pub(super) offset_nanos: i64,
    pub(super) least: u64,
    /// Milliseconds.
    pub(super) extended: Bounds<i64>,
    pub(super) hard: Bounds<i64>,
    pub(super) format: Option<String>,
    pub(super) keyed: bool,
    pub(super) order: Vec<BucketOrder>,
    pub(super) missing: Option<Value>,
}

/// A histogram whose interval is chosen when it is known what it spans.
#[derive(Debug)]
pub(super) struct AutoTime {
    pub(super) buckets: usize,
    pub(super) of: TimeHistogram,
}

/// The intervals that are chosen among, with what they are called.
const CHOICES: [(&str, Interval); 18] = {
    const fn seconds(count: i64) -> Interval {
        Interval::Fixed(count * 1_000_000_000)
    }
    [
        ("1s", seconds(1)),
        ("5s", seconds(5)),
        ("10s", seconds(10)),
        ("30s", seconds(30)),
        ("1m", seconds(60)),
        ("5m", seconds(300)),
        ("10m", seconds(600)),
        ("30m", seconds(1_800)),
        ("1h", seconds(3_600)),
        ("3h", seconds(10_800)),
        ("12h", seconds(43_200)),
        ("1d", Interval::Calendar(Unit::Day)),
        ("7d", seconds(604_800)),
        ("1M", Interval::Calendar(Unit::Month)),
        ("3M", Interval::Calendar(Unit::Quarter)),
        ("1y", Interval::Calendar(Unit::Year)),
        ("5y", seconds(157_680_000)),
        ("10y", seconds(315_360_000)),
    ]
};

impl Interval {
    /// About how long, in nanoseconds.
    fn about(self) -> i64 {
        let days = |count: i64| count * 86_400_000_000_000;
        match self {
            Self::Fixed(nanos) => nanos,
            Self::Calendar(Unit::Second) => 1_000_000_000,
            Self::Calendar(Unit::Minute) => 60_000_000_000,
            Self::Calendar(Unit::Hour) => 3_600_000_000_000,
            Self::Calendar(Unit::Day) => days(1),
            Self::Calendar(Unit::Week) => days(7),
            Self::Calendar(Unit::Month) => days(28),
            Self::Calendar(Unit::Quarter) => days(90),
            Self::Calendar(Unit::Year) => days(365),
        }
    }

    /// Its name, for those that are chosen.
    pub(super) fn name(self) -> &'static str {
        CHOICES.iter().find(|(_, interval)| *interval == self).map_or("", |(name, _)| name)
    }

    /// How many months it is made of; 0 if it is not.
    pub(super) fn months(self) -> i64 {
        match self {
            Self::Calendar(Unit::Month) => 1,
            Self::Calendar(Unit::Quarter) => 3,
            Self::Calendar(Unit::Year) => 12,
            _ => 0,
        }
    }
}

impl AutoTime {
    /// The histogram with the shortest interval that has no more buckets than asked for.
    pub(super) fn choose(&self, span: Option<(i64, i64)>) -> TimeHistogram {
        let (first, last) = span.unwrap_or((0, 0));
        let fits = |interval: &Interval| {
            let length = last.saturating_sub(first).saturating_mul(MILLI) / interval.about();
            usize::try_from(length).unwrap_or(usize::MAX).saturating_add(2) <= self.buckets.max(2)
        };
        let intervals = CHOICES.iter().map(|(_, interval)| *interval);
        let interval = intervals.clone().find(fits).or_else(|| intervals.clone().next_back());
        TimeHistogram { interval: interval.unwrap_or(Interval::Calendar(Unit::Year)), ..self.of.clone() }
    }
}

impl TimeHistogram {
    /// The first instant of the interval that a time is in.
    pub(super) fn floor(&self, time: Timestamp) -> Timestamp {
        let moved = time.plus_nanos(-self.offset_nanos);
        let start = match self.interval {
            Interval::Calendar(unit) => unit.floor(moved, &self.zone),
            Interval::Fixed(length) if self.zone == TimeZone::UTC => {
                moved.plus_nanos(-moved.nanos().rem_euclid(length))
            }
            Interval::Fixed(length) => self.floor_local(moved, length),
        };
        start.plus_nanos(self.offset_nanos)
    }

    /// Fixed intervals are counted on the zone's own clock.
    fn floor_local(&self, time: Timestamp, length: i64) -> Timestamp {
        let local = zoned(time, &self.zone);
        let shift = i64::from(local.offset().seconds()) * 1_000_000_000;
        let into = time.nanos().saturating_add(shift).rem_euclid(length);
        let start = local.datetime().checked_sub(jiff::Span::new().nanoseconds(into));
        let start = start.ok().and_then(|start| start.to_zoned_datetime(self.zone.clone()).ok());
        start.map_or(time.plus_nanos(-into), |start| instant(&start).min(time))
    }

    /// The first instant of the interval after the one that begins at `start`.
    pub(super) fn next(&self, start: Timestamp) -> Timestamp {
        let moved = start.plus_nanos(-self.offset_nanos);
        let next = match self.interval {
            Interval::Calendar(unit) => unit.next(moved, &self.zone).plus_nanos(self.offset_nanos),
            Interval::Fixed(length) => {
                let ahead = start.plus_nanos(length);
                // A day of 23 or 25 hours: the interval begins when the clock says so.
                let floor = self.floor(ahead);
                if floor > start { floor } else { self.floor(ahead.plus_nanos(length / 2)) }
            }
        };
        if next > start { next } else { Timestamp::MAX }
    }

    /// The keys of a document: milliseconds at which intervals begin.
    pub(super) fn keys(&self, doc: Doc<'_>) -> Vec<Key> {
        let mut keys = Vec::new();
        doc.each(&self.field, |value| keys.extend(self.key(value)));
        if keys.is_empty() {
            keys.extend(self.missing.as_ref().and_then(|missing| self.key(missing)));
        }
        keys
    }

    fn key(&self, value: &Value) -> Option<Key> {
        let time = match value {
            Value::Time(time) => *time,
            Value::Int(millis) => Timestamp::from_millis(*millis),
            other => other.as_time().or_else(|| lenient(&other.text()))?,
        };
        let start = millis(self.floor(time));
        let inside = self.hard.is_none_or(|(low, high)| {
            low.is_none_or(|low| start >= low) && high.is_none_or(|high| start <= high)
        });
        inside.then_some(Key::Time(start))
    }

    /// How a key is shown.
    pub(super) fn text(&self, start: i64) -> String {
        let format = self.format.as_deref().unwrap_or("strict_date_optional_time");
        crate::es::pattern::write(format, &zoned(Timestamp::from_millis(start), &self.zone))
    }

    /// How long the interval is that begins there: nanoseconds, and months if it is made of months.
    pub(super) fn length(&self, start: i64) -> (i64, i64) {
        let start = Timestamp::from_millis(start);
        (self.next(start).nanos().saturating_sub(start.nanos()), self.interval.months())
    }

    /// The resolution at which times may be counted beforehand: every interval begins at a multiple of it.
    pub(super) fn resolution(&self) -> Option<i64> {
        const QUARTER_HOUR: i64 = 900_000_000_000;
        let whole = |step: i64| (self.offset_nanos % step == 0).then_some(step);
        match self.interval {
            Interval::Fixed(length) if self.zone == TimeZone::UTC => {
                let step = gcd(length, self.offset_nanos);
                (step >= MILLI).then_some(step)
            }
            // Offsets of today's zones are multiples of a quarter of an hour.
            Interval::Fixed(length) if length % QUARTER_HOUR == 0 => whole(QUARTER_HOUR),
            Interval::Fixed(_) => None,
            Interval::Calendar(Unit::Second) => whole(1_000_000_000),
            Interval::Calendar(Unit::Minute) => whole(60_000_000_000),
            Interval::Calendar(_) => whole(QUARTER_HOUR),
        }
    }
}

/// The greatest common divisor.
pub(super) fn gcd(one: i64, two: i64) -> i64 {
    let (mut one, mut two) = (one.abs(), two.abs());
    while two != 0 {
        (one, two) = (two, one % two);
    }
    one
}

/// A bucket for each interval of numbers.
#[derive(Clone, Debug)]
pub(super) struct NumberHistogram {
    pub(super) field: Box<str>,
    pub(super) interval: f64,
    pub(super) offset: f64,
    pub(super) least: u64,
    pub(super) extended: Bounds<f64>,
    pub(super) hard: Bounds<f64>,
    pub(super) keyed: bool,
    pub(super) order: Vec<BucketOrder>,
    pub(super) missing: Option<Value>,
}

impl NumberHistogram {
    /// The beginning of the interval of this number.
    pub(super) fn begin(&self, place: f64) -> f64 {
        place * self.interval + self.offset
    }

    /// The number of the interval that a number is in.
    pub(super) fn place(&self, number: f64) -> f64 {
        ((number - self.offset) / self.interval).floor()
    }

    pub(super) fn keys(&self, doc: Doc<'_>) -> Vec<Key> {
        let mut keys = Vec::new();
        doc.each(&self.field, |value| keys.extend(self.key(value)));
        if keys.is_empty() {
            keys.extend(self.missing.as_ref().and_then(|missing| self.key(missing)));
        }
        keys
    }

    fn key(&self, value: &Value) -> Option<Key> {
        let place = self.place(number(value)?);
        let start = place * self.interval;
        let inside = self.hard.is_none_or(|(low, high)| {
            low.is_none_or(|low| start >= low) && high.is_none_or(|high| start <= high)
        });
        inside.then(|| Key::Float(self.begin(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::es::date::zone;

    fn histogram(interval: Interval, zone_name: &str, offset_nanos: i64) -> TimeHistogram {
        TimeHistogram {
            field: "@timestamp".into(),
            interval,
            zone: zone(zone_name).unwrap(),
            offset_nanos,
            least: 0,
            extended: None,
            hard: None,
            format: None,
            keyed: false,
            order: Vec::new(),
            missing: None,
        }
    }

    const HOUR: i64 = 3_600_000_000_000;

    #[track_caller]
    fn check(histogram: &TimeHistogram, time: &str, start: &str, next: &str) {
        let found = histogram.floor(Timestamp::parse(time).unwrap());
        assert_eq!(found.to_string(), start, "{time}");
        assert_eq!(histogram.next(found).to_string(), next, "{time}");
    }

    #[test]
    fn intervals_begin_where_the_zone_says() {
        let fixed = histogram(Interval::Fixed(HOUR), "UTC", 0);
        check(&fixed, "2026-03-29T12:34:56Z", "2026-03-29T12:00:00.000Z", "2026-03-29T13:00:00.000Z");
        let day = histogram(Interval::Calendar(Unit::Day), "Europe/Berlin", 0);
        check(&day, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z");
        let day = histogram(Interval::Fixed(24 * HOUR), "Europe/Berlin", 0);
        check(&day, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z");
        let morning = histogram(Interval::Calendar(Unit::Day), "UTC", 6 * HOUR);
        check(&morning, "2026-03-29T05:00:00Z", "2026-03-28T06:00:00.000Z", "2026-03-29T06:00:00.000Z");
        let month = histogram(Interval::Calendar(Unit::Month), "UTC", 0);
        check(&month, "2026-02-10T05:00:00Z", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z");
        check(&fixed, "1969-12-31T23:30:00Z", "1969-12-31T23:00:00.000Z", "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn an_interval_is_chosen_by_what_it_spans() {
        let auto = AutoTime { buckets: 10, of: histogram(Interval::Fixed(1), "UTC", 0) };
        for (seconds, expected) in
            [(5, "1s"), (60, "10s"), (3_600, "10m"), (86_400, "3h"), (86_400 * 60, "7d")]
        {
            assert_eq!(auto.choose(Some((0, seconds * 1_000))).interval.name(), expected, "{seconds}");
        }
    }

    #[test]
    fn resolutions_divide_intervals() {
        assert_eq!(histogram(Interval::Fixed(HOUR), "UTC", HOUR / 4).resolution(), Some(HOUR / 4));
        assert_eq!(
            histogram(Interval::Calendar(Unit::Month), "Asia/Kathmandu", 0).resolution(),
            Some(HOUR / 4)
        );
        assert_eq!(histogram(Interval::Fixed(HOUR / 7), "Europe/Berlin", 0).resolution(), None);
    }
}
