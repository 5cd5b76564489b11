//! Values that are equal, or nearly, in other spellings and other types.

use super::*;

/// Values that are equal, or nearly, in other spellings and other types.
pub(super) fn near_values() -> Vec<Value> {
    let texts = [
        "200",
        "200.0",
        "2e2",
        "-0",
        "0",
        "9007199254740992",
        "9007199254740993",
        "9007199254740992.0",
        "1e17",
        "10.0.0.9",
        "2001:db8::1",
        "2001:DB8::1",
        "2001:db8:0::1",
        "::ffff:10.0.0.9",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
        "true",
        "root",
        "Root",
        "",
        " root",
        "root ",
        "failed password",
        "failed\tpassword",
        "failed  password",
    ];
    let mut values: Vec<Value> =
        texts.into_iter().flat_map(|text| [text.into(), Value::ip_or_str(text)]).collect();
    values.extend(
        [200, 0, 9_007_199_254_740_992, 9_007_199_254_740_993, 100_000_000_000_000_001].map(Value::Int),
    );
    values.extend([200.0, -0.0, 9_007_199_254_740_992.0, 1e17, 1e300].map(Value::Float));
    values.extend([
        Value::Bool(true),
        Value::Null,
        Value::Time(Timestamp::from_nanos(START)),
        Value::List(Vec::new()),
    ]);
    values.push(Value::List(vec!["failed".into(), "password".into(), 200.into(), Value::Null]));
    values
}

#[test]
fn every_value_meets_every_literal_as_the_matcher_has_it() {
    let values = near_values();
    let mut events = many_events(values.len() as u64);
    for (event, value) in events.iter_mut().zip(&values) {
        event.fields.set("a", value.clone());
    }
    let split = Folder::new().of_events(&events);
    for literal in values.iter().map(|value| value.text()).collect::<std::collections::BTreeSet<_>>() {
        for test in [
            Test::Equals(literal.clone().into()),
            Test::Contains(literal.clone().into()),
            Test::Wildcard(format!("{literal}*").into()),
            Test::Compare(Comparison::Less, literal.clone().into()),
            Test::Compare(Comparison::GreaterOrEqual, literal.clone().into()),
        ] {
            for field in [None, Some("a".into())] {
                let filter = Filter::Is(Predicate { field, test: test.clone() });
                let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
                let wanted: Vec<_> = expected(&events, &request).into_iter().cloned().collect();
                let found = split
                    .top(&request, Order::Descending, None, usize::MAX, usize::MAX, &Control::default())
                    .unwrap();
                assert_eq!(ids(&found.events), ids(&wanted), "{:?}", request.filter);
            }
        }
    }
}
