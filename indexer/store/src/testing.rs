//! Random events and filters for the tests of this crate. Small alphabets, so that filters do match.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use locard_event::{Event, EventId, Fields, Stream, Timestamp, Value};
use locard_filter::{Bound, Comparison, Filter, Predicate, Test, TimePoint, TimeRange, word};
use proptest::prelude::*;
use proptest::sample::Index;

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
    "_pattern",
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
        2 => (prop::sample::select(&["_time", "@timestamp", "event.ingested"]), points(), points()).prop_map(
            |(field, from, to)| Predicate { field: Some(field.into()), test: Test::Time(TimeRange { from, to }) }
        ),
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

const SEPARATORS: [char; 8] = [' ', '.', '-', ':', '=', '/', '\t', '"'];

/// How to aim a random literal at what the events hold, so that filters nearly match: that is where plans go wrong.
#[derive(Clone, Debug)]
pub(crate) struct Hint {
    event: Index,
    place: Index,
    from: Index,
    to: Index,
    twist: u8,
    keeps_field: bool,
}

pub(crate) fn hints() -> impl Strategy<Value = Vec<Hint>> {
    let hint = (any::<(Index, Index, Index, Index)>(), 0..13u8, prop::bool::weighted(0.2));
    let hint = hint.prop_map(|((event, place, from, to), twist, keeps_field)| Hint {
        event,
        place,
        from,
        to,
        twist,
        keeps_field,
    });
    prop::collection::vec(hint, 0..4)
}

/// The filter with its first literals replaced by pieces of the events, one a hint.
pub(crate) fn aim(filter: Filter, hints: &mut impl Iterator<Item = Hint>, events: &[Event]) -> Filter {
    let mut all = |parts: Vec<Filter>| parts.into_iter().map(|part| aim(part, hints, events)).collect();
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(aim(*part, hints, events))),
        Filter::Is(predicate) => Filter::Is(aim_predicate(predicate, hints, events)),
        Filter::All => Filter::All,
    }
}

fn aim_predicate(
    predicate: Predicate,
    hints: &mut impl Iterator<Item = Hint>,
    events: &[Event],
) -> Predicate {
    let Predicate { field, test } = predicate;
    let has_literal =
        matches!(test, Test::Contains(_) | Test::Equals(_) | Test::Wildcard(_) | Test::Compare(..));
    let Some(hint) = has_literal.then(|| hints.next()).flatten() else { return Predicate { field, test } };
    let (place, piece) = hint.piece(events);
    let test = match test {
        Test::Equals(_) => Test::Equals(piece.into()),
        Test::Wildcard(_) => Test::Wildcard(format!("{piece}*").into()),
        Test::Compare(comparison, _) => Test::Compare(comparison, piece.into()),
        _ => Test::Contains(piece.into()),
    };
    // A bare test stays bare; a test of a field mostly asks the one the piece is from.
    let field = field.map(|field| if hint.keeps_field { field } else { place.into() });
    Predicate { field, test }
}

impl Hint {
    /// Where some event has a text, and a piece of that text.
    fn piece(&self, events: &[Event]) -> (String, String) {
        let event = self.event.get(events);
        let mut places = vec![("message".to_owned(), String::from_utf8_lossy(&event.message).into_owned())];
        for (name, value) in event.fields.iter() {
            places.extend(value.elements().iter().map(|value| (name.to_owned(), value.text().into_owned())));
        }
        places.extend(event.stream.iter().map(|(name, label)| (name.to_owned(), label.to_owned())));
        let at = self.place.index(places.len());
        let (name, text) = places.remove(at);
        // Two values in a row are not one text.
        let neighbour = places.get(at).filter(|_| self.twist == 11).map(|(_, text)| format!(" {text}"));
        (name, self.twisted(&text) + &neighbour.unwrap_or_default())
    }

    fn twisted(&self, text: &str) -> String {
        let part = self.part(text);
        match self.twist {
            0..=2 => text.to_owned(),
            3..=5 => part,
            6 => part.to_uppercase(),
            7 => part.replacen(SEPARATORS, ["\t", " ", ".", "\""][part.len() % 4], 1),
            8 => match text.parse::<f64>() {
                Ok(number) => format!("{number:e}"),
                Err(_) => part + " ",
            },
            9 => match text.parse::<i64>() {
                Ok(number) => number.wrapping_add(1).to_string(),
                Err(_) => format!("{text}0"),
            },
            10 => format!("{part}.0"),
            11 => text.to_owned(),
            _ => format!("-{part}"),
        }
    }

    /// From one end of a word to another, or between any two characters.
    fn part(&self, text: &str) -> String {
        let mut ends: Vec<usize> = match self.twist % 2 {
            0 => text.char_indices().map(|(at, _)| at).collect(),
            _ => {
                word::words(text.as_bytes()).flat_map(|word| [word.range().start, word.range().end]).collect()
            }
        };
        ends.push(text.len());
        let (from, to) = (*self.from.get(&ends), *self.to.get(&ends));
        text[from.min(to)..from.max(to)].to_owned()
    }
}
