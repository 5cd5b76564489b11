//! Queries with pipes, events, and what comes out.

use std::sync::Arc;

use expect_test::{Expect, expect, expect_file};
use locard_event::{Event, EventId, Stream, Timestamp, Value};
use locard_filter::Matcher;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_772_366_400);

fn setting() -> Setting {
    Setting { memory_bytes: 64 << 20, page: 100, filed: Timestamp::MIN..Timestamp::MAX, now: NOW }
}

/// Events a minute apart, the last one at 12:00; fields from JSON, a number one to each event in `n`.
fn events(lines: &[&str]) -> Vec<Event> {
    let stream = Arc::new(Stream::new([("host.name", "node-1"), ("event.dataset", "test")]));
    let count = lines.len() as i64;
    let event = |(index, line): (usize, &&str)| {
        let minutes = index as i64 + 1 - count;
        let mut event = Event::new(
            NOW.plus_nanos(minutes * 60_000_000_000),
            Arc::clone(&stream),
            format!("line {index}"),
        );
        event.id = Some(EventId::new(0, index as u64));
        let Json::Object(members) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        for (name, json) in &members {
            event.fields.set(name.as_str(), value(json));
        }
        event
    };
    lines.iter().enumerate().map(event).collect()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int)
        }
        Json::String(text) => Value::ip_or_str(text),
        Json::Array(elements) => Value::List(elements.iter().map(value).collect()),
        Json::Object(_) => panic!("{json}"),
    }
}

const LOGINS: [&str; 8] = [
    r#"{"user": "root", "ip": "10.0.0.1", "code": 403, "took": 1.5}"#,
    r#"{"user": "root", "ip": "10.0.0.2", "code": 200, "took": 2}"#,
    r#"{"user": "alice", "ip": "10.0.0.1", "code": "200", "took": 4}"#,
    r#"{"user": "root", "ip": "10.0.0.1", "code": 403}"#,
    r#"{"ip": "9.0.0.1", "code": 500, "took": 0.5}"#,
    r#"{"user": ["alice", "bob"], "ip": "10.0.0.1", "code": 200}"#,
    r#"{"user": null, "code": 403}"#,
    r#"{"user": "bob", "ip": "10.0.0.3", "code": 200, "took": 1}"#,
];

/// Feeds what is needed, newest first, as a search does.
fn run(query: &str, events: &[Event], setting: &Setting) -> Result<Outcome, PipeError> {
    let query = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query))).resolve(NOW);
    let matcher = Matcher::new(&query.filter).unwrap();
    let mut pipeline = Pipeline::new(&query.pipes, setting)?;
    let mut found: Vec<&Event> = events.iter().filter(|event| matcher.matches(event)).collect();
    match pipeline.needs() {
        Needs::Count => pipeline.push_count(found.len() as u64),
        Needs::Times => found.iter().try_for_each(|event| pipeline.push_time(event.filed()))?,
        Needs::Events { ordered, at_most } => {
            if ordered {
                found.reverse();
            }
            for event in found.into_iter().take(at_most.unwrap_or(usize::MAX)) {
                if pipeline.push_event(event)? == Flow::Enough {
                    break;
                }
            }
        }
    }
    pipeline.finish()
}

/// A table as lines of cells, events as their shown values.
fn show(outcome: &Outcome) -> String {
    let line = |cells: &[String]| format!("{}\n", cells.join(" | "));
    match outcome {
        Outcome::Table(Table { columns, rows, inexact_because }) => {
            let rows = rows.iter().map(|row| line(&row.iter().map(Json::to_string).collect::<Vec<_>>()));
            let note = inexact_because.iter().map(|reason| format!("{reason}\n"));
            std::iter::once(line(columns)).chain(rows).chain(note).collect()
        }
        Outcome::Events { events, shown, cut } => {
            let named = |event: &Event| {
                let names = ["message", "host.name", "user", "ip", "code"]
                    .into_iter()
                    .filter(|name| shown.shows(name));
                let values: Vec<_> =
                    names.filter_map(|name| event.get(name).map(|value| format!("{name}={value}"))).collect();
                line(&values)
            };
            let note = if *cut { "cut\n" } else { "" };
            events.iter().map(named).chain([note.to_owned()]).collect()
        }
    }
}

#[track_caller]
fn check(query: &str, expected: Expect) {
    expected.assert_eq(&show(&run(query, &events(&LOGINS), &setting()).unwrap()));
}

#[test]
fn stats_are_of_all_or_of_groups() {
    check(
        "* | stats count()",
        expect![[r#"
        count
        8
    "#]],
    );
    check(
        "user:root | stats count() as n, dc(ip), sum(took) avg(took), min(ip), max(_time)",
        expect![[r#"
        n | dc(ip) | sum(took) | avg(took) | min(ip) | max(_time)
        3 | 2 | 3.5 | 1.75 | "10.0.0.1" | "2026-03-01T11:56:00.000Z"
    "#]],
    );
    check(
        "* | stats count() as n, dc(ip) by user",
        expect![[r#"
        user | n | dc(ip)
        "alice" | 2 | 1
        "bob" | 2 | 2
        "root" | 3 | 2
        null | 2 | 1
    "#]],
    );
    check(
        "* | stats count by code, host.name",
        expect![[r#"
        code | host.name | count
        200 | "node-1" | 3
        "200" | "node-1" | 1
        403 | "node-1" | 3
        500 | "node-1" | 1
    "#]],
    );
    check(
        "nothing | stats count(), sum(took), dc(ip), p95(took)",
        expect![[r#"
        count | sum(took) | dc(ip) | p95(took)
        0 | null | 0 | null
    "#]],
    );
    check(
        "nothing | stats count() by user",
        expect![[r#"
        user | count
    "#]],
    );
}

#[test]
fn top_counts_combinations() {
    check(
        "* | top user",
        expect![[r#"
        user | count
        "root" | 3
        "alice" | 2
        "bob" | 2
    "#]],
    );
    check(
        "* | top 2 user, ip",
        expect![[r#"
        user | ip | count
        "alice" | "10.0.0.1" | 2
        "root" | "10.0.0.1" | 2
    "#]],
    );
    check(
        "nothing | top user",
        expect![[r#"
        user | count
    "#]],
    );
}

#[test]
fn charts_have_a_row_a_bucket() {
    check(
        "code:403 | timechart span=2m count()",
        expect![[r#"
        _time | count
        "2026-03-01T11:52:00.000Z" | 1
        "2026-03-01T11:54:00.000Z" | 0
        "2026-03-01T11:56:00.000Z" | 1
        "2026-03-01T11:58:00.000Z" | 1
    "#]],
    );
    check(
        "* | timechart span=4m count() by user limit=2",
        expect![[r#"
        _time | root | alice | other
        "2026-03-01T11:52:00.000Z" | 2 | 1 | 0
        "2026-03-01T11:56:00.000Z" | 1 | 1 | 3
        "2026-03-01T12:00:00.000Z" | 0 | 0 | 1
    "#]],
    );
    check(
        "* | timechart span=1h count() as n, sum(took) by host.name",
        expect![[r#"
        _time | n: node-1 | sum(took): node-1
        "2026-03-01T11:00:00.000Z" | 7 | 8
        "2026-03-01T12:00:00.000Z" | 1 | 1
    "#]],
    );
    check(
        "nothing | timechart span=1m",
        expect![[r#"
        _time | count
    "#]],
    );
}

#[test]
fn the_range_of_time_has_its_buckets_whether_events_or_not() {
    let filter = parse("_time:[2026-03-01T10:30 TO 2026-03-01T12:00]").unwrap().filter.resolve(NOW);
    let setting = Setting { filed: time_range(&filter), ..setting() };
    let shown = |query| show(&run(query, &events(&LOGINS), &setting).unwrap());
    expect![[r#"
        _time | count
        "2026-03-01T10:30:00.000Z" | 0
        "2026-03-01T11:00:00.000Z" | 0
        "2026-03-01T11:30:00.000Z" | 7
        "2026-03-01T12:00:00.000Z" | 1
    "#]]
    .assert_eq(&shown("* | timechart span=30m count()"));
    expect![[r#"
        _time | avg(took)
        "2026-03-01T10:00:00.000Z" | null
        "2026-03-01T11:00:00.000Z" | null
        "2026-03-01T12:00:00.000Z" | null
    "#]]
    .assert_eq(&shown("nothing | timechart span=1h avg(took)"));
}

#[test]
fn a_chart_without_a_span_has_as_many_rows_as_can_be_seen() {
    #[track_caller]
    fn check(hours: i64, rows: usize, first: &str) {
        let filed = NOW.plus_nanos(-hours * 3_600_000_000_000)..NOW.plus_nanos(1);
        let outcome = run("* | timechart", &events(&LOGINS), &Setting { filed, ..setting() }).unwrap();
        let Outcome::Table(table) = outcome else { panic!() };
        let total: i64 = table.rows.iter().map(|row| row[1].as_i64().unwrap()).sum();
        assert_eq!((total, table.rows.len(), table.rows[0][0].as_str().unwrap()), (8, rows, first));
    }
    check(1, 121, "2026-03-01T11:00:00.000Z");
    check(24, 145, "2026-02-28T12:00:00.000Z");
    check(24 * 365, 53, "2025-02-24T00:00:00.000Z");
    // Without a range of time the length follows the events.
    let Outcome::Table(table) = run("* | timechart", &events(&LOGINS), &setting()).unwrap() else { panic!() };
    assert_eq!((table.rows.len(), table.rows[0][0].as_str().unwrap()), (85, "2026-03-01T11:53:00.000Z"));
}

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
fn rows_go_through_the_same_pipes() {
    check(
        "* | stats count() as n by user | sort -n | limit 2",
        expect![[r#"
        user | n
        "root" | 3
        "alice" | 2
    "#]],
    );
    check(
        "* | stats count(), dc(ip) by user | where count>1 | fields dc(ip), user, nothing",
        expect![[r#"
        dc(ip) | user | nothing
        1 | "alice" | null
        2 | "bob" | null
        2 | "root" | null
        1 | null | null
    "#]],
    );
    check(
        "* | stats count() by user, code | stats sum(count) as n, count() by code | sort code",
        expect![[r#"
        code | n | count
        200 | 4 | 3
        "200" | 1 | 1
        403 | 3 | 2
        500 | 1 | 1
    "#]],
    );
    check(
        r#"* | stats dc(ip) by user | where "dc(ip)">1 | sort -dc(ip), user"#,
        expect![[r#"
        user | dc(ip)
        "bob" | 2
        "root" | 2
    "#]],
    );
    check(
        "* | top user | fields -count | limit 1",
        expect![[r#"
        user
        "root"
    "#]],
    );
    check(
        "* | timechart span=4m count() | timechart span=1h sum(count) as n",
        expect![[r#"
        _time | n
        "2026-03-01T11:00:00.000Z" | 7
        "2026-03-01T12:00:00.000Z" | 1
    "#]],
    );
    check(
        "* | stats count() by user | top code",
        expect![[r#"
        code | count
    "#]],
    );
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
    check("a", events(true, None), true);
    check("a | fields b", events(true, None), true);
    check("a | where b", events(true, None), true);
    check("a | limit 5", events(true, Some(5)), false);
    check("a | fields b | where b:c", events(true, None), false);
    check("a | limit 5 | stats count()", events(true, Some(5)), false);
    check("a | stats count() as n, count()", Needs::Count, false);
    check("a | fields b | stats count()", Needs::Count, false);
    check("a | stats count(b)", events(false, None), false);
    check("a | timechart span=1m count() limit=5", Needs::Times, false);
    check("a | timechart span=1m count() by b", events(false, None), false);
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
        ("* | top n", "top"),
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

#[test]
fn functions_are_bounded() {
    for query in ["* | stats", "* | timechart span=1s"] {
        assert!(parse(&format!("{query}{}", " count".repeat(32))).is_ok());
        let error = parse(&format!("{query}{}", " count".repeat(10_900))).unwrap_err();
        let end = query.len() + 33 * " count".len();
        assert_eq!(error.span, end - "count".len()..end, "{error}");
        assert!(error.hint.is_some());
    }
}

#[test]
fn a_chart_that_would_not_fit_is_refused_before_it_is_drawn() {
    let filed = NOW.plus_nanos(-15_000 * 1_000_000_000)..NOW;
    let setting = Setting { filed, memory_bytes: 10 << 20, ..setting() };
    let run = |query: &str| run(query, &events(&LOGINS), &setting).map(|_| ());
    assert_eq!(run("* | timechart span=1s count"), Ok(()));
    let refused = Err(PipeError::Memory { pipe: "timechart", limit_bytes: 10 << 20 });
    assert_eq!(run(&format!("* | timechart span=1s {}", "count ".repeat(30))), refused);
    assert_eq!(
        run(&format!("* | stats max(_time) as _time | timechart span=1s {}", "count ".repeat(30))),
        refused
    );
}

#[test]
fn a_column_named_often_is_counted_as_often() {
    let setting = Setting { memory_bytes: 100_000, ..setting() };
    let long = format!(r#"{{"text": "{}"}}"#, "x".repeat(1_000));
    let run = |names: usize| {
        let query = format!("* | stats max(text) as t | fields {}", vec!["t"; names].join(","));
        run(&query, &events(&[&long]), &setting).map(|_| ())
    };
    assert_eq!(run(50), Ok(()));
    assert_eq!(run(100), Err(PipeError::Memory { pipe: "fields", limit_bytes: 100_000 }));
}

#[test]
fn pipes_and_what_their_filters_cost_are_bounded() {
    #[track_caller]
    fn check(query: &str, expected: Result<(), (usize, &str)>) {
        let error = parse(query).map(|_| ()).map_err(|error| (error.span.start, error.message));
        assert_eq!(error, expected.map_err(|(at, message)| (at, message.to_owned())));
    }
    check(&format!("*{}", "|where a".repeat(32)), Ok(()));
    check(&format!("*{}", "|where a".repeat(33)), Err((265, "more than 32 pipes")));
    check(&format!("/a/{}", "|where /a/".repeat(15)), Ok(()));
    check(
        &format!("/a/{}|stats count|where /a/", "|where /a/".repeat(15)),
        Err((175, "more than 16 regular expressions")),
    );
}

#[test]
fn a_column_is_itself_whatever_its_name() {
    #[track_caller]
    fn check(stats: &str, condition: &str, rows: usize) {
        let query = format!("* | stats {stats} | where {condition}");
        let Outcome::Table(table) = run(&query, &events(&LOGINS), &setting()).unwrap() else { panic!() };
        assert_eq!(table.rows.len(), rows, "{query}");
    }
    check("count() by message", r#"message:"line 3""#, 1);
    check("count() by message", r#"message="line 3""#, 1);
    check("count() by message", "message:/line [1-3]/", 3);
    check("count() by message", "NOT message:3", 7);
    check("count() by _id", "_id=0-5", 1);
    check("count() by _id", "_id!=0-5", 7);
    check("count() by _stream", "_stream:*", 1);
    check("count() by _stream", "_stream=00000000000000000000000000000000", 0);
    check("count() by @timestamp", "@timestamp>=2026-03-01T11:58:00Z", 3);
    check("count() by @timestamp", "_time>=2026-03-01T11:58:00Z", 3);
    check("count() by _time", "@timestamp<2026-03-01T11:58:00Z", 5);
    check("count(), max(_time) as event.ingested by code", "event.ingested>=2026-03-01T11:59:00Z", 2);
    check("count() by message", "count>0 line", 8);
}

#[test]
fn what_follows_a_sort_gets_all_of_it() {
    let lines: Vec<String> = (0..50).map(|n| format!(r#"{{"code": {n}, "user": "u{}"}}"#, n % 2)).collect();
    let events = events(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let setting = Setting { page: 3, ..setting() };
    #[track_caller]
    fn check(query: &str, events: &[Event], setting: &Setting, codes: &[i64], is_cut: bool) {
        let Outcome::Events { events, cut, .. } = run(query, events, setting).unwrap() else { panic!() };
        let found: Vec<_> = events.iter().map(|event| event.fields.get("code").cloned().unwrap()).collect();
        let codes: Vec<Value> = codes.iter().map(|code| Value::from(*code)).collect();
        assert_eq!((found, cut), (codes, is_cut), "{query}");
    }
    check("* | sort code | where code>46", &events, &setting, &[47, 48, 49], false);
    check("* | sort code | where user:u1", &events, &setting, &[1, 3, 5], true);
    check("* | sort code | where user:u1 | limit 4", &events, &setting, &[1, 3, 5, 7], false);
    check("* | sort code | where code>20 | sort -code", &events, &setting, &[49, 48, 47], true);
    check("* | sort code | where code>46 | sort -code", &events, &setting, &[49, 48, 47], false);
}

#[test]
fn buckets_are_bounded() {
    let years = Setting { filed: Timestamp::from_seconds(0)..NOW, ..setting() };
    let error =
        Pipeline::new(&parse("* | timechart span=1m").unwrap().pipes, &years).map(|_| ()).unwrap_err();
    assert_eq!(error, PipeError::Buckets { buckets: 29_539_440, limit: 20_000 });
    assert!(
        Pipeline::new(&parse("* | timechart").unwrap().pipes, &years).is_ok(),
        "a length of its own choice fits"
    );
}

#[test]
fn many_different_values_are_estimated_and_said_to_be() {
    let stream = Arc::new(Stream::new([("a", "b")]));
    let mut pipeline = Pipeline::new(&parse("* | stats dc(n)").unwrap().pipes, &setting()).unwrap();
    for n in 0..120_000i64 {
        let mut event = Event::new(NOW, Arc::clone(&stream), "");
        event.fields.set("n", n);
        pipeline.push_event(&event).unwrap();
    }
    let Outcome::Table(table) = pipeline.finish().unwrap() else { panic!() };
    let count = table.rows[0][0].as_f64().unwrap();
    assert!((count / 120_000.0 - 1.0).abs() < 0.03, "{count}");
    assert_eq!(
        table.inexact_because.as_deref(),
        Some("dc(n) has more than 100000 different values: estimated, standard error 0.8 %")
    );
}

/// `errors.txt` is a list of paragraphs: a query, then what is said of it. To add one, write the query and a blank line, and run
/// the test with `UPDATE_EXPECT=1`.
#[test]
fn every_mistake_is_explained() {
    let explain = |query: &str| {
        let error = parse(query).expect_err(query);
        assert!(query.get(error.span.clone()).is_some(), "{query}: span {:?}", error.span);
        error.render(query)
    };
    let paragraphs = include_str!("errors.txt").split("\n\n");
    let explained: Vec<_> =
        paragraphs.filter_map(|paragraph| paragraph.lines().next()).map(explain).collect();
    expect_file!["errors.txt"].assert_eq(&explained.join("\n"));
}

#[test]
fn the_examples_of_the_manual_are_as_it_says() {
    let manual = include_str!("../../../docs/query-language.md");
    let blocks = |kind: &str| {
        let fence = format!("```{kind}\n");
        let blocks = manual.split(fence.as_str()).skip(1).filter_map(|block| block.split("```").next());
        blocks.flat_map(str::lines).map(str::to_owned).collect::<Vec<_>>()
    };
    let (good, bad) = (blocks("query"), blocks("error"));
    assert!(good.len() > 30 && bad.len() > 5, "{} good, {} bad", good.len(), bad.len());
    for query in good {
        parse(&query).unwrap_or_else(|error| panic!("{}", error.render(&query)));
    }
    for query in bad {
        assert!(parse(&query).is_err(), "{query}");
    }
    assert!(manual.contains(&parse("user.name: root").unwrap_err().render("user.name: root")));
}

#[test]
fn pipes_read_as_written() {
    #[track_caller]
    fn check(query: &str, expected: Expect) {
        expected.assert_eq(&format!("{:?}\n", parse(query).unwrap().pipes));
    }
    check(
        "* | stats count() as n, percentile(took, 99.9) by kubernetes.namespace, a\\ b",
        expect![[r#"
        [Stats(Stats { aggregates: [Aggregate { function: Count, field: None, name: "n" }, Aggregate { function: Percentile(99.9), field: Some("took"), name: "percentile(took, 99.9)" }], by: ["kubernetes.namespace", "a b"] })]
    "#]],
    );
    check(
        "* | TOP user.name, \"odd name\" | limit 5|fields -a,b",
        expect![[r#"
        [Top(Top { limit: 10, fields: ["user.name", "odd name"] }), Limit(5), Fields(Drop(["a", "b"]))]
    "#]],
    );
    let joined = parse("a OR b | where c OR d | where e").unwrap();
    assert_eq!((joined.filter.to_string().as_str(), joined.pipes.len()), ("(a OR b) (c OR d) e", 0));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(pieces in proptest::collection::vec(piece(), 0..14)) {
        let text = pieces.concat();
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?} of {}", error.span, text);
        }
    }

    /// Any order of events, and any way of feeding them, gives the same rows.
    #[test]
    fn order_does_not_matter(events in shuffled(), query in queries()) {
        let straight = run(query, &events_of(&events), &setting()).unwrap();
        let mut sorted = events.clone();
        sorted.sort();
        prop_assert_eq!(show(&straight), show(&run(query, &events_of(&sorted), &setting()).unwrap()));
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        " ",
        "|",
        "| ",
        "stats",
        "top",
        "timechart",
        "sort",
        "limit",
        "fields",
        "where",
        " by ",
        " as ",
        "count",
        "(",
        ")",
        "dc",
        "p95",
        ",",
        "a.b",
        "\"",
        "\\",
        "-",
        "span=",
        "limit=",
        "5",
        "15m",
        "é",
        "=",
        "perc",
    ])
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
