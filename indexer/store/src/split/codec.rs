//! One event as bytes, all of it: what a split's event blocks hold.
//!
//! The stream is an ordinal into the split's stream table. The version of this encoding is that of the split.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, EventId, Fields, Stream, Timestamp, Value};

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

/// Appends `event`. Its id and ingest time must be given; without them they are written as absent and `decode` gives none.
pub(crate) fn encode(out: &mut Vec<u8>, event: &Event, stream: u32) {
    put_varint(out, u64::from(stream));
    put_varint(out, event.id.map_or(0, |id| id.sequence));
    put_zigzag(out, event.time.nanos());
    match event.ingested {
        None => out.push(0),
        Some(ingested) => {
            out.push(1);
            put_zigzag(out, ingested.nanos().wrapping_sub(event.time.nanos()));
        }
    }
    put_bytes(out, &event.message);
    put_varint(out, event.fields.len() as u64);
    for (name, value) in event.fields.iter() {
        put_bytes(out, name.as_bytes());
        put_value(out, value);
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
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

/// Reads what [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8], partition: u32, streams: &[Arc<Stream>]) -> Result<Event> {
    let mut input = Input::new(bytes);
    let stream = streams.get(input.length()?).ok_or(Malformed("an event names no stream"))?;
    let sequence = input.varint()?;
    let time = input.zigzag()?;
    let ingested = match input.byte()? {
        0 => None,
        _ => Some(Timestamp::from_nanos(time.wrapping_add(input.zigzag()?))),
    };
    let message = Bytes::copy_from_slice(input.bytes()?);
    let fields = take_fields(&mut input)?;
    input.end()?;
    Ok(Event {
        id: Some(EventId::new(partition, sequence)),
        time: Timestamp::from_nanos(time),
        ingested,
        stream: Arc::clone(stream),
        message,
        fields,
    })
}

fn take_fields(input: &mut Input<'_>) -> Result<Fields> {
    let count = input.count()?;
    let mut fields = Fields::new();
    for _ in 0..count {
        let name = input.text()?;
        fields.set(name, take_value(input, 0)?);
    }
    Ok(fields)
}

fn take_value(input: &mut Input<'_>, depth: u8) -> Result<Value> {
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
    use crate::testing::{events, streams};

    proptest! {
        #[test]
        fn an_event_comes_back_as_it_went(event in events()) {
            let mut out = Vec::new();
            let stream = streams().iter().position(|stream| *stream == event.stream).unwrap();
            encode(&mut out, &event, stream as u32);
            let back = decode(&out, event.id.unwrap().partition, &streams()).unwrap();
            prop_assert_eq!(back, event);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(decode(&bytes, 0, &streams()));
        }
    }

    #[test]
    fn a_cut_event_is_refused_at_every_length() {
        let mut event = Event::new(Timestamp::from_nanos(-5), Arc::clone(&streams()[0]), "line");
        event.fields.set("list", Value::List(vec![Value::Null, "x".into(), Value::Int(-1)]));
        let mut out = Vec::new();
        encode(&mut out, &event, 0);
        for length in 0..out.len() {
            assert!(decode(&out[..length], 0, &streams()).is_err(), "{length}");
        }
    }
}
