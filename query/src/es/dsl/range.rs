//! `range`: numbers, addresses and texts in order; times with date math, formats and zones.

use jiff::tz::TimeZone;
use locard_event::Timestamp;
use locard_filter::{Bound, Filter, Test, TimePoint, TimeRange};
use serde_json::{Map, Value as Json};

use super::leaf::single;
use super::{known, object, scalar};
use crate::es::date::{Reading, milli, zone};
use crate::es::error::Error;
use crate::es::field::Field;
use crate::es::schema::Meaning;

/// The ends of a range, as written; an end is a text and whether it is inside.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    pub(super) low: Option<(String, bool)>,
    pub(super) high: Option<(String, bool)>,
    /// Whether an end is a JSON number, which is no date unless the field holds times.
    pub(super) numeric: bool,
}

/// How dates in a range are to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Dates {
    pub(super) format: Option<String>,
    pub(super) zone: Option<TimeZone>,
}

pub(super) fn read(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
    let (name, body) = single("range", members)?;
    let body = object("range", body)?;
    let names = [
        "gte",
        "gt",
        "lte",
        "lt",
        "from",
        "to",
        "include_lower",
        "include_upper",
        "format",
        "time_zone",
        "relation",
        "boost",
        "_name",
    ];
    known("range", body, &names)?;
    if let Some(relation) = body.get("relation").and_then(Json::as_str)
        && !relation.eq_ignore_ascii_case("intersects")
    {
        return Err(Error::unsupported(&format!("range with relation {relation}")));
    }
    let dates = Dates {
        format: body.get("format").and_then(Json::as_str).map(str::to_owned),
        zone: body.get("time_zone").and_then(Json::as_str).map(zone).transpose()?,
    };
    between(&meaning.field(name), &ends(body)?, &dates, meaning.now)
}

fn ends(body: &Map<String, Json>) -> Result<Ends, Error> {
    let is = |name: &str| body.get(name).and_then(Json::as_bool).unwrap_or(true);
    let mut ends = Ends::default();
    for (name, value) in body {
        let (is_low, inside) = match name.as_str() {
            "gte" => (true, true),
            "gt" => (true, false),
            "from" => (true, is("include_lower")),
            "lte" => (false, true),
            "lt" => (false, false),
            "to" => (false, is("include_upper")),
            _ => continue,
        };
        let text = match value {
            Json::Null => continue,
            value => {
                scalar(value).ok_or_else(|| Error::parsing(format!("[range] {name} cannot be [{value}]")))?
            }
        };
        ends.numeric |= value.is_number();
        let end = if is_low { &mut ends.low } else { &mut ends.high };
        if text != "*" {
            *end = Some((text, inside));
        }
    }
    Ok(ends)
}

/// The field lies between two ends.
pub(super) fn between(field: &Field, ends: &Ends, dates: &Dates, now: Timestamp) -> Result<Filter, Error> {
    if ends.low.is_none() && ends.high.is_none() {
        return Ok(field.is(Test::Exists));
    }
    let is_said = dates.format.is_some() || dates.zone.is_some();
    let texts = || [&ends.low, &ends.high].into_iter().flatten().map(|(text, _)| text.as_str());
    if field.is_time() || is_said || (!ends.numeric && texts().any(is_date_like)) {
        return times(field, ends, dates, now);
    }
    let written = |text: &str| text.to_owned();
    let as_written = field.is(within(ends, written));
    // Milliseconds since the epoch, if the values are times; no number is equal to a time.
    let texts: Vec<&str> = texts().collect();
    if texts.iter().any(|text| epoch_millis(text, field.is_date).is_none()) {
        return Ok(as_written);
    }
    let time = |text: &str| epoch_millis(text, field.is_date).unwrap_or_default().to_string();
    Ok(Filter::any_of([as_written, field.is(within(ends, time))]))
}

/// The test that a value lies between the ends, each written anew.
fn within(ends: &Ends, write: impl Fn(&str) -> String) -> Test {
    let bound = |end: &Option<(String, bool)>| match end {
        None => Bound::Open,
        Some((text, true)) => Bound::Inclusive(write(text).into()),
        Some((text, false)) => Bound::Exclusive(write(text).into()),
    };
    Test::Range(bound(&ends.low), bound(&ends.high))
}

/// Numbers from here on are taken for milliseconds since the epoch too, whatever the field: 1973.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// The time that a whole number says as Elasticsearch's `epoch_millis`; a small one only where a mapping says that it is a date.
fn epoch_millis(text: &str, is_date: bool) -> Option<Timestamp> {
    let millis: i64 = text.parse().ok()?;
    (is_date || millis.abs() >= FIRST_MILLIS).then(|| Timestamp::from_millis(millis))
}

/// Whether a text is written as a date or as date math: `now-1h`, `2026-01…`, `…||/d`.
fn is_date_like(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let math =
        text.strip_prefix("now").is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-', '/']));
    math || text.contains("||") || (digits == 4 && bytes.get(4) == Some(&b'-') && bytes.len() >= 7)
}

/// Each end is as wide as it is written: `lte` a day takes the whole day in, `gt` a day begins behind it.
fn times(field: &Field, ends: &Ends, dates: &Dates, now: Timestamp) -> Result<Filter, Error> {
    let zone = dates.zone.clone().unwrap_or(TimeZone::UTC);
    let reading = Reading { now, zone, format: dates.format.as_deref() };
    let at = |end: &Option<(String, bool)>, is_low: bool| match end {
        None => Ok(None),
        Some((text, inside)) => {
            let read = reading.read(text)?;
            Ok::<_, Error>(Some(if *inside == is_low { read.start } else { read.end }))
        }
    };
    let (from, to) = (at(&ends.low, true)?, at(&ends.high, false)?);
    if field.is_time() {
        let point = |time: Option<Timestamp>| time.map(TimePoint::At);
        return Ok(field.is(Test::Time(TimeRange { from: point(from), to: point(to) })));
    }
    let low = from.map_or(Bound::Open, |time| Bound::Inclusive(time.to_string().into()));
    let high = to.map_or(Bound::Open, |time| Bound::Exclusive(time.to_string().into()));
    let as_times = field.is(Test::Range(low, high));
    // A field that holds milliseconds since the epoch is one of numbers.
    Ok(if is_epoch(dates) { Filter::any_of([as_times, numbers(field, from, to)]) } else { as_times })
}

fn is_epoch(dates: &Dates) -> bool {
    dates.format.as_deref().is_some_and(|format| format.split("||").any(|format| format == "epoch_millis"))
}

fn numbers(field: &Field, from: Option<Timestamp>, to: Option<Timestamp>) -> Filter {
    let millis = |time: Timestamp| (milli(time).start.nanos() / 1_000_000).to_string();
    let low = from.map_or(Bound::Open, |time| Bound::Inclusive(millis(time).into()));
    let high = to.map_or(Bound::Open, |time| Bound::Exclusive(millis(time).into()));
    field.is(Test::Range(low, high))
}
