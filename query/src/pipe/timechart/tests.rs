//! `timechart`: queries, events, and what comes out.

use expect_test::expect;
use locard_event::Timestamp;

use crate::pipe::testing::{LOGINS, NOW, check, events, run, setting, show};
use crate::pipe::{Outcome, PipeError, Pipeline, Setting, parse, time_range};

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
