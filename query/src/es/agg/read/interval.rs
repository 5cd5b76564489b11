//! Aggregations by intervals: histograms and ranges, of numbers, times and addresses.

use std::sync::OnceLock;

use serde_json::Value as Json;

use super::super::bucket::Grouping;
use super::super::histogram::{AutoTime, Bounds, Interval, NumberHistogram, TimeHistogram};
use super::super::ranges::{End, Of, OneRange, Ranges};
use super::Body;
use crate::es::date;
use crate::es::date::{Reading, Unit, zone};
use crate::es::error::Error;
use crate::es::key::{float_text, millis};

impl Body<'_> {
    pub(super) fn bounds<T>(
        &self,
        name: &str,
        read: impl Fn(&Json) -> Result<T, Error>,
    ) -> Result<Bounds<T>, Error> {
        let Some(bounds) = self.members.get(name) else { return Ok(None) };
        let end = |name: &str| bounds.get(name).filter(|end| !end.is_null()).map(&read).transpose();
        Ok(Some((end("min")?, end("max")?)))
    }

    pub(super) fn times(&self) -> Result<TimeHistogram, Error> {
        self.known(&[
            "field",
            "fixed_interval",
            "calendar_interval",
            "interval",
            "time_zone",
            "offset",
            "min_doc_count",
            "extended_bounds",
            "hard_bounds",
            "format",
            "keyed",
            "order",
            "missing",
        ])?;
        let interval =
            match (self.text("fixed_interval"), self.text("calendar_interval"), self.text("interval")) {
                (Some(text), None, _) => {
                    date::fixed(text).filter(|nanos| *nanos >= 1_000_000).map(Interval::Fixed)
                }
                (None, Some(text), _) => Unit::calendar(text).map(Interval::Calendar),
                (None, None, Some(text)) => {
                    let fixed = || date::fixed(text).filter(|nanos| *nanos >= 1_000_000).map(Interval::Fixed);
                    Unit::calendar(text).map(Interval::Calendar).or_else(fixed)
                }
                (Some(_), Some(_), _) => {
                    return Err(Error::illegal("Cannot use [fixed_interval] with [calendar_interval]."));
                }
                (None, None, None) => {
                    return Err(Error::illegal("Invalid interval specified, must be non-null and non-empty"));
                }
            };
        let interval = interval.ok_or_else(|| {
            Error::illegal(format!(
                "The supplied interval of [{}] could not be parsed as an interval.",
                self.name
            ))
        })?;
        self.times_by(interval)
    }

    pub(super) fn times_by(&self, interval: Interval) -> Result<TimeHistogram, Error> {
        let zone = self.text("time_zone").map(zone).transpose()?.unwrap_or(jiff::tz::TimeZone::UTC);
        let format = self.format();
        let reading = Reading { now: self.schema.now, zone: zone.clone(), format: format.as_deref() };
        let time = |value: &Json| read_time(value, &reading);
        let (extended, hard) = (self.bounds("extended_bounds", time)?, self.bounds("hard_bounds", time)?);
        Ok(TimeHistogram {
            field: self.field()?,
            interval,
            offset_nanos: self.text("offset").map_or(Ok(0), offset)?,
            least: self.count("min_doc_count", 0, 0)? as u64,
            extended,
            hard,
            zone,
            format,
            keyed: self.flag("keyed"),
            order: self.order(false)?,
            missing: self.missing(),
        })
    }

    pub(super) fn auto_times(&self) -> Result<Grouping, Error> {
        self.known(&["field", "buckets", "format", "time_zone", "missing", "minimum_interval"])?;
        if self.members.contains_key("minimum_interval") {
            return Err(Error::unsupported("auto_date_histogram with minimum_interval"));
        }
        let of = self.times_by(Interval::Fixed(1_000_000_000))?;
        Ok(Grouping::AutoTime(AutoTime { buckets: self.count("buckets", 10, 1)?, of }, OnceLock::new()))
    }

    pub(super) fn numbers(&self) -> Result<NumberHistogram, Error> {
        self.known(&[
            "field",
            "interval",
            "offset",
            "min_doc_count",
            "extended_bounds",
            "hard_bounds",
            "keyed",
            "order",
            "missing",
            "format",
        ])?;
        let interval = self.number("interval").filter(|interval| *interval > 0.0 && interval.is_finite());
        let number = |value: &Json| {
            value.as_f64().ok_or_else(|| Error::parsing(format!("a bound cannot be [{value}]")))
        };
        Ok(NumberHistogram {
            field: self.field()?,
            interval: interval
                .ok_or_else(|| Error::illegal("[interval] must be >0 for histogram aggregation"))?,
            offset: self.number("offset").unwrap_or(0.0),
            least: self.count("min_doc_count", 0, 0)? as u64,
            extended: self.bounds("extended_bounds", number)?,
            hard: self.bounds("hard_bounds", number)?,
            keyed: self.flag("keyed"),
            order: self.order(false)?,
            missing: self.missing(),
        })
    }

    pub(super) fn ranges(&self) -> Result<Ranges, Error> {
        self.known(&["field", "ranges", "keyed", "missing", "format", "time_zone"])?;
        let of = match self.kind {
            "date_range" => Of::Times,
            "ip_range" => Of::Addresses,
            _ => Of::Numbers,
        };
        let zone = self.text("time_zone").map(zone).transpose()?.unwrap_or(jiff::tz::TimeZone::UTC);
        let mut ranges = Ranges {
            field: self.field()?,
            of,
            ranges: Vec::new(),
            keyed: self.flag("keyed"),
            missing: self.missing(),
            format: self.format(),
            zone,
        };
        let list = self.members.get("ranges").and_then(Json::as_array).filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| {
            Error::illegal(format!("No [ranges] specified for the [{}] aggregation", self.name))
        })?;
        for item in list {
            let range = self.one_range(item, &ranges)?;
            ranges.ranges.push(range);
        }
        Ok(ranges)
    }

    pub(super) fn one_range(&self, item: &Json, ranges: &Ranges) -> Result<OneRange, Error> {
        if let Some(mask) = item.get("mask").and_then(Json::as_str) {
            return masked(mask, item.get("key").and_then(Json::as_str));
        }
        let end = |name: &str| {
            item.get(name).filter(|end| !end.is_null()).map(|end| self.end(end, ranges)).transpose()
        };
        let (from, to) = (end("from")?, end("to")?);
        let shown = |end: &Option<End>| match end {
            None => "*".to_owned(),
            Some(End::Address(ip)) => ip.to_string(),
            Some(End::Number(number)) if ranges.of == Of::Times => ranges.text(*number),
            Some(End::Number(number)) => float_text(*number),
        };
        let key = match item.get("key").and_then(Json::as_str) {
            Some(key) => key.to_owned(),
            None => format!("{}-{}", shown(&from), shown(&to)),
        };
        Ok(OneRange { key, from, to })
    }

    pub(super) fn end(&self, end: &Json, ranges: &Ranges) -> Result<End, Error> {
        let bad = || Error::parsing(format!("[{}] a range cannot end at [{end}]", self.kind));
        match ranges.of {
            Of::Numbers => {
                let number = end.as_f64().or_else(|| end.as_str().and_then(|text| text.parse().ok()));
                number.map(End::Number).ok_or_else(bad)
            }
            Of::Addresses => {
                end.as_str().and_then(|text| text.parse().ok()).map(End::Address).ok_or_else(bad)
            }
            Of::Times => {
                let reading = Reading {
                    now: self.schema.now,
                    zone: ranges.zone.clone(),
                    format: ranges.format.as_deref(),
                };
                Ok(End::Number(read_time(end, &reading)? as f64))
            }
        }
    }
}

/// A time in a request, in milliseconds.
pub(super) fn read_time(value: &Json, reading: &Reading<'_>) -> Result<i64, Error> {
    match value {
        Json::Number(number) if reading.format.is_none_or(|format| !format.contains("epoch_second")) => {
            number
                .as_i64()
                .or_else(|| number.as_f64().map(|number| number as i64))
                .ok_or_else(|| Error::parsing("a time is too large"))
        }
        Json::Number(number) => Ok(millis(reading.read(&number.to_string())?.start)),
        Json::String(text) => match text.parse::<i64>() {
            // Grafana sends the bounds of a chart as numbers in text.
            Ok(number) if text.len() > 10 => Ok(number),
            _ => Ok(millis(reading.read(text)?.start)),
        },
        other => Err(Error::parsing(format!("a time cannot be [{other}]"))),
    }
}

/// `+6h`, `-1d`: how far intervals are moved.
pub(super) fn offset(text: &str) -> Result<i64, Error> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let bad =
        || Error::illegal(format!("failed to parse setting [offset] with value [{text}] as a time value"));
    date::fixed(rest).map(|nanos| sign * nanos).ok_or_else(bad)
}

/// The range of a network.
pub(super) fn masked(mask: &str, key: Option<&str>) -> Result<OneRange, Error> {
    let bad = || Error::illegal(format!("failed to parse mask [{mask}]"));
    let (ip, bits) = mask.split_once('/').ok_or_else(bad)?;
    let (ip, bits): (std::net::IpAddr, u32) =
        (ip.parse().map_err(|_| bad())?, bits.parse().map_err(|_| bad())?);
    let (from, to) = match ip {
        std::net::IpAddr::V4(ip) if bits <= 32 => {
            let size = 1u64 << (32 - bits);
            let first = u64::from(u32::from(ip)) / size * size;
            let address =
                |number: u64| u32::try_from(number).ok().map(|number| std::net::IpAddr::V4(number.into()));
            // Behind the last address of the family come those of the other one.
            let behind = || Some(std::net::IpAddr::V6((0x1_0000_0000u128 + 0xffff_0000_0000).into()));
            (address(first), address(first + size).or_else(behind))
        }
        std::net::IpAddr::V6(ip) if bits <= 128 => {
            let size = 1u128.checked_shl(128 - bits).unwrap_or(0);
            let first = u128::from(ip).checked_div(size).unwrap_or(0) * size;
            let last = first.checked_add(size).filter(|_| size > 0);
            (Some(std::net::IpAddr::V6(first.into())), last.map(|last| std::net::IpAddr::V6(last.into())))
        }
        _ => return Err(bad()),
    };
    Ok(OneRange {
        key: key.unwrap_or(mask).to_owned(),
        from: from.map(End::Address),
        to: to.map(End::Address),
    })
}
