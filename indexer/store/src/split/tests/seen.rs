//! What counts and what is seen: whole columns, and events that came later.

use super::*;

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
