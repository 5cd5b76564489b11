//! Ranges of numbers, of times and of addresses: which of them a value is in.

use std::net::{IpAddr, Ipv6Addr};

use locard_event::Value;

use super::doc::Doc;
use super::number::number;
use crate::es::date::lenient;
use crate::es::key::millis;

/// What the ends of ranges are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Numbers,
    /// Milliseconds since the epoch.
    Times,
    Addresses,
}

/// One end: a number, or an address.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Number(f64),
    Address(IpAddr),
}

/// One range, half-open.
#[derive(Clone, Debug)]
pub(super) struct OneRange {
    pub(super) key: String,
    pub(super) from: Option<End>,
    pub(super) to: Option<End>,
}

/// A bucket for each range.
#[derive(Debug)]
pub(super) struct Ranges {
    pub(super) field: Box<str>,
    pub(super) of: Of,
    pub(super) ranges: Vec<OneRange>,
    pub(super) keyed: bool,
    pub(super) missing: Option<Value>,
    /// How an end is shown, for times.
    pub(super) format: Option<String>,
    pub(super) zone: jiff::tz::TimeZone,
}

/// Addresses of both families on one line, as Elasticsearch orders them.
fn line(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

impl Ranges {
    /// The places of the ranges that a document is in.
    pub(super) fn places(&self, doc: Doc<'_>) -> Vec<usize> {
        let mut places = Vec::new();
        let mut any = false;
        doc.each(&self.field, |value| {
            any = true;
            self.of_value(value, &mut places);
        });
        if let (false, Some(missing)) = (any, &self.missing) {
            self.of_value(missing, &mut places);
        }
        places
    }

    fn of_value(&self, value: &Value, places: &mut Vec<usize>) {
        let found = match self.of {
            Of::Numbers => number(value).map(End::Number),
            Of::Times => {
                let said = || lenient(&value.text()).map(|time| millis(time) as f64);
                number(value).or_else(said).map(End::Number)
            }
            Of::Addresses => value.as_ip().map(End::Address),
        };
        let Some(found) = found else { return };
        let inside = self.ranges.iter().enumerate().filter(|(_, range)| range.holds(&found));
        places.extend(inside.map(|(place, _)| place));
    }
}

impl OneRange {
    fn holds(&self, found: &End) -> bool {
        let reaches = |from: &End| !found.is_below(from);
        self.from.as_ref().is_none_or(reaches) && self.to.as_ref().is_none_or(|to| found.is_below(to))
    }
}

impl End {
    fn is_below(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one < two,
            (Self::Address(one), Self::Address(two)) => line(*one) < line(*two),
            _ => false,
        }
    }

    /// Where it stands in the order of buckets.
    pub(super) fn order(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Address(ip) => u128::from(line(*ip)) as f64,
        }
    }
}
