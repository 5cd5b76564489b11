//! A value as bytes that sort as values do: type first, then order within the type. What dictionaries hold.
//!
//! Equal bytes mean the same value in the same type, so that every value comes back as it was.

use std::net::IpAddr;

use locard_event::{Timestamp, Value};

use super::bytes::{Input, Malformed, Result};
use super::codec;

/// First bytes of keys, in their order.
pub(crate) mod kind {
    pub(crate) const NULL: u8 = 1;
    pub(crate) const FALSE: u8 = 2;
    pub(crate) const TRUE: u8 = 3;
    pub(crate) const INT: u8 = 4;
    pub(crate) const FLOAT: u8 = 5;
    pub(crate) const TIME: u8 = 6;
    pub(crate) const IP4: u8 = 7;
    pub(crate) const IP6: u8 = 8;
    pub(crate) const STR: u8 = 9;
    pub(crate) const LIST: u8 = 10;
}

const SIGN: u64 = 1 << 63;

/// Appends the key of `value`.
pub(crate) fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(kind::NULL),
        Value::Bool(false) => out.push(kind::FALSE),
        Value::Bool(true) => out.push(kind::TRUE),
        Value::Int(number) => put(out, kind::INT, &(*number as u64 ^ SIGN).to_be_bytes()),
        Value::Float(number) => put(out, kind::FLOAT, &sortable(number.to_bits()).to_be_bytes()),
        Value::Time(time) => put(out, kind::TIME, &(time.nanos() as u64 ^ SIGN).to_be_bytes()),
        Value::Ip(IpAddr::V4(ip)) => put(out, kind::IP4, &ip.octets()),
        Value::Ip(IpAddr::V6(ip)) => put(out, kind::IP6, &ip.octets()),
        Value::Str(text) => put(out, kind::STR, text.as_bytes()),
        Value::List(_) => {
            out.push(kind::LIST);
            codec::put_value(out, value);
        }
    }
}

fn put(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(bytes);
}

/// Float bits that sort as the floats do.
fn sortable(bits: u64) -> u64 {
    if bits & SIGN == 0 { bits ^ SIGN } else { !bits }
}

fn unsortable(bits: u64) -> u64 {
    if bits & SIGN == 0 { !bits } else { bits ^ SIGN }
}

/// The value whose key this is.
pub(crate) fn decode(key: &[u8]) -> Result<Value> {
    let mut input = Input::new(key);
    let kind = input.byte()?;
    let value = match kind {
        kind::NULL => Value::Null,
        kind::FALSE => Value::Bool(false),
        kind::TRUE => Value::Bool(true),
        kind::INT => Value::Int((u64::from_be_bytes(input.array()?) ^ SIGN) as i64),
        kind::FLOAT => Value::Float(f64::from_bits(unsortable(u64::from_be_bytes(input.array()?)))),
        kind::TIME => Value::Time(Timestamp::from_nanos((u64::from_be_bytes(input.array()?) ^ SIGN) as i64)),
        kind::IP4 => Value::Ip(IpAddr::from(input.array::<4>()?)),
        kind::IP6 => Value::Ip(IpAddr::from(input.array::<16>()?)),
        kind::STR => return text(input.rest()).map(Value::str),
        kind::LIST => codec::take_value(&mut input, 0)?,
        _ => return Err(Malformed("a value is of no known kind")),
    };
    input.end()?;
    Ok(value)
}

/// The text of a string's key, without its first byte.
pub(crate) fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Malformed("a text is not UTF-8"))
}

/// The number of an integer's key.
pub(crate) fn integer(key: &[u8]) -> Option<i64> {
    let (kind, bytes) = key.split_first()?;
    let bytes: [u8; 8] = bytes.try_into().ok()?;
    (*kind == kind::INT).then(|| (u64::from_be_bytes(bytes) ^ SIGN) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::values;

    fn key(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        encode(value, &mut out);
        out
    }

    #[test]
    fn keys_sort_as_values() {
        let floats = [f64::MIN, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::MAX].map(Value::Float);
        let ints = [i64::MIN, -1, 0, 1, i64::MAX].map(Value::Int);
        let ips = ["0.0.0.1", "9.0.0.0", "10.0.0.0", "::1", "2001:db8::"].map(Value::ip_or_str);
        let texts = ["", "a", "ab", "b", "ä"].map(Value::from);
        for values in [&floats[..], &ints, &ips, &texts] {
            assert!(values.is_sorted_by_key(key), "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back(value in values()) {
            prop_assert_eq!(format!("{:?}", decode(&key(&value)).unwrap()), format!("{value:?}"));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            drop(decode(&bytes));
        }
    }
}
