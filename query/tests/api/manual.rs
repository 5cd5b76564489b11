//! Every example of the manual is asked.

use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::server::{Server, somebody, time};

/// Every query of the language's page, over hot and sealed events; that they mean what the page says is tested where they are
/// parsed and matched.
#[tokio::test]
async fn every_query_of_the_language_page_has_an_answer() {
    let manual = include_str!("../../../docs/query-language.md");
    let blocks = manual.split("```query\n").skip(1).filter_map(|block| block.split("```").next());
    let queries: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect();
    assert!(queries.len() >= 20, "the page lost its examples");
    let server = Server::start().await;
    let table =
        Request::put("/api/lookups/assets").body(Body::from("net,owner,zone\n10.0.0.0/8,ops,inside\n"));
    assert_eq!(server.send(&somebody(), table.unwrap()).await.status, 200);
    for sealed in [false, true] {
        server.ingest(&somebody(), &[json!({"time": time(0), "message": "a", "bytes": 5})]).await;
        for q in &queries {
            let answer = server.search(&[("q", q)]).await;
            assert_eq!(answer["complete"], json!(true), "{q} sealed: {sealed}: {answer}");
        }
        server.indexer.seal().await.unwrap();
    }
}

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
