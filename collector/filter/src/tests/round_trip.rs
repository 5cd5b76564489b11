//! Properties: what is printed parses to the same, and no text makes the parser panic.

use ipnet::IpNet;
use locard_event::Timestamp;
use proptest::prelude::*;

use crate::{Bound, Comparison, Filter, Matcher, Predicate, Test, TimePoint, TimeRange, parse, parse_prefix};

/// Text with everything that could be mistaken for syntax.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_]{1,6}",
        r#"[-a-b:()"/\\\[\]{}*?|=<>~!&. \n\té東]{1,8}"#,
        Just("AND".to_owned()),
        Just("or".to_owned()),
        Just("10.0.0.0/8".to_owned()),
        Just("1h".to_owned()),
        "\\PC{1,6}",
    ]
}

fn field() -> impl Strategy<Value = Box<str>> {
    let name = prop_oneof!["[a-z@_][a-z0-9._/@-]{0,6}", Just("message".to_owned()), text()];
    name.prop_filter_map("has its own meaning", |name| {
        let special = ["_id", "_stream", "_time", "@timestamp", "event.ingested"].contains(&name.as_str());
        (!special).then(|| name.into())
    })
}

fn pattern() -> impl Strategy<Value = Box<str>> {
    let piece = prop_oneof![
        Just("*".to_owned()),
        Just("?".to_owned()),
        text().prop_map(|text| {
            text.chars()
                .map(|char| if "*?\\".contains(char) { format!("\\{char}") } else { char.into() })
                .collect()
        }),
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat()).prop_filter_map(
        "no wildcard",
        |pattern| {
            let pieces = crate::glob::pieces(&pattern);
            let wild = pieces.iter().any(|piece| !matches!(piece, crate::glob::Piece::Literal(_)));
            (wild && pieces != [crate::glob::Piece::Any]).then(|| canonical(&pieces))
        },
    )
}

/// The pattern as the parser spells it.
fn canonical(pieces: &[crate::glob::Piece]) -> Box<str> {
    let spelt = pieces.iter().map(|piece| match piece {
        crate::glob::Piece::Any => "*".to_owned(),
        crate::glob::Piece::One => "?".to_owned(),
        crate::glob::Piece::Literal(text) => text
            .chars()
            .map(|char| if "*?\\".contains(char) { format!("\\{char}") } else { char.into() })
            .collect(),
    });
    spelt.collect::<String>().into()
}

fn regex() -> impl Strategy<Value = Test> {
    let pattern = proptest::collection::vec(
        prop_oneof![
            Just("a"),
            Just("/"),
            Just(r"\d"),
            Just(r"\\"),
            Just("\""),
            Just(" "),
            Just("(b|c)"),
            Just("é*"),
            Just(r"\.")
        ],
        1..5,
    );
    (pattern, any::<bool>())
        .prop_map(|(parts, ignore_case)| Test::Regex { pattern: parts.concat().into(), ignore_case })
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        Just(Bound::Open),
        text().prop_map(|text| Bound::Inclusive(text.into())),
        text().prop_map(|text| Bound::Exclusive(text.into())),
    ]
}

fn network() -> impl Strategy<Value = IpNet> {
    prop_oneof![
        (any::<[u8; 4]>(), 0..=32u8).prop_map(|(ip, prefix)| IpNet::new(ip.into(), prefix).unwrap()),
        (any::<[u8; 16]>(), 0..=128u8).prop_map(|(ip, prefix)| IpNet::new(ip.into(), prefix).unwrap()),
    ]
}

fn point() -> impl Strategy<Value = TimePoint> {
    let offset = prop_oneof![any::<i64>(), (-100..100i64).prop_map(|minutes| minutes * 60_000_000_000)];
    prop_oneof![
        any::<i64>().prop_map(|nanos| TimePoint::At(Timestamp::from_nanos(nanos))),
        offset.prop_map(TimePoint::Now),
    ]
}

fn time() -> impl Strategy<Value = Filter> {
    let fields = prop_oneof![Just("_time"), Just("@timestamp"), Just("event.ingested")];
    let ends = (proptest::option::of(point()), proptest::option::of(point()));
    (fields, ends).prop_filter_map("reversed", |(field, (from, to))| {
        let reversed = match (from, to) {
            (Some(TimePoint::At(from)), Some(TimePoint::At(to))) => from > to,
            (Some(TimePoint::Now(from)), Some(TimePoint::Now(to))) => from > to,
            _ => false,
        };
        let test = Test::Time(TimeRange { from, to });
        (!reversed).then(|| Filter::Is(Predicate { field: Some(field.into()), test }))
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    prop_oneof![Just(Greater), Just(GreaterOrEqual), Just(Less), Just(LessOrEqual)]
}

fn anywhere() -> impl Strategy<Value = Test> {
    prop_oneof![
        text().prop_map(|text| Test::Contains(text.into())),
        pattern().prop_map(Test::Wildcard),
        regex(),
        network().prop_map(Test::Cidr),
    ]
}

fn within() -> impl Strategy<Value = Test> {
    prop_oneof![
        anywhere(),
        Just(Test::Equals("".into())),
        text().prop_map(|text| Test::Equals(text.into())),
        (comparison(), text()).prop_map(|(comparison, text)| Test::Compare(comparison, text.into())),
        (bound(), bound()).prop_map(|(low, high)| Test::Range(low, high)),
        Just(Test::Exists),
    ]
}

/// Filters that a text can mean: flat, and without reversed ranges, which are refused.
fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        anywhere().prop_map(|test| Filter::Is(Predicate { field: None, test })),
        (field(), within()).prop_map(|(field, test)| Filter::Is(Predicate { field: Some(field), test })),
        time(),
        Just(Filter::All),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::all_of),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::any_of),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(filter in filter()) {
        let text = filter.to_string();
        match parse(&text) {
            Ok(again) => prop_assert_eq!(again, filter, "{}", text),
            Err(error) if error.message == "the range ends before it begins" => {}
            Err(error) => return Err(TestCaseError::fail(error.render(&text))),
        }
    }

    #[test]
    fn what_is_printed_can_be_matched(filter in filter()) {
        let resolved = filter.resolve(Timestamp::from_seconds(1_772_366_400));
        let event = super::event(r#"{"message": "a 10.1.2.3 b", "a": ["x", 1, null], "labels": {"b": "c"}}"#);
        let negated = Matcher::new(&Filter::Not(Box::new(resolved.clone()))).unwrap();
        prop_assert_ne!(Matcher::new(&resolved).unwrap().matches(&event), negated.matches(&event));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        errors_are_in_the_text(&text)?;
    }

    #[test]
    fn no_syntax_makes_the_parser_panic(pieces in proptest::collection::vec(piece(), 0..12)) {
        errors_are_in_the_text(&pieces.concat())?;
    }
}

#[test]
fn a_field_of_one_letter_is_not_printed_as_a_drive() {
    let test = Test::Wildcard(":*".into());
    let filter = Filter::Not(Box::new(Filter::Is(Predicate { field: Some("a".into()), test })));
    assert_eq!(parse(&filter.to_string()).unwrap(), filter);
}

#[test]
fn a_field_of_hex_digits_is_not_printed_as_a_part_of_an_address() {
    for (field, network) in [("d", "1::/2"), ("cafe", "::/0"), ("fe80", "::1/128"), ("cafes", "1::/2")] {
        let test = Test::Cidr(network.parse().unwrap());
        let filter = Filter::Is(Predicate { field: Some(field.into()), test });
        assert_eq!(parse(&filter.to_string()).unwrap(), filter, "{filter}");
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "a",
        "é",
        " ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "/",
        "\\",
        ":",
        "=",
        "!=",
        ">",
        "<=",
        "~",
        "!",
        "-",
        "*",
        "?",
        "|",
        "||",
        "&&",
        "AND",
        "OR",
        "NOT",
        "and",
        "not",
        " TO ",
        "_time",
        "_id",
        "f",
        "10.0.0.0/8",
        "now-5m",
        "1h",
        "i",
        "\n",
        "5",
        ",",
        "::",
        "//",
        "(?",
        "+",
    ])
}

/// Whatever is wrong, it is somewhere in the text; what is right prints as something that means the same.
fn errors_are_in_the_text(text: &str) -> Result<(), TestCaseError> {
    match parse_prefix(text) {
        Ok((filter, end)) => {
            prop_assert!(text.get(end..).is_some());
            prop_assert_eq!(parse(&filter.to_string()).ok(), Some(filter), "{}", text);
        }
        Err(error) => {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?} of {}", error.span, text);
            prop_assert!(!error.render(text).is_empty());
        }
    }
    Ok(())
}
