//! Pages: in order, complete, without repeats, while events arrive and are sealed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{Server, messages, somebody, time};

fn event(n: i64) -> Value {
    // Times repeat, and come neither in order nor in reverse.
    json!({"time": time((n * 37) % 101), "message": format!("number {n}"), "host": format!("h{}", n % 3), "n": n})
}

async fn ingest(server: &Server, numbers: std::ops::Range<i64>) {
    let events: Vec<Value> = numbers.map(event).collect();
    server.ingest(&somebody(), &events).await;
}

/// Follows the cursor to the end; between pages something happens.
async fn pages(server: &Server, order: &str, limit: &str, newcomers: bool) -> Vec<Value> {
    let mut events = Vec::new();
    let mut cursor = String::new();
    for round in 0.. {
        let parameters = [("q", "number"), ("order", order), ("limit", limit), ("cursor", &cursor)];
        let page = server.search(&parameters).await;
        assert_eq!(page["complete"], json!(true), "{page}");
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        let Some(next) = page["cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
        if newcomers {
            // Filed after everything else, so behind a descending reader.
            let object = json!({"time": time(10_000 + round), "message": "number new", "host": "late"});
            server.ingest(&somebody(), &[object]).await;
        }
        if round % 3 == 1 {
            server.indexer.seal().await.unwrap();
        }
    }
    events
}

fn sequence(event: &Value) -> u64 {
    event["_id"].as_str().unwrap().split_once('-').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn pages_are_complete_and_in_order_while_events_arrive_and_are_sealed() {
    for (order, limit) in [("desc", "7"), ("asc", "13"), ("desc", "1000")] {
        let server = Server::start().await;
        ingest(&server, 0..80).await;
        server.indexer.seal().await.unwrap();
        ingest(&server, 80..140).await;

        let events = pages(&server, order, limit, order == "desc").await;

        let numbers: BTreeSet<i64> = events.iter().map(|event| event["n"].as_i64().unwrap()).collect();
        assert_eq!((numbers.len(), events.len()), (140, 140), "{order} {limit}");
        let places: Vec<(&str, u64)> =
            events.iter().map(|event| (event["@timestamp"].as_str().unwrap(), sequence(event))).collect();
        let sorted = if order == "asc" { places.is_sorted() } else { places.iter().rev().is_sorted() };
        assert!(sorted, "{order} {limit}: {places:?}");
    }
}

#[tokio::test]
async fn a_page_of_none_only_counts() {
    let server = Server::start().await;
    ingest(&server, 0..50).await;
    server.indexer.seal().await.unwrap();
    ingest(&server, 50..60).await;
    let answer = server.search(&[("q", "host:h1"), ("limit", "0")]).await;
    assert_eq!(answer["matched"], json!({"value": 20, "exact": true}));
    assert_eq!((messages(&answer).len(), &answer["cursor"]), (0, &Value::Null));
}

#[tokio::test]
async fn the_range_is_half_open_and_goes_by_the_filed_time() {
    let server = Server::start().await;
    let objects = [
        json!({"time": time(0), "message": "first"}),
        json!({"time": time(60), "message": "second"}),
        json!({"time": "2099-01-01T00:00:00Z", "message": "from the future"}),
        json!({"time": "1970-01-01T00:00:01Z", "message": "from the past"}),
    ];
    server.ingest(&somebody(), &objects).await;
    for sealed in [false, true] {
        let answer = server.search(&[("start", &time(0)), ("end", &time(60))]).await;
        assert_eq!(messages(&answer), ["first"], "sealed: {sealed}");
        let answer = server.search(&[("start", "now-1m")]).await;
        assert_eq!(messages(&answer), ["from the past", "from the future"], "sealed: {sealed}");
        let answer = server.search(&[("q", "_time:[2098-01-01 TO *]")]).await;
        assert_eq!(messages(&answer), ["from the future"], "sealed: {sealed}");
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn relative_times_mean_the_same_on_every_page() {
    let server = Server::start().await;
    ingest(&server, 0..10).await;
    let first = server.search(&[("limit", "4"), ("end", "now+1d")]).await;
    let cursor = first["cursor"].as_str().unwrap();
    let now: i64 = cursor.split('.').nth(2).unwrap().parse().unwrap();
    // A cursor from long before the events: `now` is what it was on that first page.
    let old = cursor.replace(&now.to_string(), "0");
    let answer = server.search(&[("limit", "4"), ("end", "now+1d"), ("cursor", &old)]).await;
    assert_eq!(messages(&answer).len(), 0);
}
