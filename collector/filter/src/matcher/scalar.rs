//! [`Scalar`] and [`Interval`]: whole values compared exactly and in order.

use std::cmp::Ordering;
use std::net::IpAddr;

use locard_event::{Timestamp, Value};

use crate::{Bound, Comparison};

/// A number as exact as it was written.
#[derive(Clone, Copy, Debug)]
enum Number {
    Int(i64),
    Float(f64),
}

/// What a text can be besides text.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Number(Number),
    Ip(IpAddr),
    Time(Timestamp),
    Text,
}

/// A value written in a filter.
#[derive(Debug)]
pub(super) struct Scalar {
    text: Box<str>,
    kind: Kind,
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        let float = value.as_f64()?;
        Some(match value {
            Value::Int(number) => Self::Int(*number),
            Value::Str(text) => text.parse().map_or(Self::Float(float), Self::Int),
            _ => Self::Float(float),
        })
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (left, right) => left.float().partial_cmp(&right.float()),
        }
    }

    fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl Kind {
    fn of(value: &Value) -> Self {
        if let Some(number) = Number::of(value) {
            return Self::Number(number);
        }
        if let Some(ip) = value.as_ip() {
            return Self::Ip(ip);
        }
        value.as_time().map_or(Self::Text, Self::Time)
    }
}

impl Scalar {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), kind: Kind::of(&Value::str(text)) }
    }

    /// The same text, or the same number, address or time.
    pub(super) fn equals(&self, value: &Value) -> bool {
        value.text() == *self.text || self.order_of(value) == Some(Ordering::Equal)
    }

    pub(super) fn equals_bytes(&self, bytes: &[u8]) -> bool {
        bytes == self.text.as_bytes()
            || !matches!(self.kind, Kind::Text)
                && std::str::from_utf8(bytes).is_ok_and(|text| self.equals(&Value::str(text)))
    }

    /// How `value` stands to this one: as numbers, addresses of one family or times where both are, else as texts if this
    /// one is only text; nothing if they cannot be compared.
    fn order_of(&self, value: &Value) -> Option<Ordering> {
        match self.kind {
            Kind::Number(own) => Number::of(value)?.compare(own),
            Kind::Time(own) => Some(value.as_time()?.cmp(&own)),
            Kind::Ip(own) => {
                let ip = value.as_ip()?;
                (ip.is_ipv4() == own.is_ipv4()).then(|| ip.cmp(&own))
            }
            Kind::Text => Some(value.text().as_bytes().cmp(self.text.as_bytes())),
        }
    }

    fn order_of_bytes(&self, bytes: &[u8]) -> Option<Ordering> {
        match self.kind {
            Kind::Text => Some(bytes.cmp(self.text.as_bytes())),
            _ => self.order_of(&Value::str(std::str::from_utf8(bytes).ok()?)),
        }
    }
}

/// Values in order between two ends, each of which may be open.
#[derive(Debug)]
pub(super) struct Interval {
    low: End,
    high: End,
}

/// One end: the value, and whether it is itself inside.
type End = Option<(Scalar, bool)>;

impl Interval {
    pub(super) fn of_comparison(comparison: Comparison, text: &str) -> Self {
        let end = |inclusive| Some((Scalar::new(text), inclusive));
        match comparison {
            Comparison::Greater => Self { low: end(false), high: None },
            Comparison::GreaterOrEqual => Self { low: end(true), high: None },
            Comparison::Less => Self { low: None, high: end(false) },
            Comparison::LessOrEqual => Self { low: None, high: end(true) },
        }
    }

    pub(super) fn of_range(low: &Bound, high: &Bound) -> Self {
        let end = |bound: &Bound| match bound {
            Bound::Open => None,
            Bound::Inclusive(text) => Some((Scalar::new(text), true)),
            Bound::Exclusive(text) => Some((Scalar::new(text), false)),
        };
        Self { low: end(low), high: end(high) }
    }

    pub(super) fn holds(&self, value: &Value) -> bool {
        self.holds_order(|scalar| scalar.order_of(value))
    }

    pub(super) fn holds_bytes(&self, bytes: &[u8]) -> bool {
        self.holds_order(|scalar| scalar.order_of_bytes(bytes))
    }

    fn holds_order(&self, order: impl Fn(&Scalar) -> Option<Ordering>) -> bool {
        let inside = |end: &End, side: Ordering| match end {
            None => true,
            Some((scalar, inclusive)) => match order(scalar) {
                Some(Ordering::Equal) => *inclusive,
                found => found == Some(side),
            },
        };
        inside(&self.low, Ordering::Greater) && inside(&self.high, Ordering::Less)
    }
}
