//! [`Key`]: a value as sorts and buckets tell it from others: numbers by size, addresses in order, texts by their bytes.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use locard_event::{Timestamp, Value};
use serde_json::{Value as Json, json};

use super::date::lenient;

/// A value as sorts and buckets tell it from others.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Milliseconds since the epoch.
    Time(i64),
    Ip(IpAddr),
    Text(Box<str>),
}

impl Key {
    /// Of a value that is neither null nor a list.
    pub(super) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null | Value::List(_) => return None,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Time(time) => Self::Time(millis(*time)),
            Value::Ip(ip) => Self::Ip(*ip),
            Value::Str(text) => Self::Text((&**text).into()),
        })
    }

    /// Of a value of a field that holds dates: texts that are times are.
    pub(super) fn of_date(value: &Value) -> Option<Self> {
        match (value, value.as_time()) {
            (Value::Str(_), Some(time)) => Some(Self::Time(millis(time))),
            (Value::Str(text), None) => Some(Self::Text((&**text).into()).as_date()),
            _ => Self::of(value),
        }
    }

    /// A text that is a time as one.
    pub(super) fn as_date(&self) -> Self {
        match self {
            Self::Text(text) => lenient(text).map_or_else(|| self.clone(), |time| Self::Time(millis(time))),
            key => key.clone(),
        }
    }

    /// Of a value in a request.
    pub(super) fn of_json(value: &Json) -> Option<Self> {
        Some(match value {
            Json::Bool(truth) => Self::Bool(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64()?),
            },
            Json::String(text) => match text.parse::<IpAddr>() {
                Ok(ip) if ip.to_string() == *text => Self::Ip(ip),
                _ => Self::Text(text.as_str().into()),
            },
            Json::Null | Json::Array(_) | Json::Object(_) => return None,
        })
    }

    /// As answers show it.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Bool(truth) => json!(u8::from(*truth)),
            Self::Int(number) | Self::Time(number) => json!(number),
            Self::Float(number) => json!(number),
            Self::Ip(ip) => json!(ip.to_string()),
            Self::Text(text) => json!(text),
        }
    }

    /// Its text form.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Bool(truth) => truth.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => float_text(*number),
            Self::Time(millis) => Timestamp::from_millis(*millis).to_string(),
            Self::Ip(ip) => ip.to_string(),
            Self::Text(text) => text.to_string(),
        }
    }

    /// Its place on a line of numbers, if it has one.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Int(number) | Self::Time(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Ip(_) | Self::Text(_) => None,
        }
    }

    /// The same as it would be written in the type of another: `"5"` beside numbers, milliseconds beside times.
    pub(super) fn as_type_of(&self, other: &Self) -> Self {
        let converted = match (self, other) {
            (Self::Text(text), Self::Int(_) | Self::Float(_)) => {
                text.parse().map(Self::Int).or_else(|_| text.parse().map(Self::Float)).ok()
            }
            (Self::Text(text), Self::Time(_)) => match text.parse() {
                Ok(millis) => Some(Self::Time(millis)),
                Err(_) => lenient(text).map(|time| Self::Time(millis(time))),
            },
            (Self::Text(text), Self::Bool(_)) => text.parse().map(Self::Bool).ok(),
            (Self::Int(number), Self::Time(_)) => Some(Self::Time(*number)),
            (Self::Int(number), Self::Bool(_)) => Some(Self::Bool(*number != 0)),
            (Self::Int(number), Self::Text(_)) => Some(Self::Text(number.to_string().into())),
            _ => None,
        };
        converted.unwrap_or_else(|| self.clone())
    }

    /// Memory beside itself, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }
}

/// A float as Java writes it: with a fraction.
pub(super) fn float_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.1}") } else { number.to_string() }
}

/// Milliseconds since the epoch, rounded down.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.nanos().div_euclid(1_000_000)
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one) | Self::Time(one), Self::Int(two) | Self::Time(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.as_bytes().cmp(two.as_bytes()),
            (Self::Ip(one), Self::Ip(two)) => one.cmp(two),
            _ => match (self.number(), other.number()) {
                (Some(one), Some(two)) => one.total_cmp(&two),
                _ => self.class().cmp(&other.class()),
            },
        }
    }
}

impl Key {
    fn class(&self) -> u8 {
        match self {
            Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Time(_) => 0,
            Self::Ip(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl Hash for Key {
    /// Numbers that are equal hash alike, whatever their type.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self, self.number()) {
            (_, Some(number)) => number.to_bits().hash(state),
            (Self::Ip(ip), _) => ip.hash(state),
            (Self::Text(text), _) => text.hash(state),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_and_equal_ones_are_one() {
        let keys = [
            Key::Float(-0.5),
            Key::Bool(true),
            Key::Int(2),
            Key::Float(2.5),
            Key::Time(1_000),
            Key::Ip("10.0.0.1".parse().unwrap()),
            Key::Text("a".into()),
            Key::Text("b".into()),
        ];
        assert!(keys.is_sorted());
        let mut set = std::collections::HashSet::from([Key::Int(1)]);
        assert!(!set.insert(Key::Float(1.0)) && set.insert(Key::Text("1".into())));
        assert_eq!((Key::Float(2.0).text(), Key::Int(2).text()), ("2.0".into(), "2".into()));
    }
}
