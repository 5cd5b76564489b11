//! Work ends when it is told to, wherever it is, and holds no more than it may.

use super::*;

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
