//! Answers that lack something say so.

use http::header;
use locard_query::api::Limits;
use serde_json::{Value, json};

use crate::server::{Server, address, damage, somebody, time};

async fn filled(limits: Limits) -> Server {
    let server = Server::with(limits).await;
    let objects: Vec<Value> =
        (0..100).map(|n| json!({"time": time(n), "message": format!("number {n}"), "host": "a"})).collect();
    server.ingest(&somebody(), &objects).await;
    server
}

#[tokio::test]
async fn a_search_out_of_time_is_an_answer_that_says_so() {
    let server = filled(Limits::default()).await;
    for sealed in [false, true] {
        for path in ["/api/search", "/api/fields", "/api/fields/host/values"] {
            let answer = server.ask(&somebody(), path, &[("timeout", "0s")]).await;
            assert_eq!(answer["complete"], json!(false), "{path} sealed: {sealed}");
            assert_eq!(answer["matched"]["exact"], json!(false), "{path} sealed: {sealed}");
            let because = answer["incomplete_because"].as_str().unwrap();
            assert!(because.contains("deadline"), "{because}");
        }
        server.indexer.seal().await.unwrap();
    }
    let answer = server.search(&[("timeout", "20s")]).await;
    assert_eq!(answer["matched"], json!({"value": 100, "exact": true}));
    assert_eq!(answer["incomplete_because"], Value::Null);
}

#[tokio::test]
async fn a_split_that_cannot_be_read_is_said() {
    let server = filled(Limits::default()).await;
    server.indexer.seal().await.unwrap();
    let directory = server.stop().await;
    damage(directory.path());
    let server = Server::open(directory, Limits::default()).await;
    let answer = server.search(&[("q", "number")]).await;
    assert_eq!(answer["complete"], json!(false), "{answer}");
    assert_eq!(answer["matched"]["exact"], json!(false), "{answer}");
    assert!(answer["incomplete_because"].as_str().unwrap().contains("1 split"), "{answer}");
    let answer = server.get(&somebody(), "/api/events/0-1").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
}

#[tokio::test]
async fn too_many_searches_are_refused_with_a_time_to_come_back() {
    let server = filled(Limits { concurrency: 0, tails: 0, ..Limits::default() }).await;
    for path in
        ["/api/search", "/api/tail", "/api/fields", "/api/fields/host/values", "/api/events/0-0/context"]
    {
        let answer = server.get(&somebody(), path).await;
        assert_eq!(answer.status, 429, "{path}: {}", answer.text);
        assert!(answer.headers.contains_key(header::RETRY_AFTER), "{path}");
    }
}

#[tokio::test]
async fn a_page_larger_than_the_memory_is_shorter_and_not_wrong() {
    let server = filled(Limits { memory_bytes: 3_000, ..Limits::default() }).await;
    let mut cursor = String::new();
    let mut seen = 0;
    loop {
        let answer = server.get(&somebody(), &address("/api/search", &[("cursor", &cursor)])).await.json();
        let events = answer["events"].as_array().unwrap().len();
        assert!((1..50).contains(&events), "{events}");
        assert_eq!(answer["matched"], json!({"value": 100, "exact": true}));
        seen += events;
        let Some(next) = answer["cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(seen, 100);
}
