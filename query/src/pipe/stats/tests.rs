//! `stats`: queries, events, and what comes out.

use std::sync::Arc;

use expect_test::expect;
use locard_event::{Event, Stream};

use crate::pipe::testing::{NOW, check, setting};
use crate::pipe::{Outcome, Pipeline, parse};

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
