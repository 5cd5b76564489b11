//! Pipes one after another, `where` and `limit` among them: queries, events, what must be fed, and what comes out.

use std::sync::Arc;

use expect_test::expect;
use locard_event::{Event, Stream, Timestamp};
use locard_store::GroupKey;
use proptest::prelude::*;

use crate::pipe::testing::{LOGINS, NOW, check, events, run, setting, show};
use crate::pipe::{Needs, PipeError, Pipeline, Setting, parse};

#[test]
fn events_are_sorted_cut_and_projected() {
    check(
        "* | limit 2",
        expect![[r#"
        message=line 7 | host.name=node-1 | user=bob | ip=10.0.0.3 | code=200
        message=line 6 | host.name=node-1 | user= | code=403
    "#]],
    );
    check(
        "* | sort ip, -code | fields ip, code",
        expect![[r#"
        ip=9.0.0.1 | code=500
        ip=10.0.0.1 | code=403
        ip=10.0.0.1 | code=403
        ip=10.0.0.1 | code=200
        ip=10.0.0.1 | code=200
        ip=10.0.0.2 | code=200
        ip=10.0.0.3 | code=200
        code=403
    "#]],
    );
    check(
        "* | sort -user desc | limit 3 | fields -message, host.name",
        expect![[r#"
            user=root | ip=10.0.0.1 | code=403
            user=root | ip=10.0.0.2 | code=200
            user=root | ip=10.0.0.1 | code=403
        "#]],
    );
    check(
        "* | where code:200 | limit 1",
        expect![[r#"
        message=line 7 | host.name=node-1 | user=bob | ip=10.0.0.3 | code=200
    "#]],
    );
    check(
        "* | limit 4 | where code=200 | fields code",
        expect![[r#"
        code=200
        code=200
    "#]],
    );
    check(
        "* | limit 4 | stats count() by code",
        expect![[r#"
        code | count
        200 | 2
        403 | 1
        500 | 1
    "#]],
    );
    check(
        "* | fields -user | stats count() by user",
        expect![[r#"
        user | count
        null | 8
    "#]],
    );
    check(
        "* | sort took | limit 3 | stats sum(took), count()",
        expect![[r#"
        sum(took) | count
        3 | 3
    "#]],
    );
    check("* | limit 0", expect![[r#""#]]);
}

#[test]
fn a_page_limits_what_no_pipe_limits() {
    let setting = Setting { page: 3, ..setting() };
    let shown = |query| show(&run(query, &events(&LOGINS), &setting).unwrap());
    expect![[r#"
        code=200
        code=403
        code=200
    "#]]
    .assert_eq(&shown("* | fields code"));
    expect![[r#"
        code=200
        code=200
        code=200
        cut
    "#]]
    .assert_eq(&shown("* | sort code, message | fields code"));
    expect![[r#"
        code=200
        code=200
        code=200
        code=200
    "#]]
    .assert_eq(&shown("* | sort code, message | fields code | limit 4"));
    expect![[r#"
        code=200
        code=403
        code=200
        code=500
        code=403
    "#]]
    .assert_eq(&shown("* | limit 5 | fields code"));
}

#[test]
fn what_must_be_fed_is_no_more_than_needed() {
    #[track_caller]
    fn check(query: &str, expected: Needs, page: bool) {
        let pipeline = Pipeline::new(&parse(query).unwrap().pipes, &setting()).unwrap();
        assert_eq!((pipeline.needs(), pipeline.is_page()), (expected, page), "{query}");
    }
    let events = |ordered, at_most| Needs::Events { ordered, at_most };
    let field = |name: &str| GroupKey::Field(name.into());
    let fields = |names: &[&str]| Needs::Groups(names.iter().map(|name| field(name)).collect());
    let chart = |names: &[&str]| {
        let bucket = GroupKey::Bucket { origin: Timestamp::from_nanos(0), span_nanos: 60_000_000_000 };
        Needs::Groups([bucket].into_iter().chain(names.iter().map(|name| field(name))).collect())
    };
    check("a", events(true, None), true);
    check("a | fields b", events(true, None), true);
    check("a | where b", events(true, None), true);
    check("a | limit 5", events(true, Some(5)), false);
    check("a | fields b | where b:c", events(true, None), false);
    check("a | limit 5 | stats count()", events(true, Some(5)), false);
    check("a | stats count() as n, count()", Needs::Count, false);
    check("a | fields b | stats count()", Needs::Count, false);
    check("a | stats count(b)", fields(&["b"]), false);
    check("a | stats dc(b), sum(c), count() by c, d", fields(&["c", "d", "b"]), false);
    check("a | fields -c | stats sum(c), count() by d", fields(&["d"]), false);
    check("a | stats count() by _pattern", Needs::Groups(vec![GroupKey::Pattern]), false);
    check("a | top b, c", fields(&["b", "c"]), false);
    check("a | timechart span=1m count() limit=5", chart(&[]), false);
    check("a | timechart span=1m p50(c) by b", chart(&["b", "c"]), false);
    check("a | patterns", Needs::Patterns, false);
    check("a | fields b | where c | patterns new", events(false, None), false);
    check("a | sort b", events(false, None), false);
}

#[test]
fn memory_is_bounded() {
    let lines: Vec<String> =
        (0..200).map(|n| format!(r#"{{"n": {n}, "text": "{}"}}"#, "x".repeat(500))).collect();
    let events = events(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let setting = Setting { memory_bytes: 30_000, ..setting() };
    for (query, pipe) in [
        ("* | stats count() by n", "stats"),
        ("* | stats dc(n)", ""),
        ("* | stats p50(n) by text", ""),
        ("* | top n, text", "top"),
        ("* | sort n", "sort"),
        ("* | sort n | limit 5", ""),
        ("* | timechart span=1m dc(text) by n", "timechart"),
        ("* | limit 100", "limit"),
    ] {
        let expected = match pipe {
            "" => Ok(()),
            pipe => Err(PipeError::Memory { pipe, limit_bytes: 30_000 }),
        };
        assert_eq!(run(query, &events, &setting).map(|_| ()), expected, "{query}");
    }
    let error = PipeError::Memory { pipe: "sort", limit_bytes: 30_000 };
    assert_eq!(
        error.to_string(),
        "the pipe `sort` needs more than 30000 bytes of memory (limits.search_bytes)"
    );
}

proptest! {
    /// Any order of events, and any way of feeding them, gives the same rows.
    #[test]
    fn order_does_not_matter(events in shuffled(), query in queries()) {
        let straight = run(query, &events_of(&events), &setting()).unwrap();
        let mut sorted = events.clone();
        sorted.sort();
        prop_assert_eq!(show(&straight), show(&run(query, &events_of(&sorted), &setting()).unwrap()));
    }
}

fn queries() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "* | stats count() as n, sum(n), min(n), max(n), p50(n), dc(n) by a",
        "* | top 3 a",
        "* | timechart count() by a limit=2",
        "* | timechart span=1m count()",
        "* | sort a, -n | limit 4",
    ])
}

/// An event's minute, and its values.
type Seed = (i64, i64, i64);

fn shuffled() -> impl Strategy<Value = Vec<Seed>> {
    proptest::collection::vec((0..5000i64, 0..4i64, 0..9i64), 0..30)
}

fn events_of(seeds: &[Seed]) -> Vec<Event> {
    let stream = Arc::new(Stream::new([("a", "label")]));
    let event = |&(minute, a, n): &Seed| {
        let mut event =
            Event::new(NOW.plus_nanos(-minute * 60_000_000_000), Arc::clone(&stream), format!("{a} {n}"));
        event.fields.set("n", n);
        event.fields.set("a", a);
        event
    };
    seeds.iter().map(event).collect()
}
