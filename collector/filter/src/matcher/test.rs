//! [`Compiled`]: what a test asks of one value. Knows neither events nor fields.

use std::net::IpAddr;

use ipnet::IpNet;
use locard_event::{Timestamp, Value};
use regex::bytes::{Regex, RegexBuilder};

use super::literal::Literal;
use super::scalar::{Interval, Scalar};
use super::wildcard::Wildcard;
use crate::{SyntaxError, Test, TimePoint, TimeRange};

/// Largest compiled regular expression, in bytes.
const MAX_REGEX_BYTES: usize = 4 << 20;
/// Largest cache of a regular expression at work, in bytes.
const MAX_REGEX_CACHE_BYTES: usize = 4 << 20;

/// A [`Test`] made ready.
#[derive(Debug)]
pub(super) enum Compiled {
    Contains(Box<Literal>),
    Wildcard(Wildcard),
    Regex(Regex),
    Equals(Scalar),
    Within(Interval),
    Cidr(IpNet),
    Exists,
    Time { from: Option<Timestamp>, to: Option<Timestamp> },
}

impl Compiled {
    pub(super) fn new(test: &Test) -> Result<Self, SyntaxError> {
        Ok(match test {
            Test::Contains(text) => Self::Contains(Box::new(Literal::new(text))),
            Test::Wildcard(pattern) => Self::Wildcard(Wildcard::new(pattern)),
            Test::Regex { pattern, ignore_case } => Self::Regex(regex(pattern, *ignore_case)?),
            Test::Equals(text) => Self::Equals(Scalar::new(text)),
            Test::Compare(comparison, text) => Self::Within(Interval::of_comparison(*comparison, text)),
            Test::Range(low, high) => Self::Within(Interval::of_range(low, high)),
            Test::Cidr(network) => Self::Cidr(*network),
            Test::Exists => Self::Exists,
            Test::Time(TimeRange { from, to }) => Self::Time { from: absolute(*from)?, to: absolute(*to)? },
        })
    }

    /// Asks raw text: the message or a label.
    pub(super) fn matches_bytes(&self, bytes: &[u8], scratch: &mut Vec<u8>) -> bool {
        match self {
            Self::Contains(literal) => literal.occurs_in(bytes, scratch),
            Self::Wildcard(wildcard) => wildcard.occurs_in(bytes, scratch),
            Self::Regex(regex) => regex.is_match(bytes),
            Self::Equals(scalar) => scalar.equals_bytes(bytes),
            Self::Within(interval) => interval.holds_bytes(bytes),
            Self::Cidr(network) => {
                let ip = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<IpAddr>().ok());
                ip.is_some_and(|ip| network.contains(&ip))
            }
            Self::Exists => true,
            Self::Time { .. } => std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| Timestamp::parse_rfc3339(text).ok())
                .is_some_and(|time| self.holds_time(time)),
        }
    }

    /// Asks a value that is neither null nor a list.
    pub(super) fn matches_value(&self, value: &Value, scratch: &mut Vec<u8>) -> bool {
        match (self, value) {
            (_, Value::Str(text)) => self.matches_bytes(text.as_bytes(), scratch),
            (Self::Contains(literal), Value::Int(_) | Value::Float(_) | Value::Ip(_) | Value::Time(_)) => {
                !literal.is_wordy() && literal.occurs_in(value.text().as_bytes(), scratch)
            }
            (Self::Equals(scalar), _) => scalar.equals(value),
            (Self::Within(interval), _) => interval.holds(value),
            (Self::Cidr(network), _) => value.as_ip().is_some_and(|ip| network.contains(&ip)),
            (Self::Exists, _) => true,
            (Self::Time { .. }, _) => value.as_time().is_some_and(|time| self.holds_time(time)),
            _ => self.matches_bytes(value.text().as_bytes(), scratch),
        }
    }

    fn holds_time(&self, time: Timestamp) -> bool {
        match self {
            Self::Time { from, to } => from.is_none_or(|from| from <= time) && to.is_none_or(|to| time < to),
            _ => false,
        }
    }
}

fn regex(pattern: &str, ignore_case: bool) -> Result<Regex, SyntaxError> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .size_limit(MAX_REGEX_BYTES)
        .dfa_size_limit(MAX_REGEX_CACHE_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => SyntaxError::new(
                0..0,
                format!("the regular expression /{pattern}/ needs more than {limit} bytes"),
            )
            .hint("use smaller counts in {n,m}, or (?-u) where only ASCII is meant"),
            other => SyntaxError::new(0..0, format!("bad regular expression: {other}")),
        })
}

fn absolute(point: Option<TimePoint>) -> Result<Option<Timestamp>, SyntaxError> {
    match point {
        None => Ok(None),
        Some(TimePoint::At(time)) => Ok(Some(time)),
        Some(TimePoint::Now(_)) => {
            Err(SyntaxError::new(0..0, "a time relative to now that was not resolved"))
        }
    }
}
