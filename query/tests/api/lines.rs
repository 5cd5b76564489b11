//! One event a line.

use axum::body::Body;
use http::Request;
use locard_query::api::Limits;
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
