//! Every tree is filled twice, from events and from combinations of values, and must come out the same.

use std::collections::HashMap;
use std::sync::Arc;

use locard_event::{Event, EventId, Stream, Timestamp, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::doc::Doc;
use super::{Tree, render, state};
use crate::es::schema::Schema;

const START: i64 = 1_790_000_000;

fn event(n: i64, fields: &[(&str, Value)]) -> Event {
    let stream = Arc::new(Stream::new([("event.dataset", "logs")]));
    let mut event = Event::new(Timestamp::from_seconds(START + n), stream, "m");
    event.id = Some(EventId::new(0, n.unsigned_abs()));
    event.fields = fields.iter().map(|(name, value)| (*name, value.clone())).collect();
    event
}

fn events() -> Vec<Event> {
    (0..40)
        .map(|n| {
            let mut fields: Vec<(&str, Value)> =
                vec![("n", n.into()), ("word", ["a", "b", "c"][n as usize % 3].into())];
            if n % 4 != 0 {
                fields.push(("float", Value::Float(n as f64 / 8.0)));
            }
            if n % 5 == 0 {
                fields.push(("list", Value::List(vec!["x".into(), "y".into(), "x".into()])));
            }
            fields.push(("ip", Value::ip_or_str(&format!("10.0.{}.1", n % 4))));
            fields.push(("ok", (n % 2 == 0).into()));
            event(n * 100, &fields)
        })
        .collect()
}

fn show(tree: &Tree, states: &[state::State]) -> Json {
    let mut shown = render::level(&tree.nodes, states, &mut render::Shown::default(), None).unwrap();
    super::pipeline::beside(&tree.pipes, &mut shown).unwrap();
    Json::Object(shown)
}

/// From events one by one; with weights, in two halves that are merged.
fn run(body: &Json, events: &[Event]) -> Json {
    let tree = Tree::read(body, &Schema::plain(Timestamp::from_seconds(START)), false).unwrap();
    let mut one = state::empty(&tree.nodes);
    for event in events {
        state::add(&tree.nodes, &mut one, Doc::Event(event), 1);
    }
    let one = show(&tree, &one);
    let (left, right) = events.split_at(events.len() / 3);
    let mut merged = state::empty(&tree.nodes);
    for half in [right, left] {
        let mut states = state::empty(&tree.nodes);
        for event in half {
            state::add(&tree.nodes, &mut states, Doc::Event(event), 1);
        }
        state::merge(&tree.nodes, &mut merged, states);
    }
    assert_eq!(show(&tree, &merged), one, "merged: {body}");
    one
}

#[track_caller]
fn check(body: Json, path: &str, expected: Json) {
    let answer = run(&json!({"x": body}), &events());
    let found = answer.pointer(&format!("/x{path}")).cloned().unwrap_or_default();
    assert_eq!(found, expected, "{path} of {answer}");
}

/// The keys and counts of buckets.
fn pairs(answer: &Json) -> Vec<(Json, u64)> {
    let buckets = answer["x"]["buckets"].as_array().unwrap_or_else(|| panic!("{answer}"));
    buckets.iter().map(|bucket| (bucket["key"].clone(), bucket["doc_count"].as_u64().unwrap())).collect()
}

#[track_caller]
fn check_buckets(body: Json, expected: &[(Json, u64)]) {
    let answer = run(&json!({"x": body}), &events());
    assert_eq!(pairs(&answer), expected, "{body}");
}

#[test]
fn terms_are_counted_ordered_and_cut() {
    let terms = |more: Json| {
        let mut body = json!({"field": "word"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"terms": body})
    };
    check_buckets(terms(json!({})), &[(json!("a"), 14), (json!("b"), 13), (json!("c"), 13)]);
    check_buckets(
        terms(json!({"order": {"_key": "desc"}})),
        &[(json!("c"), 13), (json!("b"), 13), (json!("a"), 14)],
    );
    check_buckets(terms(json!({"include": "[ab]"})), &[(json!("a"), 14), (json!("b"), 13)]);
    check_buckets(terms(json!({"exclude": ["a", "c"]})), &[(json!("b"), 13)]);
    check_buckets(terms(json!({"min_doc_count": 14})), &[(json!("a"), 14)]);
    check(terms(json!({"size": 1})), "/sum_other_doc_count", json!(26));
    check_buckets(json!({"terms": {"field": "list"}}), &[(json!("x"), 8), (json!("y"), 8)]);
    check_buckets(
        json!({"terms": {"field": "list", "missing": "none"}}),
        &[(json!("none"), 32), (json!("x"), 8), (json!("y"), 8)],
    );
    check(json!({"terms": {"field": "ok"}}), "/buckets/0/key_as_string", json!("false"));
    let by_average = json!({"terms": {"field": "word", "order": {"m.max": "desc"}}, "aggs": {"m": {"stats": {"field": "n"}}}});
    check_buckets(by_average, &[(json!("a"), 14), (json!("c"), 13), (json!("b"), 13)]);
    check_buckets(
        json!({"multi_terms": {"terms": [{"field": "word"}, {"field": "ok"}], "size": 2}}),
        &[(json!(["a", 0]), 7), (json!(["a", 1]), 7)],
    );
    check_buckets(
        json!({"rare_terms": {"field": "word", "max_doc_count": 13}}),
        &[(json!("b"), 13), (json!("c"), 13)],
    );
    check(json!({"missing": {"field": "float"}}), "/doc_count", json!(10));
}

#[test]
fn histograms_have_gaps_bounds_and_keys() {
    let start = START * 1_000;
    let hour = |n: i64| (start / 3_600_000 + n) * 3_600_000;
    check_buckets(
        json!({"date_histogram": {"field": "@timestamp", "fixed_interval": "1h"}}),
        &[(json!(hour(0)), 28), (json!(hour(1)), 12)],
    );
    check_buckets(
        json!({"date_histogram": {"field": "@timestamp", "calendar_interval": "hour", "min_doc_count": 20}}),
        &[(json!(hour(0)), 28)],
    );
    check_buckets(
        json!({"date_histogram": {"field": "@timestamp", "fixed_interval": "1h", "extended_bounds": {"min": hour(-1), "max": hour(2).to_string()}, "format": "epoch_millis"}}),
        &[(json!(hour(-1)), 0), (json!(hour(0)), 28), (json!(hour(1)), 12), (json!(hour(2)), 0)],
    );
    check(
        json!({"date_histogram": {"field": "@timestamp", "calendar_interval": "day", "time_zone": "+02:00"}}),
        "/buckets/0/key_as_string",
        json!("2026-09-21T00:00:00.000+02:00"),
    );
    check_buckets(
        json!({"histogram": {"field": "n", "interval": 15}}),
        &[(json!(0.0), 15), (json!(15.0), 15), (json!(30.0), 10)],
    );
    check_buckets(
        json!({"histogram": {"field": "n", "interval": 20, "offset": 5, "extended_bounds": {"min": -20, "max": 50}}}),
        &[(json!(-35.0), 0), (json!(-15.0), 5), (json!(5.0), 20), (json!(25.0), 15), (json!(45.0), 0)],
    );
    check(
        json!({"histogram": {"field": "n", "interval": 20, "keyed": true}}),
        "/buckets/20.0/doc_count",
        json!(20),
    );
}

#[test]
fn ranges_filters_and_composites() {
    check_buckets(
        json!({"range": {"field": "n", "ranges": [{"from": 30}, {"to": 10}, {"from": 5, "to": 35, "key": "middle"}]}}),
        &[(json!("*-10.0"), 10), (json!("middle"), 30), (json!("30.0-*"), 10)],
    );
    check_buckets(
        json!({"ip_range": {"field": "ip", "ranges": [{"to": "10.0.1.0"}, {"mask": "10.0.2.0/23"}]}}),
        &[(json!("*-10.0.1.0"), 10), (json!("10.0.2.0/23"), 20)],
    );
    check(
        json!({"date_range": {"field": "@timestamp", "ranges": [{"to": "2026-09-21T14:30:00Z"}]}}),
        "/buckets/0/doc_count",
        json!(10),
    );
    check(json!({"filter": {"term": {"word": "a"}}}), "/doc_count", json!(14));
    check(
        json!({"filters": {"filters": {"a": {"term": {"word": "a"}}, "odd": {"term": {"ok": false}}}, "other_bucket": true}}),
        "/buckets",
        json!({"a": {"doc_count": 14}, "odd": {"doc_count": 20}, "_other_": {"doc_count": 13}}),
    );
    let sources =
        json!([{"w": {"terms": {"field": "word"}}}, {"o": {"terms": {"field": "ok", "order": "desc"}}}]);
    check_buckets(
        json!({"composite": {"sources": sources, "size": 2}}),
        &[(json!({"w": "a", "o": true}), 7), (json!({"w": "a", "o": false}), 7)],
    );
    check_buckets(
        json!({"composite": {"sources": sources, "size": 2, "after": {"w": "a", "o": false}}}),
        &[(json!({"w": "b", "o": true}), 6), (json!({"w": "b", "o": false}), 7)],
    );
    check(json!({"composite": {"sources": sources, "size": 2}}), "/after_key", json!({"w": "a", "o": false}));
}

#[test]
fn metrics_are_exact() {
    for (body, path, expected) in [
        (json!({"avg": {"field": "n"}}), "/value", json!(19.5)),
        (json!({"sum": {"field": "float"}}), "/value", json!(75.0)),
        (json!({"min": {"field": "n"}}), "/value", json!(0.0)),
        (json!({"max": {"field": "none"}}), "/value", Json::Null),
        (json!({"value_count": {"field": "list"}}), "/value", json!(24)),
        (json!({"cardinality": {"field": "ip"}}), "/value", json!(4)),
        (
            json!({"stats": {"field": "n"}}),
            "",
            json!({"count": 40, "min": 0.0, "max": 39.0, "avg": 19.5, "sum": 780.0}),
        ),
        (json!({"extended_stats": {"field": "n"}}), "/variance", json!(133.25)),
        (json!({"percentiles": {"field": "n", "percents": [50]}}), "/values", json!({"50.0": 19.5})),
        (
            json!({"percentile_ranks": {"field": "n", "values": [9], "keyed": false}}),
            "/values",
            json!([{"key": 9.0, "value": 25.0}]),
        ),
        (json!({"median_absolute_deviation": {"field": "n"}}), "/value", json!(10.0)),
        (json!({"avg": {"field": "float", "missing": 0}}), "/value", json!(1.875)),
        (json!({"max": {"field": "@timestamp"}}), "/value_as_string", json!("2026-09-21T15:18:20.000Z")),
        (
            json!({"top_hits": {"size": 1, "sort": [{"n": "desc"}], "_source": ["n"]}}),
            "/hits/hits/0/_source",
            json!({"n": 39}),
        ),
        (
            json!({"top_metrics": {"metrics": {"field": "word"}, "sort": {"n": "asc"}}}),
            "/top/0",
            json!({"sort": [0], "metrics": {"word": "a"}}),
        ),
    ] {
        check(body, path, expected);
    }
}

#[test]
fn aggregations_of_aggregations_go_along_and_beside() {
    let charts = |pipe: Json| json!({"histogram": {"field": "n", "interval": 10}, "aggs": {"s": {"sum": {"field": "n"}}, "p": pipe}});
    for (pipe, expected) in [
        (json!({"derivative": {"buckets_path": "s"}}), json!([null, 100.0, 100.0, 100.0])),
        (json!({"cumulative_sum": {"buckets_path": "s"}}), json!([45.0, 190.0, 435.0, 780.0])),
        (json!({"serial_diff": {"buckets_path": "s", "lag": 2}}), json!([null, null, 200.0, 200.0])),
        (
            json!({"moving_fn": {"buckets_path": "s", "window": 2, "script": "MovingFunctions.unweightedAvg(values)"}}),
            json!([null, 45.0, 95.0, 195.0]),
        ),
        (
            json!({"bucket_script": {"buckets_path": {"a": "s", "n": "_count"}, "script": "params.a / params.n"}}),
            json!([4.5, 14.5, 24.5, 34.5]),
        ),
    ] {
        let answer = run(&json!({"x": charts(pipe.clone())}), &events());
        let found: Vec<Json> = answer["x"]["buckets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|bucket| bucket["p"]["value"].clone())
            .collect();
        assert_eq!(json!(found), expected, "{pipe}");
    }
    check_buckets(
        charts(json!({"bucket_selector": {"buckets_path": {"a": "s"}, "script": "params.a > 200"}})),
        &[(json!(20.0), 10), (json!(30.0), 10)],
    );
    check_buckets(charts(json!({"bucket_sort": {"sort": [{"s": "desc"}], "size": 1}})), &[(json!(30.0), 10)]);
    let body = json!({
        "x": {"histogram": {"field": "n", "interval": 10}, "aggs": {"s": {"sum": {"field": "n"}}}},
        "most": {"max_bucket": {"buckets_path": "x>s"}},
        "mean": {"avg_bucket": {"buckets_path": "x>_count"}},
    });
    let answer = run(&body, &events());
    assert_eq!(
        (&answer["most"], &answer["mean"]),
        (&json!({"value": 345.0, "keys": ["30.0"]}), &json!({"value": 10.0}))
    );
    let rate = json!({"date_histogram": {"field": "@timestamp", "fixed_interval": "1h"}, "aggs": {"r": {"rate": {"unit": "minute"}}}});
    check(rate, "/buckets/0/r/value", json!(28.0 / 60.0));
}

#[test]
fn what_has_no_exact_answer_is_refused() {
    for (body, part) in [
        (json!({"x": {"significant_terms": {"field": "a"}}}), "significant_terms"),
        (json!({"x": {"nonsense": {}}}), "Unknown aggregation type [nonsense]"),
        (json!({"x": {"terms": {"field": "a", "script": "1"}}}), "script"),
        (json!({"x": {"terms": {"field": "a", "nonsense": 1}}}), "nonsense"),
        (
            json!({"x": {"avg": {"field": "a"}, "aggs": {"y": {"avg": {"field": "a"}}}}}),
            "cannot accept sub-aggregations",
        ),
        (json!({"x": {"terms": {"field": "a"}, "avg": {"field": "a"}}}), "two aggregation type"),
        (json!({"x": {"date_histogram": {"field": "a", "fixed_interval": "1M"}}}), "interval"),
        (json!({"x": {"derivative": {}}}), "buckets_path"),
    ] {
        let error = Tree::read(&body, &Schema::plain(Timestamp::from_seconds(0)), false)
            .unwrap_err()
            .body()
            .to_string();
        assert!(error.contains(part), "{body}: {error}");
    }
}

proptest! {
    /// A naive count beside the tree.
    #[test]
    fn counts_are_those_of_a_plain_loop(numbers in proptest::collection::vec(-50i64..50, 0..80), interval in 1u32..20) {
        let events: Vec<Event> = numbers.iter().zip(0..).map(|(n, at)| event(at, &[("n", (*n).into())])).collect();
        let mut expected: HashMap<i64, u64> = HashMap::new();
        for n in &numbers {
            *expected.entry(n.div_euclid(interval.into()) * i64::from(interval)).or_default() += 1;
        }
        let body = json!({"x": {"histogram": {"field": "n", "interval": interval, "min_doc_count": 1}}});
        let answer = run(&body, &events);
        let found: HashMap<i64, u64> = pairs(&answer).into_iter().map(|(key, count)| (key.as_f64().unwrap() as i64, count)).collect();
        prop_assert_eq!(found, expected);
    }
}
