//! A field's value as bytes. The version of this encoding is that of the split.

use std::net::IpAddr;

use locard_event::{Timestamp, Value};

use super::bytes::{Input, Malformed, Result, put_bytes, put_varint, put_zigzag};

/// Deeper lists are refused on reading: [`Value::List`] is flat by contract, the limit is against hostile bytes.
const MAX_DEPTH: u8 = 16;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const STR: u8 = 5;
const IP4: u8 = 6;
const IP6: u8 = 7;
const TIME: u8 = 8;
const LIST: u8 = 9;

/// Appends a value.
pub(crate) fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(truth) => out.push(if *truth { TRUE } else { FALSE }),
        Value::Int(number) => {
            out.push(INT);
            put_zigzag(out, *number);
        }
        Value::Float(number) => {
            out.push(FLOAT);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Str(text) => {
            out.push(STR);
            put_bytes(out, text.as_bytes());
        }
        Value::Ip(IpAddr::V4(ip)) => {
            out.push(IP4);
            out.extend_from_slice(&ip.octets());
        }
        Value::Ip(IpAddr::V6(ip)) => {
            out.push(IP6);
            out.extend_from_slice(&ip.octets());
        }
        Value::Time(time) => {
            out.push(TIME);
            out.extend_from_slice(&time.nanos().to_le_bytes());
        }
        Value::List(values) => {
            out.push(LIST);
            put_varint(out, values.len() as u64);
            values.iter().for_each(|value| put_value(out, value));
        }
    }
}

/// Reads a text that [`put_value`] wrote; nothing, and nothing read, if it is another value.
pub(crate) fn take_text<'a>(input: &mut Input<'a>) -> Result<Option<&'a [u8]>> {
    if input.rest().first() != Some(&STR) {
        return Ok(None);
    }
    input.byte()?;
    input.bytes().map(Some)
}

/// Reads what [`put_value`] wrote.
pub(crate) fn take_value(input: &mut Input<'_>, depth: u8) -> Result<Value> {
    Ok(match input.byte()? {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INT => Value::Int(input.zigzag()?),
        FLOAT => Value::Float(f64::from_bits(input.u64()?)),
        STR => Value::str(input.text()?),
        IP4 => Value::Ip(IpAddr::from(input.array::<4>()?)),
        IP6 => Value::Ip(IpAddr::from(input.array::<16>()?)),
        TIME => Value::Time(Timestamp::from_nanos(input.i64()?)),
        LIST if depth < MAX_DEPTH => {
            let count = input.count()?;
            Value::List((0..count).map(|_| take_value(input, depth + 1)).collect::<Result<_>>()?)
        }
        _ => return Err(Malformed("a value is of no known kind")),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::values;

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_went(value in values()) {
            let mut out = Vec::new();
            put_value(&mut out, &value);
            let mut input = Input::new(&out);
            prop_assert_eq!(format!("{:?}", take_value(&mut input, 0).unwrap()), format!("{value:?}"));
            prop_assert!(input.end().is_ok());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(take_value(&mut Input::new(&bytes), 0));
        }
    }

    #[test]
    fn a_cut_value_is_refused_at_every_length() {
        let mut out = Vec::new();
        put_value(&mut out, &Value::List(vec![Value::Null, "x".into(), Value::Int(-1)]));
        for length in 0..out.len() {
            assert!(take_value(&mut Input::new(&out[..length]), 0).is_err(), "{length}");
        }
    }
}
