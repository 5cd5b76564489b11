//! [`Value`]: what a field can hold.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use crate::{Text, Timestamp};

/// One field value. A predicate matches a list if any element matches.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON `null`: kept as evidence, matches no predicate, not even "exists".
    Null,
    /// True or false.
    Bool(bool),
    /// A 64-bit integer. Larger ones arrive as [`Value::Str`] so that no digit is lost.
    Int(i64),
    /// A finite 64-bit float.
    Float(f64),
    /// Text.
    Str(Text),
    /// An address whose text form is canonical (RFC 5952); other spellings stay [`Value::Str`].
    Ip(IpAddr),
    /// A time.
    Time(Timestamp),
    /// An ordered list, as of a JSON array; nested arrays are flattened.
    List(Vec<Value>),
}

impl Value {
    /// Text as a string value.
    pub fn str(text: impl Into<Text>) -> Self {
        Self::Str(text.into())
    }

    /// Text as an address if it is the canonical spelling of one, else as a string.
    pub fn ip_or_str(text: &str) -> Self {
        match text.parse::<IpAddr>() {
            Ok(ip) if ip.to_string() == text => Self::Ip(ip),
            _ => Self::str(text),
        }
    }

    /// The value's elements: those of a list, or the value itself.
    pub fn elements(&self) -> &[Value] {
        match self {
            Self::List(values) => values,
            single => std::slice::from_ref(single),
        }
    }

    /// The text a person sees and a filter compares with. A list has none of its own: ask its elements.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Null | Self::List(_) => Cow::Borrowed(""),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Str(text) => Cow::Borrowed(text),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Float(number) => Cow::Owned(number.to_string()),
            Self::Ip(ip) => Cow::Owned(ip.to_string()),
            Self::Time(time) => Cow::Owned(time.to_string()),
        }
    }

    /// The value as a number: numbers themselves, and text that is wholly a finite decimal number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Str(text) => parse_decimal(text),
            _ => None,
        }
    }

    /// The value as an address: addresses themselves, and text that is wholly one.
    pub fn as_ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Str(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The value as a time: times themselves, and text in RFC 3339.
    pub fn as_time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Str(text) => Timestamp::parse_rfc3339(text).ok(),
            _ => None,
        }
    }

    /// An upper estimate of the memory this value holds, in bytes.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Str(text) => text.heap_bytes(),
            Self::List(values) => values.iter().map(|v| size_of::<Value>() + v.heap_bytes()).sum(),
            _ => 0,
        }
    }
}

/// Reads a decimal number as people write it; refuses what only Rust accepts (`inf`, `nan`, `+1`, `.`).
fn parse_decimal(text: &str) -> Option<f64> {
    let first = *text.as_bytes().first()?;
    if !(first.is_ascii_digit() || first == b'-' || first == b'.') {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    value.fmt(f)?;
                }
                f.write_str("]")
            }
            other => f.write_str(&other.text()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::str(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<IpAddr> for Value {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_spelling() {
        assert!(matches!(Value::ip_or_str("203.0.113.7"), Value::Ip(_)));
        assert!(matches!(Value::ip_or_str("2001:db8::1"), Value::Ip(_)));
        for spelling in ["2001:DB8::1", "2001:db8:0::1", "203.0.113.007", "203.0.113.7 "] {
            assert_eq!(Value::ip_or_str(spelling), Value::str(spelling));
        }
    }

    #[test]
    fn only_decimal_text_is_a_number() {
        assert_eq!(Value::str("-1.5e3").as_f64(), Some(-1500.0));
        for text in ["inf", "nan", "+1", "", "0x10", "1 ", "1e999"] {
            assert_eq!(Value::str(text).as_f64(), None, "{text}");
        }
    }
}
