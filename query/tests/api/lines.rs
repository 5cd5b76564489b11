//! One event a line.

use axum::body::Body;
use http::Request;
use locard_query::api::Limits;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::{Answer, Server, address, somebody, time};

async fn lines(server: &Server, parameters: &[(&str, &str)]) -> Answer {
    let request = Request::get(address("/api/search", parameters)).header("accept", "application/x-ndjson");
    server.send(&somebody(), request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_stream_goes_past_the_largest_page() {
    let server = Server::with(Limits { max_limit: 10, ..Limits::default() }).await;
    let objects: Vec<Value> = (0..45).map(|n| json!({"time": time(n), "message": format!("m{n}")})).collect();
    server.ingest(&somebody(), &objects[..30]).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &objects[30..]).await;
    for (limit, count) in [("1000", 45), ("25", 25), ("10", 10), ("0", 0)] {
        let answer = lines(&server, &[("q", "*"), ("limit", limit), ("order", "asc")]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let events: Vec<Value> =
            answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let found: Vec<&str> = events.iter().map(|event| event["message"].as_str().unwrap()).collect();
        let expected: Vec<String> = (0..count).map(|n| format!("m{n}")).collect();
        assert_eq!(found, expected, "{limit}");
        assert_eq!(answer.headers["content-type"], "application/x-ndjson");
        assert_eq!(answer.headers["locard-matched"], "45");
        assert_eq!(answer.headers["locard-complete"], "true");
        assert_eq!(answer.headers.contains_key("locard-cursor"), limit == "10", "{limit}");
    }
}

/// What is sorted has no pages: it comes at once, as much as one answer may hold, and says when that is not all.
#[tokio::test]
async fn a_sorted_stream_is_not_cut_at_a_page() {
    let server = Server::with(Limits { max_limit: 1_500, ..Limits::default() }).await;
    let objects: Vec<Value> = (0..1_600).map(|n| json!({"time": time(n), "message": "m", "n": n})).collect();
    server.ingest(&somebody(), &objects).await;
    for (q, limit, count, complete) in [
        ("n<1200 | sort n", "5000", 1_200, "true"),
        ("n<1200 | sort n", "1100", 1_100, "false"),
        ("* | sort n | fields n", "5000", 1_500, "false"),
        ("* | fields n", "5000", 1_600, "true"),
    ] {
        let answer = lines(&server, &[("q", q), ("limit", limit)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.text.lines().count(), count, "{q} {limit}");
        assert_eq!(answer.headers["locard-complete"], complete, "{q} {limit}");
    }
}

#[tokio::test]
async fn a_stream_that_lacks_something_says_so_in_its_head() {
    let server = Server::start().await;
    server.ingest(&somebody(), &[json!({"message": "x"})]).await;
    let answer = lines(&server, &[("timeout", "0s")]).await;
    assert_eq!(answer.headers["locard-complete"], "false");
    assert!(answer.headers["locard-incomplete-because"].to_str().unwrap().contains("deadline"));
}

/// Whatever JSON may hold, and what it must escape.
fn value() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        "[a-c\"\\\\\u{0}-\u{1f}é🦀]{0,12}".prop_map(Value::from),
        "[a-z]{300}".prop_map(Value::from),
        Just(Value::from("203.0.113.77")),
        Just(Value::from("2026-03-01T12:00:00.120Z")),
    ];
    prop_oneof![4 => one.clone(), 1 => prop::collection::vec(one, 0..3).prop_map(Value::from)]
}

fn object() -> impl Strategy<Value = Value> {
    let names =
        ["a", "app", "b.c", "host", "z", "_id", "_stream", "message_base64", "event.ingested", "x\"y"];
    let members = prop::collection::vec((prop::sample::select(names.to_vec()), value()), 0..6);
    (0i64..40, "[a-b\"\\\\\u{0}-\u{20}é0-9]{0,20}", members).prop_map(|(seconds, message, members)| {
        let mut object = serde_json::Map::new();
        object.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        object.insert("time".into(), time(seconds).into());
        object.insert("message".into(), message.into());
        object.into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Lines come from columns and blocks, the events of a page from events put together: both say the same, byte for byte.
    #[test]
    fn lines_are_the_events_of_pages(objects in prop::collection::vec(object(), 2..60), limit in 1usize..70) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::with(Limits { max_limit: 7, ..Limits::default() }).await;
            let (sealed, hot) = objects.split_at(objects.len() * 2 / 3);
            server.ingest(&somebody(), sealed).await;
            server.indexer.seal().await.unwrap();
            server.ingest(&somebody(), hot).await;
            for (q, order) in [("*", "desc"), ("*", "asc"), ("NOT a:b", "desc")] {
                let limit = limit.to_string();
                let found = lines(&server, &[("q", q), ("order", order), ("limit", &limit)]).await;
                // A pipe that leaves everything goes the other way.
                let piped = format!("{q} | where *");
                let other = lines(&server, &[("q", &piped), ("order", order), ("limit", &limit)]).await;
                assert_eq!(found.text, other.text);
                assert_eq!(found.headers["locard-matched"], other.headers["locard-matched"]);
            }
        });
    }
}
