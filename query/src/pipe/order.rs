//! A total order of values, and what tells equal ones. Shared by sorting, grouping and min/max.

use std::cmp::Ordering;
use std::hash::Hasher;
use std::net::IpAddr;

use locard_event::{Timestamp, Value};

/// What a value is ordered as. Text that is wholly a number counts as one, as in filters.
enum Rank<'a> {
    Number(f64),
    Time(Timestamp),
    Ip(IpAddr),
    Text(std::borrow::Cow<'a, str>),
    Nothing,
}

impl<'a> Rank<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Time(time) => Self::Time(*time),
            Value::Ip(ip) => Self::Ip(*ip),
            Value::List(values) if values.is_empty() => Self::Nothing,
            Value::List(_) => Self::Text(value.to_string().into()),
            scalar => scalar.as_f64().map_or_else(|| Self::Text(scalar.text()), Self::Number),
        }
    }

    fn class(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Time(_) => 1,
            Self::Ip(_) => 2,
            Self::Text(_) => 3,
            Self::Nothing => 4,
        }
    }
}

/// Numbers, then times, addresses and texts, then what is absent. Equal only if the encodings are.
pub(super) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => return left.cmp(right),
        (Value::Ip(left), Value::Ip(right)) => return left.cmp(right),
        (Value::Time(left), Value::Time(right)) => return left.cmp(right),
        _ => {}
    }
    let order = match (Rank::of(left), Rank::of(right)) {
        (Rank::Number(left), Rank::Number(right)) => left.total_cmp(&right),
        (Rank::Time(left), Rank::Time(right)) => left.cmp(&right),
        (Rank::Ip(left), Rank::Ip(right)) => left.cmp(&right),
        (Rank::Text(left), Rank::Text(right)) => left.cmp(&right),
        (left, right) => left.class().cmp(&right.class()),
    };
    order.then_with(|| if same(left, right) { Ordering::Equal } else { encoded(left).cmp(&encoded(right)) })
}

/// As [`compare`], or the other way round; what is absent stays last.
pub(super) fn compare_directed(left: &Value, right: &Value, descending: bool) -> Ordering {
    let absent = |value: &Value| matches!(Rank::of(value), Rank::Nothing);
    match (absent(left), absent(right)) {
        (false, false) if descending => compare(right, left),
        (false, false) => compare(left, right),
        (left, right) => left.cmp(&right),
    }
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out);
    out
}

/// Whether two values are one and the same: of one type, floats to the bit.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ => left == right,
    }
}

/// Feeds a hasher what is equal for values that are the [`same`], and different for others whatever follows.
pub(super) fn hash(value: &Value, hasher: &mut impl Hasher) {
    let mut number = |tag: u8, number: u64| {
        hasher.write_u8(tag);
        hasher.write_u64(number);
    };
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(truth) => number(1, u64::from(*truth)),
        Value::Int(whole) => number(2, whole.cast_unsigned()),
        Value::Float(float) => number(3, float.to_bits()),
        Value::Str(text) => {
            number(4, text.len() as u64);
            hasher.write(text.as_bytes());
        }
        Value::Ip(IpAddr::V4(ip)) => number(5, u64::from(ip.to_bits())),
        Value::Ip(IpAddr::V6(ip)) => {
            hasher.write_u8(6);
            hasher.write_u128(ip.to_bits());
        }
        Value::Time(time) => number(7, time.nanos().cast_unsigned()),
        Value::List(values) => {
            number(8, values.len() as u64);
            values.iter().for_each(|value| hash(value, hasher));
        }
    }
}

/// Appends bytes that are the same for equal values only, whatever follows.
fn encode(value: &Value, out: &mut Vec<u8>) {
    let mut text = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Null => out.push(0),
        Value::Bool(truth) => out.extend([1, u8::from(*truth)]),
        Value::Int(number) => text(2, &number.to_be_bytes()),
        Value::Float(number) => text(3, &number.to_bits().to_be_bytes()),
        Value::Str(string) => text(4, string.as_bytes()),
        Value::Ip(ip) => text(5, ip.to_string().as_bytes()),
        Value::Time(time) => text(6, &time.nanos().to_be_bytes()),
        Value::List(values) => {
            text(7, &(values.len() as u64).to_be_bytes());
            values.iter().for_each(|value| encode(value, out));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_one_order() {
        let sorted: Vec<Value> = vec![
            Value::Float(-0.5),
            9i64.into(),
            "10".into(),
            Value::Float(10.5),
            Timestamp::from_seconds(1).into(),
            Value::ip_or_str("9.0.0.1"),
            Value::ip_or_str("10.0.0.1"),
            "apple".into(),
            "pear".into(),
            true.into(),
            Value::Null,
        ];
        for (index, left) in sorted.iter().enumerate() {
            for (other, right) in sorted.iter().enumerate() {
                assert_eq!(compare(left, right), index.cmp(&other), "{left} {right}");
                assert_eq!(same(left, right), index == other, "{left} {right}");
                assert_eq!(hashed(left) == hashed(right), index == other, "{left} {right}");
            }
        }
        assert_eq!(compare_directed(&1i64.into(), &2i64.into(), true), Ordering::Greater);
        assert_eq!(compare_directed(&Value::Null, &2i64.into(), true), Ordering::Greater);
        assert_eq!(compare_directed(&2i64.into(), &Value::Null, false), Ordering::Less);
    }

    fn hashed(value: &Value) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        hash(value, &mut hasher);
        hasher.finish()
    }

    #[test]
    fn what_is_the_same_is_not_what_is_equal() {
        let of = |value: Value| (hashed(&value), value);
        let (zero_hash, zero) = of(Value::Float(0.0));
        let (minus_hash, minus) = of(Value::Float(-0.0));
        assert!(zero == minus && !same(&zero, &minus) && zero_hash != minus_hash);
        let list = |value: Value| Value::List(vec![value]);
        assert!(!same(&list(zero.clone()), &list(minus)));
        assert!(same(&list(zero.clone()), &list(zero)));
    }
}
