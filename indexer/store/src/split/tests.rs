//! The plan on a split against the matcher on its events, and what damage does.

use std::path::PathBuf;

use locard_event::Value;
use locard_filter::{Comparison, Matcher, Predicate, Test};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::testing::{START, aim, filters, hints, partitions, times};

/// Splits in a folder that goes with it.
struct Folder {
    folder: tempfile::TempDir,
    next: u32,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), next: 0 }
    }

    fn made(
        &mut self,
        make: impl FnOnce(&std::path::Path) -> Result<SplitMeta, Error>,
    ) -> (SplitMeta, PathBuf) {
        self.next += 1;
        let path = self.folder.path().join(self.next.to_string());
        let meta = make(&path).unwrap();
        assert_eq!(meta.bytes, path.metadata().unwrap().len());
        (meta, path)
    }

    fn make(&mut self, events: Vec<Event>) -> (SplitMeta, PathBuf) {
        let created = Timestamp::from_nanos(START);
        self.made(|path| write(path, &[events.into()], None, Class::default(), created, &Arc::default()))
    }

    fn merge(&mut self, parts: &[Split]) -> Split {
        let (meta, path) =
            self.made(|path| merge(path, parts, Timestamp::from_nanos(START), &Arc::default()));
        open(&meta, path).unwrap()
    }

    /// Takes a split apart: those that match, and the others if they are wanted.
    fn sift(&mut self, source: &Split, matcher: &Matcher, others: bool) -> Vec<Split> {
        self.next += 1;
        let path = self.folder.path().join(self.next.to_string());
        std::fs::create_dir(&path).unwrap();
        let task = Sift {
            folder: &path,
            source,
            classes: vec![source.meta().class.clone(); 2],
            created: Timestamp::from_nanos(START),
            cache: Cache::new(1 << 20),
            control: &Arc::default(),
        };
        let which = |event: &Event| if matcher.matches(event) { Some(0) } else { others.then_some(1) };
        let made = sift(&task, &which).unwrap();
        made.into_iter().map(|(meta, path)| open(&meta, path).unwrap()).collect()
    }

    fn of_events(&mut self, events: &[Event]) -> Split {
        let (meta, path) = self.make(events.to_vec());
        open(&meta, path).unwrap()
    }
}

fn open(meta: &SplitMeta, path: PathBuf) -> Result<Split, Error> {
    Split::open(meta, LocalObject::at(path), &Cache::new(1 << 20))
}

/// Stops the work at every check it makes, one after the other, until it runs to its end; says how many checks that were.
fn checks(
    folder: &std::path::Path,
    work: impl Fn(&std::path::Path, &Arc<Control>) -> Result<SplitMeta, Error>,
) -> u64 {
    let path = folder.join("stopped");
    for checks in 0.. {
        let done = work(&path, &Arc::new(Control::after_checks(checks)));
        std::fs::remove_file(&path).unwrap();
        match done {
            Ok(_) => return checks,
            Err(error) => assert!(matches!(error, Error::Stopped(_)), "{checks}: {error:?}"),
        }
    }
    unreachable!("every number was tried");
}

#[test]
fn writing_and_merging_end_early_wherever_they_are() {
    let mut folder = Folder::new();
    let at = Timestamp::from_nanos(START);
    let event = |sequence: u64| {
        let stream = Arc::new(locard_event::Stream::new([("host.name", "n")]));
        let mut event =
            Event::new(at.plus_nanos(sequence as i64), stream, format!("line {sequence} of n{sequence}"));
        (event.id, event.ingested) = (Some(EventId::new(0, sequence)), Some(at));
        event
    };
    let parts: Vec<Split> = [0..50, 50..100]
        .map(|range: Range<u64>| folder.of_events(&range.map(event).collect::<Vec<_>>()))
        .into();
    let chunks =
        |splits: &[Split]| splits.iter().map(|split| split.reader().chunks().len() as u64).sum::<u64>();
    let place = tempfile::tempdir().unwrap();
    let events: Arc<[Event]> = (0..100).map(event).collect();
    let written = checks(place.path(), |path, control| {
        write(path, &[Arc::clone(&events)], None, Class::default(), at, control)
    });
    let whole = [folder.of_events(&events)];
    assert!(written > 3 * chunks(&whole), "{written} checks");
    let merged = checks(place.path(), |path, control| merge(path, &parts, at, control));
    assert!(merged > 2 * chunks(&parts), "{merged} checks");
}

fn position(event: &Event) -> Position {
    Position { filed: event.filed(), id: event.id.unwrap() }
}

fn ids<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<u64> {
    events.into_iter().map(|event| event.id.unwrap().sequence).collect()
}

/// What the matcher says, in descending order.
fn expected<'a>(events: &'a [Event], request: &Request) -> Vec<&'a Event> {
    let matcher = Matcher::new(&request.filter).unwrap();
    let is_in = |event: &&Event| request.filed.contains(&event.filed()) && matcher.matches(event);
    let mut found: Vec<&Event> = events.iter().filter(is_in).collect();
    found.sort_by_key(|event| std::cmp::Reverse(position(event)));
    found
}

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

/// The value of one key, from the event itself.
fn value_of(event: &Event, key: &GroupKey) -> Value {
    match key {
        GroupKey::Field(name) => event.get(name).map_or(Value::Null, std::borrow::Cow::into_owned),
        GroupKey::Bucket { origin, span_nanos } => {
            Value::Int(tally::bucket_of(event.filed(), *origin, *span_nanos))
        }
        GroupKey::Pattern => {
            pattern_of(&event.message).map_or(Value::Null, |(id, _)| Value::str(format!("{id:016x}")))
        }
    }
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

/// Values that are equal, or nearly, in other spellings and other types.
fn near_values() -> Vec<Value> {
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

/// Enough events for several pages of everything.
fn many_events(count: u64) -> Vec<Event> {
    let stream = std::sync::Arc::new(locard_event::Stream::new([("host.name", "node-1")]));
    (0..count)
        .map(|at| {
            // Multiplied so that nothing compresses to less than a page.
            let noise = at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let time = Timestamp::from_nanos(START + (at ^ 3) as i64 * 1000);
            let mut event =
                Event::new(time, Arc::clone(&stream), format!("failed password {noise:x} from 10.0.0.{at}"));
            event.id = Some(EventId::new(0, at));
            event.ingested = Some(Timestamp::from_nanos(START));
            event.fields.set("trace.id", format!("{:x}", noise.rotate_left(17)));
            event.fields.set("n", at as i64);
            event
        })
        .collect()
}

/// All that a damaged split may answer: what it would answer whole, or that it is corrupt.
fn answers(split: &Split, last: u64) -> Result<String, Error> {
    let control = Control::default();
    let mut said = String::new();
    for text in
        ["failed", "password 0", "10.0.0.7", "n=5", "trace.id:*", "n>10", "/fail.*7/", "NOT host.name:node"]
    {
        let filter = locard_filter::parse(text).unwrap();
        let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
        let top = split.top(&request, Order::Descending, None, 3, usize::MAX, &control)?;
        said += &format!("{text} {} {:?};", top.matched, ids(&top.events));
        split.times(&request, &control, &mut |time| said += &format!("{} ", time.nanos()))?;
    }
    said += &format!("{:?}", split.get(last)?.map(|event| event.message));
    Ok(said)
}

#[test]
fn no_flipped_bit_changes_an_answer() {
    let mut folder = Folder::new();
    let events = many_events(600);
    let (meta, path) = folder.make(events);
    let good = std::fs::read(&path).unwrap();
    let truth = answers(&open(&meta, path.clone()).unwrap(), 599).unwrap();
    let mut corrupt = 0;
    let mut seed = 7u64;
    let random = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % good.len()
    });
    for at in random.take(500).chain(good.len() - 40..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        let opened = open(&meta, path.clone());
        match opened.and_then(|split| answers(&split, 599)) {
            Ok(said) => assert_eq!(said, truth, "byte {at}"),
            Err(Error::Corrupt { split, .. }) => {
                assert_eq!(split, meta.id);
                corrupt += 1;
            }
            Err(other) => panic!("byte {at}: {other:?}"),
        }
    }
    assert!(corrupt > 400, "only {corrupt} flips were seen");
}

#[test]
fn a_cut_split_is_corrupt_before_and_after_it_is_opened() {
    let mut folder = Folder::new();
    let (meta, path) = folder.make(many_events(600));
    let good = std::fs::read(&path).unwrap();
    let truth = answers(&open(&meta, path.clone()).unwrap(), 599).unwrap();
    for length in (0..good.len()).step_by(good.len() / 50) {
        std::fs::write(&path, &good).unwrap();
        let whole = open(&meta, path.clone()).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length as u64).unwrap();
        // What was read on opening is not needed again.
        let said = answers(&whole, 599);
        assert!(matches!(&said, Err(Error::Corrupt { .. })) || said.unwrap() == truth, "{length}");
        let reopened = open(&meta, path.clone());
        assert!(matches!(reopened, Err(Error::Corrupt { .. })), "{length}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(open(&meta, path), Err(Error::NotFound)));
}

#[test]
fn an_object_under_another_name_is_not_that_split() {
    let mut folder = Folder::new();
    let (one, _) = folder.make(many_events(3));
    let (_, other) = folder.make(many_events(3));
    assert!(matches!(open(&one, other), Err(Error::Corrupt { .. })));
}

#[test]
fn a_whole_column_is_counted_with_those_that_lack_it() {
    let mut events = many_events(60);
    for (at, event) in events.iter_mut().enumerate().filter(|(at, _)| at % 3 > 0) {
        event.fields.set("kind", ["a", "b"][at % 2]);
    }
    let split = Folder::new().of_events(&events);
    let request = Request { filter: locard_filter::Filter::All, filed: Timestamp::MIN..Timestamp::MAX };
    let expected: Vec<&Event> = events.iter().collect();
    for key in [
        GroupKey::Field("kind".into()),
        GroupKey::Bucket { origin: Timestamp::from_nanos(START), span_nanos: 7_000 },
    ] {
        let control = Control::default();
        let mut found = std::collections::BTreeMap::<String, u64>::new();
        let mut visit = |values: &[Value], count: u64| {
            *found.entry(format!("{values:?}")).or_default() += count;
            ControlFlow::Continue(())
        };
        split.tally(&request, std::slice::from_ref(&key), &control, &mut visit).unwrap();
        let mut wanted = std::collections::BTreeMap::<String, u64>::new();
        for event in &expected {
            *wanted.entry(format!("{:?}", [value_of(event, &key)])).or_default() += 1;
        }
        assert_eq!((found, control.events_scanned()), (wanted, 0), "{key:?}");
    }
}

#[test]
fn no_more_is_held_than_may_be() {
    let split = Folder::new().of_events(&many_events(60));
    let request = Request { filter: locard_filter::Filter::All, filed: Timestamp::MIN..Timestamp::MAX };
    let top = |bytes| split.top(&request, Order::Descending, None, 50, bytes, &Control::default()).unwrap();
    let (all, few, one) = (top(usize::MAX), top(2_000), top(0));
    assert_eq!((all.events.len(), all.cut, all.matched), (50, false, 60));
    assert!(few.cut && (2..20).contains(&few.events.len()) && all.events.starts_with(&few.events));
    assert_eq!((one.events.len(), one.cut, one.matched), (1, true, 60));
}

#[test]
fn what_came_later_is_not_seen() {
    let events = many_events(60);
    let whole = Folder::new().of_events(&events);
    let sequence = |event: &Event| event.id.map_or(0, |id| id.sequence);
    let middle = sequence(&events[25]);
    let split = whole.below(middle);
    let control = Control::default();
    for text in ["*", "NOT nothing", "kind:*"] {
        let filter = locard_filter::parse(text).unwrap();
        let matcher = Matcher::new(&filter).unwrap();
        let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
        let known = |event: &&Event| sequence(event) < middle && matcher.matches(event);
        let expected = events.iter().filter(known).count();
        assert!(expected < 60, "{text}");
        assert_eq!(split.count(&request, &control).unwrap(), expected as u64, "{text}");
        let top = split.top(&request, Order::Ascending, None, 100, usize::MAX, &control).unwrap();
        assert_eq!((top.events.len(), top.matched), (expected, expected as u64), "{text}");
        let mut tallied = 0;
        let mut visit = |_: &[Value], count: u64| {
            tallied += count;
            ControlFlow::Continue(())
        };
        split.tally(&request, &[GroupKey::Field("kind".into())], &control, &mut visit).unwrap();
        assert_eq!(tallied, expected as u64, "{text}");
        assert_eq!(
            whole.count(&request, &control).unwrap() as usize,
            events.iter().filter(|event| matcher.matches(event)).count()
        );
    }
}

#[test]
fn a_search_stops_when_told() {
    let mut folder = Folder::new();
    let split = folder.of_events(&many_events(600));
    let filter = locard_filter::parse("/nothing/").unwrap();
    let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
    let control = Control::default();
    control.cancel();
    let stopped = split.top(&request, Order::Descending, None, 1, usize::MAX, &control);
    assert!(matches!(stopped, Err(Error::Stopped(crate::Stop::Cancelled))));
}

/// What the plan costs, in events looked at one by one.
#[track_caller]
fn check_cost(split: &Split, text: &str, matched: u64, scanned: u64) {
    let control = Control::default();
    let filter = locard_filter::parse(text).unwrap();
    let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
    let top = split.top(&request, Order::Descending, None, 2, usize::MAX, &control).unwrap();
    assert_eq!((top.matched, control.events_scanned()), (matched, scanned), "{text}");
}

#[test]
fn only_what_the_index_leaves_open_is_read() {
    let mut folder = Folder::new();
    let split = folder.of_events(&many_events(600));
    check_cost(&split, "*", 600, 2);
    check_cost(&split, "\"failed password\"", 600, 2);
    check_cost(&split, "NOT \"failed password\"", 0, 0);
    check_cost(&split, "n=5", 1, 1);
    check_cost(&split, "n>=590", 10, 2);
    check_cost(&split, "host.name:node", 600, 2);
    check_cost(&split, "host.name:nobody", 0, 0);
    check_cost(&split, "pass*", 600, 2);
    check_cost(&split, "\"failed  password\"", 0, 0);
    check_cost(&split, "\"password failed\"", 0, 0);
}

/// At most the chunks whose filters cannot say no are looked at.
#[track_caller]
fn check_cost_at_most(split: &Split, text: &str, matched: u64, scanned: u64) {
    let control = Control::default();
    let request =
        Request { filter: locard_filter::parse(text).unwrap(), filed: Timestamp::MIN..Timestamp::MAX };
    let top = split.top(&request, Order::Descending, None, 2, usize::MAX, &control).unwrap();
    assert_eq!(top.matched, matched, "{text}");
    assert!(control.events_scanned() <= scanned, "{text}: {}", control.events_scanned());
}

#[test]
fn a_needle_is_looked_for_in_few_chunks() {
    let mut folder = Folder::new();
    let split = folder.of_events(&many_events(600));
    check_cost_at_most(&split, "10.0.0.7", 1, 30);
    check_cost_at_most(&split, "/10.0.0.7$/ AND n=7", 1, 2);
    let trace = format!("{:x}", 7u64.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17));
    check_cost_at_most(&split, &trace, 1, 30);
    check_cost_at_most(&split, &format!("trace.id={trace}"), 1, 30);
    check_cost_at_most(&split, "trace.id=nothing", 0, 30);
}

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// Events that need every part of the format.
fn golden_events() -> Vec<Event> {
    let mut events = many_events(40);
    for (event, value) in events.iter_mut().zip(near_values()) {
        event.fields.set("a", value);
    }
    for event in events.iter_mut().skip(30) {
        event.time = Timestamp::from_nanos(5);
        event.message = ::bytes::Bytes::from_static(b"caf\xe9 failed password /tmp/kinsing");
    }
    events
}

/// What a split of this version says, and those that are cut or changed. `UPDATE=1` writes the files anew: after a change of the format.
#[test]
fn the_format_is_what_it_was() {
    let whole = PathBuf::from(GOLDEN).join("whole.split");
    if std::env::var_os("UPDATE").is_some() {
        let mut folder = Folder::new();
        let (_, path) = folder.make(golden_events());
        let good = std::fs::read(path).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() / 3] ^= 16;
        std::fs::create_dir_all(GOLDEN).unwrap();
        std::fs::write(&whole, &good).unwrap();
        std::fs::write(PathBuf::from(GOLDEN).join("cut.split"), &good[..good.len() / 2]).unwrap();
        std::fs::write(PathBuf::from(GOLDEN).join("flipped.split"), flipped).unwrap();
    }
    let meta = golden_meta(&whole);
    let split = open(&meta, whole).unwrap();
    let mut found = Vec::new();
    split.everything(&mut |event| found.push(event)).unwrap();
    found.sort_by_key(|event| event.id);
    assert!(found == golden_events(), "an event differs");
    assert!(matches!(open(&meta, PathBuf::from(GOLDEN).join("cut.split")), Err(Error::Corrupt { .. })));
    let flipped = open(&meta, PathBuf::from(GOLDEN).join("flipped.split"));
    let read = flipped.and_then(|split| split.everything(&mut |_| {}));
    assert!(matches!(read, Err(Error::Corrupt { .. })), "{read:?}");
}

/// What the catalog would say of an object: what it says of itself.
fn golden_meta(path: &std::path::Path) -> SplitMeta {
    let header = Object::open(path).unwrap().header().clone();
    SplitMeta {
        id: header.id,
        partition: header.partition,
        sequences: header.sequences,
        events: header.events,
        filed: header.filed,
        bytes: path.metadata().unwrap().len(),
        created: Timestamp::from_nanos(START),
        level: 0,
        class: Class::default(),
    }
}
