//! Live events.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use locard_indexer::Principal;
use serde_json::{Value, json};

use crate::server::{Server, address, somebody, time};

/// A tail that is being read.
pub struct Tail {
    body: Body,
    text: String,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub event: String,
    pub id: String,
    pub data: Value,
}

impl Tail {
    pub async fn open(server: &Server, principal: &Principal, q: &str, last: Option<&str>) -> Self {
        let request = Request::get(address("/api/tail", &[("q", q)]));
        let request = last.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = server.respond(principal, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next frame with data; nothing at the end.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.any().await {
                Some(frame) if frame.data.is_null() => {}
                other => return other,
            }
        }
    }

    /// The next frame, comments aside, also one with an id alone; nothing at the end.
    pub async fn any(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let frame = read(frame);
                self.text = rest.to_owned();
                if frame.is_some() {
                    return frame;
                }
                continue;
            }
            let more = tokio::time::timeout(Duration::from_secs(20), self.body.frame())
                .await
                .expect("no frame came");
            let bytes = more?.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    pub async fn message(&mut self) -> String {
        let frame = self.next().await.expect("the tail ended");
        assert_eq!(frame.event, "", "{frame:?}");
        assert_eq!(frame.data["_id"], json!(frame.id));
        frame.data["message"].as_str().unwrap().to_owned()
    }
}

fn read(frame: &str) -> Option<Frame> {
    let member = |name: &str| {
        let lines = frame.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines.map(str::trim).collect::<Vec<_>>().join("\n")
    };
    let (event, id, data) = (member("event"), member("id"), member("data"));
    let data = if data.is_empty() { Value::Null } else { serde_json::from_str(&data).unwrap() };
    (!data.is_null() || !id.is_empty()).then_some(Frame { event, id, data })
}

fn numbered(range: std::ops::Range<i64>) -> Vec<Value> {
    let event = |n| json!({"time": time(n), "message": format!("m{n}"), "even": n % 2 == 0});
    range.map(event).collect()
}

#[tokio::test]
async fn what_matches_comes_as_it_is_accepted() {
    let server = Server::start().await;
    server.ingest(&somebody(), &numbered(0..4)).await;
    let mut tail = Tail::open(&server, &somebody(), "even:true", None).await;
    server.ingest(&somebody(), &numbered(4..8)).await;
    server.ingest(&somebody(), &numbered(8..9)).await;
    for expected in ["m4", "m6", "m8"] {
        assert_eq!(tail.message().await, expected);
    }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_once_and_in_order() {
    let server = Server::start().await;
    server.ingest(&somebody(), &numbered(0..10)).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &numbered(10..20)).await;
    let mut tail = Tail::open(&server, &somebody(), "even:true", Some("0-5")).await;
    server.ingest(&somebody(), &numbered(20..25)).await;
    for n in (6..25).step_by(2) {
        assert_eq!(tail.message().await, format!("m{n}"));
    }
}

/// What matches while a client is away is not lost to one that nothing was shown to yet.
#[tokio::test]
async fn a_client_that_was_shown_nothing_can_come_back() {
    let server = Server::start().await;
    server.ingest(&somebody(), &numbered(0..4)).await;
    let place = |id: &str| Some(Frame { event: String::new(), id: id.to_owned(), data: Value::Null });
    let mut tail = Tail::open(&server, &somebody(), "even:true", None).await;
    assert_eq!(tail.any().await, place("0-3"));
    server.ingest(&somebody(), &numbered(5..6)).await;
    assert_eq!(tail.any().await, place("0-4"));
    drop(tail);
    server.ingest(&somebody(), &numbered(6..10)).await;
    let mut tail = Tail::open(&server, &somebody(), "even:true", Some("0-4")).await;
    assert_eq!((tail.message().await, tail.message().await), ("m6".into(), "m8".into()));
    assert_eq!(tail.any().await, place("0-8"));
}

#[tokio::test]
async fn a_slow_client_holds_nobody_up_and_is_told_what_it_missed() {
    let server = Server::start().await;
    server.ingest(&somebody(), &numbered(0..1)).await;
    let mut tail = Tail::open(&server, &somebody(), "*", None).await;
    let batches = 1_500;
    for n in 1..=batches {
        server.ingest(&somebody(), &numbered(n..n + 1)).await;
    }
    server.ingest(&somebody(), &[json!({"message": "last"})]).await;
    let (mut got, mut missed) = (0, 0);
    loop {
        let frame = tail.next().await.expect("the tail ended");
        if frame.event == "lag" {
            missed += frame.data["missed"].as_i64().unwrap();
            continue;
        }
        got += 1;
        if frame.data["message"] == "last" {
            break;
        }
    }
    assert!(missed > 0, "nothing was missed");
    assert_eq!(got + missed, batches + 1);
}

#[tokio::test]
async fn a_tail_ends_when_the_server_does() {
    let server = Server::start().await;
    let mut tail = Tail::open(&server, &somebody(), "*", None).await;
    server.shutdown.cancel();
    assert_eq!(tail.next().await, None);
}

#[tokio::test]
async fn an_id_of_another_partition_is_refused() {
    let server = Server::start().await;
    server.ingest(&somebody(), &numbered(0..1)).await;
    let answer = server.get(&somebody(), &address("/api/tail", &[("after", "7-0")])).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
}
