//! However a pipeline is fed, whole events or what they have in common, all at once or to forks, the outcome is the same.

use std::sync::Arc;

use locard_event::{Event, EventId, Stream, Value};
use locard_store::{GroupKey, pattern_of};
use proptest::prelude::*;

use crate::pipe::testing::{NOW, run, setting, show};
use crate::pipe::{Needs, Pipeline, parse};

/// What an event has for a key.
fn value_of(key: &GroupKey, event: &Event) -> Value {
    match key {
        GroupKey::Field(name) => event.get(name).map_or(Value::Null, std::borrow::Cow::into_owned),
        GroupKey::Bucket { origin, span_nanos } => {
            Value::Int((event.filed().nanos() - origin.nanos()).div_euclid(*span_nanos))
        }
        GroupKey::Pattern => {
            pattern_of(&event.message).map_or(Value::Null, |(id, _)| format!("{id:016x}").into())
        }
    }
}

/// As a split answers: combinations in no order, some of them in parts.
fn tally(events: &[Event], keys: &[GroupKey]) -> Vec<(Vec<Value>, u64)> {
    let mut groups: Vec<(Vec<Value>, u64)> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let values: Vec<Value> = keys.iter().map(|key| value_of(key, event)).collect();
        let same = |group: &&mut (Vec<Value>, u64)| format!("{:?}", group.0) == format!("{values:?}");
        match groups.iter_mut().find(same).filter(|_| index % 5 > 0) {
            Some((_, count)) => *count += 1,
            None => groups.push((values, 1)),
        }
    }
    groups.reverse();
    groups
}

fn feed(pipeline: &mut Pipeline, events: &[Event], whole: bool) {
    match pipeline.needs() {
        Needs::Groups(keys) if !whole => {
            for (values, count) in tally(events, &keys) {
                pipeline.push_group(&values, count).unwrap();
            }
        }
        Needs::Count => pipeline.push_count(events.len() as u64),
        _ => events.iter().for_each(|event| {
            pipeline.push_event(event).unwrap();
        }),
    }
}

proptest! {
    #[test]
    fn groups_and_forks_are_as_good_as_events(
        parts in proptest::collection::vec((proptest::collection::vec(events(), 0..12), any::<bool>()), 1..5),
        query in queries(),
    ) {
        let parts: Vec<(Vec<Event>, bool)> = numbered(parts);
        let all: Vec<Event> = parts.iter().flat_map(|(events, _)| events.clone()).collect();
        let straight = show(&run(query, &all, &setting()).unwrap());
        let mut pipeline = Pipeline::new(&parse(query).unwrap().pipes, &setting()).unwrap();
        let mut forks = Vec::new();
        for (index, (events, whole)) in parts.iter().enumerate() {
            let mut fork = pipeline.fork();
            feed(&mut fork, events, *whole);
            // Some forks are made before others are merged, some after.
            if index % 2 == 0 { forks.push(fork) } else { pipeline.merge(fork).unwrap() }
        }
        forks.into_iter().for_each(|fork| pipeline.merge(fork).unwrap());
        prop_assert_eq!(straight, show(&pipeline.finish().unwrap()), "{}", query);
    }

    #[test]
    fn memory_is_counted_alike_in_forks(events in proptest::collection::vec(events(), 0..40)) {
        let events = numbered(vec![(events, true)]).remove(0).0;
        let mut bytes = Vec::new();
        for cut in [0, events.len() / 2] {
            let pipes = parse("* | stats count(), dc(n) by a").unwrap().pipes;
            let mut pipeline = Pipeline::new(&pipes, &setting()).unwrap();
            for part in [&events[..cut], &events[cut..]] {
                let mut fork = pipeline.fork();
                feed(&mut fork, part, true);
                pipeline.merge(fork).unwrap();
            }
            bytes.push(pipeline.bytes());
        }
        prop_assert_eq!(bytes[0], bytes[1]);
    }
}

fn queries() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "* | stats count() as all, count(n), sum(n), avg(n), min(n), max(n), p50(n), p99(n), dc(n) by a",
        "* | stats sum(n), dc(a), avg(b) by b, a",
        "* | stats count()",
        "* | stats count() by _pattern",
        "* | fields -a | stats count(), dc(n) by a",
        "* | fields -b | where n>0 | stats sum(n) by a, b",
        "* | top 3 a",
        "* | top a, n, missing",
        "* | timechart",
        "* | timechart span=7m",
        "* | timechart count() by a limit=2",
        "* | timechart span=30m sum(n), dc(a) by b",
        "* | sort a, -n | limit 4",
        "* | patterns",
    ])
}

fn events() -> impl Strategy<Value = Event> {
    (0..50_000i64, values(), values(), values(), 0..4u8).prop_map(|(minute, a, b, n, message)| {
        let stream = Arc::new(Stream::new([("a", "label")]));
        let mut event =
            Event::new(NOW.plus_nanos(-minute * 60_000_000_000), stream, format!("line {message}"));
        for (name, value) in [("a", a), ("b", b), ("n", n)] {
            if let Some(value) = value {
                event.fields.set(name, value);
            }
        }
        event
    })
}

/// Ids, so that there is an order among events of one time.
fn numbered(parts: Vec<(Vec<Event>, bool)>) -> Vec<(Vec<Event>, bool)> {
    let mut sequence = 0;
    let mut number = |mut event: Event| {
        sequence += 1;
        event.id = Some(EventId::new(0, sequence));
        event
    };
    parts.into_iter().map(|(events, whole)| (events.into_iter().map(&mut number).collect(), whole)).collect()
}

fn values() -> impl Strategy<Value = Option<Value>> {
    let scalar = prop_oneof![
        4 => (0..4i64).prop_map(Value::Int),
        2 => proptest::sample::select(vec![0.1, 0.2, 0.7, -0.0, 1e17, -3e200]).prop_map(Value::Float),
        3 => proptest::sample::select(vec!["x", "y", "2", "0.5", ""]).prop_map(Value::from),
        1 => proptest::sample::select(vec!["10.0.0.1", "2001:db8::1"]).prop_map(Value::ip_or_str),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Time(NOW)),
    ];
    prop_oneof![
        8 => scalar.clone().prop_map(Some),
        2 => proptest::collection::vec(scalar, 0..4).prop_map(|values| Some(Value::List(values))),
        1 => Just(None),
    ]
}
