//! Every example of the manual is asked.

use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::server::{Server, somebody, time};

/// Blocks of the manual whose fence begins with `http`, with what stands behind that.
fn examples() -> Vec<(String, Vec<String>)> {
    let manual = include_str!("../../../docs/http-api.md");
    let mut examples = Vec::new();
    let mut lines = manual.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```http") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
        examples.push((kind.trim().to_owned(), block));
    }
    examples
}

fn requests(block: &[String]) -> Vec<Request<Body>> {
    let mut requests = Vec::new();
    for line in block {
        match line.split_once(' ') {
            Some(("GET", path)) => requests.push(Request::get(path).body(Body::empty()).unwrap()),
            Some(("POST", path)) => requests.push(Request::post(path).body(Body::empty()).unwrap()),
            _ => *requests.last_mut().unwrap().body_mut() = Body::from(line.clone()),
        }
    }
    requests
}

#[tokio::test]
async fn every_example_is_answered_as_the_manual_says() {
    let server = Server::start().await;
    server.ingest(&somebody(), &[json!({"time": time(0), "message": "a"}), json!({"message": "b"})]).await;
    let examples = examples();
    assert!(examples.len() >= 8, "the manual lost its examples");
    for (kind, block) in examples {
        for request in requests(&block) {
            let asked = request.uri().to_string();
            let expected = if kind == "400" { 400 } else { 200 };
            let status = match &*kind {
                // A tail does not end by itself.
                "tail" => server.respond(&somebody(), request).await.status(),
                _ => server.send(&somebody(), request).await.status,
            };
            assert_eq!(status, expected, "{asked}");
        }
    }
}
