//! Random requests of random events: a split says what the matcher says, however it was made.

use super::*;

fn check(split: &Split, events: &[Event], request: &Request, after: Position) -> Result<(), TestCaseError> {
    let control = Control::default();
    let mut expected = expected(events, request);
    prop_assert_eq!(split.count(request, &control).unwrap(), expected.len() as u64, "count");
    let mut filed = Vec::new();
    split.times(request, &control, &mut |time| filed.push(time)).unwrap();
    filed.sort_by_key(|time| std::cmp::Reverse(*time));
    prop_assert_eq!(filed, expected.iter().map(|event| event.filed()).collect::<Vec<_>>(), "times");
    for order in [Order::Descending, Order::Ascending] {
        let all = split.top(request, order, None, usize::MAX, usize::MAX, &control).unwrap();
        prop_assert_eq!(ids(&all.events), ids(expected.iter().copied()), "top {:?}", order);
        prop_assert!(all.events.iter().eq(expected.iter().copied()));
        let is_after = |event: &&&Event| match order {
            Order::Descending => position(event) < after,
            Order::Ascending => position(event) > after,
        };
        check_rows(split, &expected, request, order)?;
        for limit in [0, 1, 3] {
            let some = split.top(request, order, Some(after), limit, usize::MAX, &control).unwrap();
            let wanted: Vec<&Event> = expected.iter().filter(is_after).take(limit).copied().collect();
            prop_assert_eq!(ids(&some.events), ids(wanted), "top {} {:?} after {:?}", limit, order, after);
            prop_assert_eq!(some.matched, expected.len() as u64);
        }
        expected.reverse();
    }
    expected.sort_by_key(|event| event.id);
    let mut each = Vec::new();
    let mut visit = |event| {
        each.push(event);
        ControlFlow::Continue(())
    };
    split.each(request, &control, &mut visit).unwrap();
    prop_assert_eq!(ids(&each), ids(expected.iter().copied()), "each");
    check_tally(split, &expected, request)?;
    check_having(split, &expected, request)?;
    check_patterns(split, &expected, request)
}

/// Rows say what the events say.
fn check_rows(
    split: &Split,
    expected: &[&Event],
    request: &Request,
    order: Order,
) -> Result<(), TestCaseError> {
    let write = |name: &str, value: &Value, out: &mut Vec<u8>| {
        out.extend_from_slice(format!("{name}={value:?};").as_bytes());
    };
    let said = |event: &&Event| {
        let mut fields = Vec::new();
        event.fields.iter().for_each(|(name, value)| write(name, value, &mut fields));
        (position(event), event.time, event.ingested, event.stream.id(), event.message.to_vec(), fields)
    };
    let first = First { order, after: None, limit: usize::MAX, max_bytes: usize::MAX, count: true };
    for (limit, count) in [(usize::MAX, true), (usize::MAX, false), (2, false)] {
        let mut found = Vec::new();
        let rows =
            split.rows(request, First { limit, count, ..first }, &Control::default(), &write, &mut |row| {
                let names: Vec<&str> = row.fields().map(|(name, _)| name).collect();
                assert!(names.is_sorted(), "{names:?}");
                let fields = row.fields().flat_map(|(_, text)| text.to_vec()).collect::<Vec<u8>>();
                let (id, message) = (row.stream.1.id(), row.message.to_vec());
                found.push((row.position, row.time, row.ingested, id, message, fields));
                1
            });
        let matched = rows.unwrap().matched;
        prop_assert!(matched == expected.len() as u64 || !count && matched <= expected.len() as u64);
        prop_assert_eq!(found, expected.iter().take(limit).map(said).collect::<Vec<_>>(), "rows {:?}", order);
    }
    Ok(())
}

fn check_tally(split: &Split, expected: &[&Event], request: &Request) -> Result<(), TestCaseError> {
    let field = |name: &str| GroupKey::Field(name.into());
    let bucket = GroupKey::Bucket { origin: Timestamp::from_nanos(START + 3), span_nanos: 4 };
    for keys in [
        vec![field("a")],
        vec![field("n")],
        vec![bucket.clone()],
        vec![field("user.name"), bucket, field("a")],
        vec![field("_id")],
        vec![GroupKey::Pattern],
        vec![GroupKey::Pattern, field("a")],
        vec![field("host.name"), field("message")],
        vec![],
    ] {
        let text = |values: &[Value]| format!("{values:?}");
        let mut wanted = std::collections::BTreeMap::<String, u64>::new();
        for event in expected {
            let values: Vec<Value> = keys.iter().map(|key| value_of(event, key)).collect();
            *wanted.entry(text(&values)).or_default() += 1;
        }
        let mut found = std::collections::BTreeMap::<String, u64>::new();
        let mut visit = |values: &[Value], count: u64| {
            *found.entry(text(values)).or_default() += count;
            ControlFlow::Continue(())
        };
        split.tally(request, &keys, &Control::default(), &mut visit).unwrap();
        prop_assert_eq!(found, wanted, "{:?}", keys);
    }
    Ok(())
}

/// Names beyond the limit on columns are left out, and said to be.
fn check_having(split: &Split, expected: &[&Event], request: &Request) -> Result<(), TestCaseError> {
    let mut wanted = std::collections::BTreeMap::<Box<str>, Having>::new();
    for event in expected {
        for (name, _) in event.fields.iter() {
            wanted.entry(name.into()).or_default().field += 1;
        }
        for (label, _) in event.stream.iter().filter(|(label, _)| event.fields.get(label).is_none()) {
            wanted.entry(label.into()).or_default().label += 1;
        }
    }
    let (found, matched) = split.having(request, &Control::default()).unwrap();
    prop_assert_eq!(matched, expected.len() as u64);
    if !split.leaves_names_out().unwrap() {
        let found: Vec<_> = found.into_iter().filter(|(_, having)| *having != Having::default()).collect();
        prop_assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
    }
    Ok(())
}

/// Tests make more templates than a split may have: those it has no room for are told like the others.
fn check_patterns(split: &Split, expected: &[&Event], request: &Request) -> Result<(), TestCaseError> {
    let mut rows = Vec::new();
    let mut visit = |row: PatternRow| match rows.iter_mut().find(|known: &&mut PatternRow| known.id == row.id)
    {
        Some(known) => {
            known.count += row.count;
            (known.first, known.last) = (known.first.min(row.first), known.last.max(row.last));
        }
        None => rows.push(row),
    };
    let matched = split.patterns(request, &Control::default(), &mut visit).unwrap();
    prop_assert_eq!(matched, expected.len() as u64);
    let with_pattern = expected.iter().filter(|event| pattern_of(&event.message).is_some()).count() as u64;
    prop_assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), with_pattern);
    for row in rows {
        let of_pattern = |event: &&&Event| pattern_of(&event.message) == Some((row.id, row.template.clone()));
        let times: Vec<Timestamp> = expected.iter().filter(of_pattern).map(|event| event.filed()).collect();
        prop_assert_eq!(row.count, times.len() as u64);
        prop_assert_eq!((Some(&row.first), Some(&row.last)), (times.iter().min(), times.iter().max()));
        let (at, message) = row.example;
        let is_it = |event: &&Event| {
            event.id == Some(at.id) && event.filed() == at.filed && *event.message == *message
        };
        prop_assert!(expected.iter().filter(of_pattern).any(is_it));
    }
    Ok(())
}

fn requests() -> impl Strategy<Value = Request> {
    let range = prop_oneof![
        3 => Just(Timestamp::MIN..Timestamp::MAX),
        2 => (times(), times()).prop_map(|(from, to)| from..to),
    ];
    (filters(), range).prop_map(|(filter, filed)| Request { filter, filed })
}

fn positions() -> impl Strategy<Value = Position> {
    let sequence = prop_oneof![9 => 1000..1060u64, 1 => Just(u64::MAX)];
    (times(), 6..9u32, sequence)
        .prop_map(|(filed, partition, sequence)| Position { filed, id: EventId::new(partition, sequence) })
}

/// Each case asks 24 requests in eleven ways of two splits. `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(32)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_split_answers_as_the_matcher_does(
        events in partitions(1..40),
        requests in prop::collection::vec((requests(), hints(), positions()), 24),
        cuts in (any::<Index>(), any::<Index>()),
    ) {
        let requests: Vec<(Request, Position)> = requests
            .into_iter()
            .map(|(Request { filter, filed }, hints, after)| {
                let filter = aim(filter, &mut hints.into_iter(), &events);
                (Request { filter, filed }, after)
            })
            .collect();
        let mut folder = Folder::new();
        let written = folder.of_events(&events);
        let (low, high) = (cuts.0.index(events.len() + 1), cuts.1.index(events.len() + 1));
        let (low, high) = (low.min(high), low.max(high));
        let parts = [&events[..low], &events[low..high], &events[high..]];
        let parts: Vec<Split> =
            parts.into_iter().filter(|part| !part.is_empty()).map(|part| folder.of_events(part)).collect();
        let merged = folder.merge(&parts);
        prop_assert_eq!(merged.meta().level, 1);
        for split in [&written, &merged] {
            for (request, after) in &requests {
                check(split, &events, request, *after)?;
            }
            for event in &events {
                let sequence = event.id.unwrap().sequence;
                let got = split.get(sequence).unwrap();
                prop_assert_eq!(got.as_ref(), Some(event));
            }
            prop_assert_eq!(split.get(1).unwrap(), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2000, ..ProptestConfig::default() })]

    /// Taken apart, each part has its events as they were; put together again, all answers are as before.
    #[test]
    fn a_split_that_is_taken_apart_answers_as_before(
        events in partitions(1..40),
        requests in prop::collection::vec((requests(), hints(), positions()), 8),
        first in any::<Index>(),
    ) {
        let aimed = |(Request { filter, filed }, hints, after): (Request, Vec<_>, Position)| {
            (Request { filter: aim(filter, &mut hints.into_iter(), &events), filed }, after)
        };
        let requests: Vec<(Request, Position)> = requests.into_iter().map(aimed).collect();
        let matcher = Matcher::new(&requests[0].0.filter).unwrap();
        let mut folder = Folder::new();
        let whole = folder.of_events(&events);
        let (matching, others): (Vec<Event>, Vec<Event>) =
            events.iter().cloned().partition(|event| matcher.matches(event));
        let parts = folder.sift(&whole, &matcher, true);
        let lists: Vec<&Vec<Event>> = [&matching, &others].into_iter().filter(|list| !list.is_empty()).collect();
        prop_assert_eq!(parts.len(), lists.len());
        for (part, list) in parts.iter().zip(&lists) {
            prop_assert_eq!(&part.meta().sequences, &whole.meta().sequences);
            let first = events[first.index(events.len())].id.unwrap().sequence;
            let mut found = Vec::new();
            let all = Request { filter: Filter::All, filed: Timestamp::MIN..Timestamp::MAX };
            part.each_from(first, &all, &Control::default(), &mut |event| {
                found.push(event);
                ControlFlow::Continue(())
            }).unwrap();
            let expected = list.iter().filter(|event| {
                event.id.unwrap().sequence >= first && event.filed() < Timestamp::MAX
            });
            let mut expected: Vec<Event> = expected.cloned().collect();
            expected.sort_by_key(|event| event.id);
            prop_assert_eq!(found, expected);
            for (request, after) in &requests {
                check(part, list, request, *after)?;
            }
        }
        let again = folder.merge(&parts);
        for (request, after) in &requests {
            check(&again, &events, request, *after)?;
        }
        let only = folder.sift(&whole, &matcher, false);
        let kept: u64 = only.iter().map(|split| split.meta().events).sum();
        prop_assert_eq!(kept, matching.len() as u64);
    }
}
