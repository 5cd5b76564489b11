//! Walks protobuf without building messages, so that what a request costs in memory is known before it is paid.

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::DecodeError;

/// The length-delimited fields of one message: tag and payload. Other fields are stepped over.
pub(super) struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn step(&mut self) -> Result<Option<(u32, &'a [u8])>, DecodeError> {
        let (tag, wire_type) = decode_key(&mut self.rest)?;
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, tag, &mut self.rest, DecodeContext::default())?;
            return Ok(None);
        }
        let field = self.rest;
        skip_field(wire_type, tag, &mut self.rest, DecodeContext::default())?;
        let mut payload = field.get(..field.len() - self.rest.len()).unwrap_or_default();
        decode_varint(&mut payload)?;
        Ok(Some((tag, payload)))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<(u32, &'a [u8]), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.has_remaining() {
            match self.step() {
                Ok(Some(field)) => return Some(Ok(field)),
                Ok(None) => {}
                Err(error) => {
                    self.rest = &[];
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// The payloads of the fields with this tag.
pub(crate) fn each(message: &[u8], tag: u32) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    Messages::of(message).filter_map(move |field| match field {
        Ok((other, payload)) => (other == tag).then_some(Ok(payload)),
        Err(error) => Some(Err(error)),
    })
}

/// What a message is, as far as nesting goes. Tags are those of `opentelemetry/proto/common/v1/common.proto`.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// `LogRecord`: body 5, attributes 6.
    Record,
    /// `Resource`: attributes 1.
    Resource,
    /// `InstrumentationScope`: attributes 3.
    Scope,
    KeyValue,
    AnyValue,
    /// `ArrayValue` and `KeyValueList` put their elements at 1.
    Array,
    KeyValueList,
}

impl Kind {
    fn child(self, tag: u32) -> Option<Self> {
        match (self, tag) {
            (Self::Record, 5) | (Self::KeyValue, 2) | (Self::Array, 1) => Some(Self::AnyValue),
            (Self::Record, 6) | (Self::Resource | Self::KeyValueList, 1) | (Self::Scope, 3) => {
                Some(Self::KeyValue)
            }
            (Self::AnyValue, 5) => Some(Self::Array),
            (Self::AnyValue, 6) => Some(Self::KeyValueList),
            _ => None,
        }
    }
}

/// Fails if there are more than [`super::MAX_NESTED`] messages in this one. Keeps its own stack: nesting is the sender's choice.
pub(super) fn check_nested(message: &[u8], kind: Kind) -> Result<(), DecodeError> {
    let mut found = 0;
    let mut pending = vec![(kind, message)];
    while let Some((kind, message)) = pending.pop() {
        for field in Messages::of(message) {
            let (tag, payload) = field?;
            let Some(child) = kind.child(tag) else { continue };
            found += 1;
            if found > super::MAX_NESTED {
                return Err(DecodeError::TooMany { noun: "values in one record", limit: super::MAX_NESTED });
            }
            pending.push((child, payload));
        }
    }
    Ok(())
}
