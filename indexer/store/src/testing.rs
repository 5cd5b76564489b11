//! Random events and filters for the tests of this crate. Small alphabets, so that filters do match.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use locard_event::{Event, EventId, Fields, Stream, Timestamp, Value};
use proptest::prelude::*;

/// The streams random events come from.
pub(crate) fn streams() -> Vec<Arc<Stream>> {
    static STREAMS: OnceLock<Vec<Arc<Stream>>> = OnceLock::new();
    let make = || {
        [
            Stream::new([("host.name", "node-1"), ("event.dataset", "syslog"), ("user.name", "root")]),
            Stream::new([("host.name", "Node-2.example"), ("n", "200"), ("ip", "10.0.0.9")]),
            Stream::new::<&str, &str>([]),
            Stream::new([
                ("message", "hidden label"),
                ("_time", "2026-01-01T00:00:00Z"),
                ("a", "ÄRGER \u{212A}ELVIN"),
            ]),
        ]
        .map(Arc::new)
        .to_vec()
    };
    STREAMS.get_or_init(make).clone()
}

/// Where random ingest times begin.
pub(crate) const START: i64 = 1_767_225_600_000_000_000;

/// One event with an id and an ingest time.
pub(crate) fn events() -> impl Strategy<Value = Event> {
    (prop::sample::select(streams()), times(), 0..40i64, messages(), fields(), any::<u32>()).prop_map(
        |(stream, time, ingested, message, fields, sequence)| {
            let mut event = Event::new(time, stream, message);
            event.ingested = Some(Timestamp::from_nanos(START + ingested));
            event.id = Some(EventId::new(7, u64::from(sequence)));
            event.fields = fields;
            event
        },
    )
}

/// Few different instants, so that order has to fall back on the id; some not credible.
pub(crate) fn times() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (0..30i64).prop_map(|nanos| Timestamp::from_nanos(START + nanos)),
        1 => Just(Timestamp::from_nanos(0)),
        1 => Just(Timestamp::MIN),
        1 => Just(Timestamp::from_nanos(START + 90_000_000_000_000)),
        1 => Just(Timestamp::MAX),
    ]
}

/// Pieces that messages, values and literals are put together from.
const PIECES: &[&str] = &[
    "failed",
    "Failed",
    "password",
    "pass",
    "for",
    "root",
    "_x",
    "node-1",
    "203.0.113.77",
    "10.0.0.9",
    "200",
    "2e2",
    "-0",
    "9007199254740993",
    "2001:db8::1",
    "ärger",
    "ÄRGER",
    "\u{212A}ELVIN",
    "kelvin",
    "İstanbul",
    "東京",
    "ß",
    "é",
    "e\u{301}",
    "2026-01-01T00:00:00Z",
    " ",
    " ",
    " ",
    "  ",
    ".",
    "-",
    ":",
    "=",
    "/",
    "\"",
    "\t",
    "\u{0}",
    "\u{fffd}",
    "\u{10ffff}",
    "*",
    "?",
    "\\",
];

pub(crate) fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(prop::sample::select(PIECES), 0..6).prop_map(|pieces| pieces.concat()),
        1 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => (190..210usize, prop::sample::select(&["x", "é", "y z"])).prop_map(|(count, piece)| piece.repeat(count)),
        1 => ".{0,8}",
    ]
}

fn messages() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        5 => texts().prop_map(|text| Bytes::from(text.into_bytes())),
        1 => (texts(), prop::collection::vec(any::<u8>(), 0..3), texts())
            .prop_map(|(before, bytes, after)| [before.as_bytes(), &bytes, after.as_bytes()].concat().into()),
        1 => Just(Bytes::from_static(b"root\xFFfailed\xC3 password")),
    ]
}

/// Field names: the event's own, those of labels, odd ones.
pub(crate) const NAMES: &[&str] = &[
    "a",
    "n",
    "ip",
    "user",
    "user.name",
    "host.name",
    "message",
    "_id",
    "_time",
    "@timestamp",
    "_stream",
    "event.ingested",
    "nul\u{0}name",
    "a\u{1}",
    "missing",
    "",
];

fn fields() -> impl Strategy<Value = Fields> {
    let long = "long.".repeat(60);
    let name = prop_oneof![
        20 => prop::sample::select(NAMES).prop_map(str::to_owned),
        1 => Just(long),
    ];
    prop::collection::vec((name, values()), 0..5).prop_map(Fields::from_iter)
}

pub(crate) fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => texts().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => prop::sample::select(&[0, 1, -1, 200, 9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX, i64::MIN]).prop_map(Value::Int),
        2 => prop::sample::select(&[0.0, -0.0, 0.5, 200.0, 1e300, 9_007_199_254_740_992.0, 1e17]).prop_map(Value::Float),
        1 => prop::sample::select(&["10.0.0.9", "203.0.113.77", "2001:db8::1", "::ffff:10.0.0.9"]).prop_map(Value::ip_or_str),
        1 => times().prop_map(Value::Time),
    ];
    prop_oneof![
        6 => scalar.clone(),
        1 => prop::collection::vec(scalar, 0..4).prop_map(Value::List),
    ]
}
