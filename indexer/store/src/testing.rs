//! Random events and filters for the tests of this crate. Small alphabets, so that filters do match.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use locard_event::{Event, EventId, Fields, Stream, Timestamp, Value};
use locard_filter::{Bound, Comparison, Filter, Predicate, Test, TimePoint, TimeRange};
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
pub(crate) fn events() -> BoxedStrategy<Event> {
    (prop::sample::select(streams()), times(), 0..40i64, messages(), fields(), any::<u32>())
        .prop_map(|(stream, time, ingested, message, fields, sequence)| {
            let mut event = Event::new(time, stream, message);
            event.ingested = Some(Timestamp::from_nanos(START + ingested));
            event.id = Some(EventId::new(7, u64::from(sequence)));
            event.fields = fields;
            event
        })
        .boxed()
}

/// Few different instants, so that order has to fall back on the id; some not credible.
pub(crate) fn times() -> BoxedStrategy<Timestamp> {
    prop_oneof![
        8 => (0..30i64).prop_map(|nanos| Timestamp::from_nanos(START + nanos)),
        1 => Just(Timestamp::from_nanos(0)),
        1 => Just(Timestamp::MIN),
        1 => Just(Timestamp::from_nanos(START + 90_000_000_000_000)),
        1 => Just(Timestamp::MAX),
    ]
    .boxed()
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

pub(crate) fn texts() -> BoxedStrategy<String> {
    prop_oneof![
        8 => prop::collection::vec(prop::sample::select(PIECES), 0..6).prop_map(|pieces| pieces.concat()),
        1 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => (190..210usize, prop::sample::select(&["x", "é", "y z"])).prop_map(|(count, piece)| piece.repeat(count)),
        1 => ".{0,8}",
    ].boxed()
}

fn messages() -> BoxedStrategy<Bytes> {
    prop_oneof![
        5 => texts().prop_map(|text| Bytes::from(text.into_bytes())),
        1 => (texts(), prop::collection::vec(any::<u8>(), 0..3), texts())
            .prop_map(|(before, bytes, after)| [before.as_bytes(), &bytes, after.as_bytes()].concat().into()),
        1 => Just(Bytes::from_static(b"root\xFFfailed\xC3 password")),
    ]
    .boxed()
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

fn fields() -> BoxedStrategy<Fields> {
    let long = "long.".repeat(60);
    let name = prop_oneof![
        20 => prop::sample::select(NAMES).prop_map(str::to_owned),
        1 => Just(long),
    ];
    prop::collection::vec((name, values()), 0..5).prop_map(Fields::from_iter).boxed()
}

pub(crate) fn values() -> BoxedStrategy<Value> {
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
    .boxed()
}

/// Events of one partition with rising ids, some sequence numbers left out.
pub(crate) fn partitions(count: std::ops::Range<usize>) -> BoxedStrategy<Vec<Event>> {
    prop::collection::vec((events(), prop_oneof![9 => Just(1u64), 1 => 2..5u64]), count)
        .prop_map(|pairs| {
            let mut sequence = 1000;
            let number = |(mut event, step): (Event, u64)| {
                sequence += step;
                event.id = Some(EventId::new(7, sequence));
                event
            };
            pairs.into_iter().map(number).collect()
        })
        .boxed()
}

/// Any filter: every kind of test on every kind of field, nested.
pub(crate) fn filters() -> BoxedStrategy<Filter> {
    let leaf = prop_oneof![1 => Just(Filter::All), 20 => predicates().prop_map(Filter::Is)];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
    .boxed()
}

fn predicates() -> BoxedStrategy<Predicate> {
    let name = prop_oneof![
        8 => Just(None),
        20 => prop::sample::select(NAMES).prop_map(Some),
        1 => Just(Some("event.dataset")),
    ];
    prop_oneof![
        20 => (name, tests()).prop_map(|(field, test)| Predicate { field: field.map(Into::into), test }),
        1 => tests().prop_map(|test| Predicate { field: Some("long.".repeat(60).into()), test }),
    ]
    .boxed()
}

fn tests() -> BoxedStrategy<Test> {
    let comparison = prop::sample::select(&[
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ]);
    prop_oneof![
        6 => literals().prop_map(|text| Test::Contains(text.into())),
        4 => wildcards().prop_map(|text| Test::Wildcard(text.into())),
        2 => regexes(),
        4 => literals().prop_map(|text| Test::Equals(text.into())),
        2 => (comparison, literals()).prop_map(|(comparison, text)| Test::Compare(comparison, text.into())),
        2 => (bounds(), bounds()).prop_map(|(low, high)| Test::Range(low, high)),
        1 => prop::sample::select(&["10.0.0.0/8", "203.0.113.77/32", "::/0", "2001:db8::/32", "0.0.0.0/0"])
            .prop_map(|network| Test::Cidr(network.parse().unwrap())),
        2 => Just(Test::Exists),
        2 => (points(), points()).prop_map(|(from, to)| Test::Time(TimeRange { from, to })),
    ]
    .boxed()
}

fn literals() -> BoxedStrategy<String> {
    const ODD: &[&str] = &[
        "200.0",
        "9007199254740992",
        "100000000000000000",
        "100000000000000001",
        "2001:DB8::1",
        "true",
        "false",
        "0",
        "0.5",
        "2026-01-01T01:00:00+01:00",
        "7-1003",
        "7-1010",
        "1003",
        "18",
        "syslog",
        "hidden label",
        "node-2.example",
        "ip",
    ];
    prop_oneof![
        4 => texts(),
        3 => prop::sample::select(PIECES).prop_map(str::to_owned),
        2 => prop::sample::select(ODD).prop_map(str::to_owned),
        1 => (190..210usize).prop_map(|count| "x".repeat(count)),
        1 => prop::sample::select(streams()).prop_map(|stream| stream.id().to_string()),
        1 => times().prop_map(|time| time.to_string()),
    ]
    .boxed()
}

fn wildcards() -> BoxedStrategy<String> {
    let piece = prop_oneof![3 => prop::sample::select(PIECES), 2 => prop::sample::select(&["*", "?", "pass*", "fail", "r??t"])];
    prop_oneof![
        3 => prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat()),
        2 => prop::sample::select(&["fail*", "ROO*", "*oot", "node-*", "*", "20*", "x*", "k*", "203.0.*"]).prop_map(str::to_owned),
    ].boxed()
}

fn regexes() -> BoxedStrategy<Test> {
    let pattern =
        prop::sample::select(&["fail", "^root$", "[0-9]+\\.", "", "node-\\d", "(?-u)\\xFF", "e+", "^$", "É"]);
    (pattern, any::<bool>())
        .prop_map(|(pattern, ignore_case)| Test::Regex { pattern: pattern.into(), ignore_case })
        .boxed()
}

fn bounds() -> BoxedStrategy<Bound> {
    prop_oneof![
        Just(Bound::Open),
        literals().prop_map(|text| Bound::Inclusive(text.into())),
        literals().prop_map(|text| Bound::Exclusive(text.into())),
    ]
    .boxed()
}

fn points() -> BoxedStrategy<Option<TimePoint>> {
    prop_oneof![1 => Just(None), 3 => times().prop_map(|time| Some(TimePoint::At(time)))].boxed()
}
