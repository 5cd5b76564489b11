//! Loki's push request in protobuf (`logproto.PushRequest`), a line at a time. Does not know what labels mean.
//!
//! Source: grafana/loki `pkg/push/push.proto`.

use std::ops::ControlFlow;

use bytes::Bytes;
use locard_event::Timestamp;
use prost::Message;

use crate::otlp::each;
use crate::{DecodeError, MAX_NESTED};

const STREAMS: u32 = 1;
const LABELS: u32 = 1;
const ENTRIES: u32 = 2;
const METADATA: u32 = 3;

/// One line of a Loki push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LokiEntry {
    /// When.
    pub time: Timestamp,
    /// The line. Declared as a string, but what a container prints need not be one.
    pub line: Bytes,
    /// What is known beside the line: names and values.
    pub metadata: Vec<(String, String)>,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<Time>,
    #[prost(bytes = "bytes", tag = "2")]
    line: Bytes,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<Pair>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// Calls `visit` with each line of a request that is not compressed any more and the text of its stream's labels, until it breaks.
///
/// # Errors
/// The body is no such request, or a line has more than [`MAX_NESTED`] pairs.
pub fn decode_loki(
    body: &[u8],
    mut visit: impl FnMut(&[u8], LokiEntry) -> ControlFlow<()>,
) -> Result<(), DecodeError> {
    for stream in each(body, STREAMS) {
        let stream = stream?;
        // Field order on the wire is free; of one that comes again the last counts.
        let mut labels: &[u8] = b"";
        for text in each(stream, LABELS) {
            labels = text?;
        }
        for entry in each(stream, ENTRIES) {
            if visit(labels, read_entry(entry?)?).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read_entry(bytes: &[u8]) -> Result<LokiEntry, DecodeError> {
    if each(bytes, METADATA).count() > MAX_NESTED {
        return Err(DecodeError::TooMany { noun: "pairs beside one line", limit: MAX_NESTED });
    }
    let Entry { timestamp, line, metadata } = Entry::decode(bytes)?;
    let Time { seconds, nanos } = timestamp.unwrap_or_default();
    let time = seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(nanos));
    let metadata = metadata.into_iter().map(|pair| (pair.name, pair.value)).collect();
    Ok(LokiEntry { time: Timestamp::from_nanos(time), line, metadata })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Push {
        #[prost(message, repeated, tag = "1")]
        streams: Vec<Stream>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Stream {
        #[prost(string, tag = "1")]
        labels: String,
        #[prost(message, repeated, tag = "2")]
        entries: Vec<Entry>,
        #[prost(uint64, tag = "3")]
        hash: u64,
    }

    fn read(body: &[u8]) -> Result<Vec<(String, LokiEntry)>, DecodeError> {
        let mut lines = Vec::new();
        decode_loki(body, |labels, entry| {
            lines.push((String::from_utf8_lossy(labels).into_owned(), entry));
            ControlFlow::Continue(())
        })?;
        Ok(lines)
    }

    #[test]
    fn lines_come_with_their_labels_their_time_and_what_is_beside_them() {
        let entry = Entry {
            timestamp: Some(Time { seconds: 1_764_000_000, nanos: 123_456_789 }),
            line: Bytes::from_static(b"caf\xe9"),
            metadata: vec![Pair { name: "trace_id".into(), value: "ab".into() }],
        };
        let stream = Stream { labels: "{a=\"b\"}".into(), entries: vec![entry.clone(), entry], hash: 7 };
        let lines = read(&Push { streams: vec![stream] }.encode_to_vec()).unwrap();
        let expected = LokiEntry {
            time: Timestamp::from_nanos(1_764_000_000_123_456_789),
            line: Bytes::from_static(b"caf\xe9"),
            metadata: vec![("trace_id".into(), "ab".into())],
        };
        let line = ("{a=\"b\"}".to_owned(), expected);
        assert_eq!(lines, [line.clone(), line]);
        assert_eq!(read(b"").unwrap(), []);
        assert!(read(b"{\"streams\":[]}").is_err());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(read(&body));
        }
    }
}
