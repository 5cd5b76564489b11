//! What is asked wrongly is refused, and the answer says how to ask.

use axum::body::Body;
use http::Request;
use locard_indexer::{Permission, Principal};
use locard_query::api::Limits;
use serde_json::{Value, json};

use crate::server::{Server, address, messages, somebody, time};

#[track_caller]
fn has(problem: &Value, member: &str, part: &str) {
    let text = problem[member].as_str().unwrap_or_else(|| panic!("no {member}: {problem}"));
    assert!(text.contains(part), "{member} lacks {part}: {problem}");
}

#[tokio::test]
async fn each_mistake_has_its_answer() {
    let server = Server::with(Limits { max_limit: 500, ..Limits::default() }).await;
    for (path, parameters, member, part) in [
        ("/api/search", ("limt", "5"), "hint", "`limit`"),
        ("/api/search", ("xyzzy", "5"), "hint", "q, start, end"),
        ("/api/search", ("limit", "-1"), "hint", "whole number"),
        ("/api/search", ("limit", "501"), "detail", "at most 500"),
        ("/api/search", ("limit", "501"), "hint", "cursor"),
        ("/api/search", ("start", "yesterday"), "hint", "now-1h"),
        ("/api/search", ("order", "up"), "hint", "asc or desc"),
        ("/api/search", ("cursor", "rubbish"), "hint", "as it is"),
        ("/api/search", ("timeout", "soon"), "hint", "5s"),
        ("/api/fields", ("limit", "5"), "hint", "q, start, end"),
        ("/api/fields/x/values", ("limit", "5000"), "detail", "1000"),
        ("/api/tail", ("after", "x"), "hint", "0-184467"),
        ("/api/tail", ("q", "a | limit 5"), "detail", "only a filter"),
        ("/api/search", ("q", "a | stat count()"), "fix", "a | stats count()"),
        ("/api/status", ("q", "x"), "hint", "none"),
    ] {
        let answer = server.get(&somebody(), &address(path, &[parameters])).await;
        assert_eq!(answer.status, 400, "{path} {parameters:?}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        has(&answer.json(), member, part);
    }
    let reversed = [("start", "2026-03-02"), ("end", "2026-03-01T12:00")];
    for path in ["/api/search", "/api/fields", "/api/fields/x/values"] {
        let answer = server.get(&somebody(), &address(path, &reversed)).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        has(
            &answer.json(),
            "detail",
            "`start` is 2026-03-02T00:00:00.000Z and `end` is 2026-03-01T12:00:00.000Z",
        );
        has(&answer.json(), "hint", "swap");
    }
    let wide = [("q", "| timechart span=1s count()"), ("start", "0"), ("end", "now")];
    let answer = server.get(&somebody(), &address("/api/search", &wide)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    has(&answer.json(), "hint", "longer span");
    let answer = server.get(&somebody(), "/api/search?q=a&q=b").await;
    assert_eq!(answer.status, 400);
    has(&answer.json(), "detail", "given twice");
}

#[tokio::test]
async fn a_syntax_error_says_where_on_every_face() {
    let server = Server::start().await;
    server.ingest(&somebody(), &[json!({"message": "x"})]).await;
    for path in ["/api/search", "/api/fields", "/api/fields/x/values", "/api/tail", "/api/events/0-0/context"]
    {
        let answer = server.get(&somebody(), &address(path, &[("q", "é (a OR")])).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        let problem = answer.json();
        let (bytes, utf16) = (&problem["span"], &problem["utf16_span"]);
        assert_eq!(bytes[0], problem["position"], "{problem}");
        assert_eq!(bytes[0].as_u64().unwrap(), utf16[0].as_u64().unwrap() + 1, "{path}: {problem}");
        assert!(problem["hint"].is_string(), "{path}: {problem}");
    }
}

/// One end is fixed and the other is relative, so that only the clock tells.
#[tokio::test]
async fn a_range_that_ends_before_it_begins_is_an_error_on_every_face() {
    let server = Server::start().await;
    server.ingest(&somebody(), &[json!({"message": "x"})]).await;
    let faces =
        ["/api/search", "/api/fields", "/api/fields/x/values", "/api/tail", "/api/events/0-0/context"];
    for path in faces {
        for q in ["_time:[now-5m TO 2020-03-01]", "x OR NOT @timestamp:[2199-01-01 TO now}"] {
            let answer = server.get(&somebody(), &address(path, &[("q", q)])).await;
            assert_eq!(answer.status, 400, "{path} {q}: {}", answer.text);
            has(&answer.json(), "detail", "ends before it begins");
            has(&answer.json(), "hint", "swap");
        }
    }
    let answer =
        server.get(&somebody(), &address("/api/search", &[("q", "x | where _time:[now TO 2020]")])).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    for q in ["_time:[2020-03-01 TO now]", "_time:[now-5m TO 2199]"] {
        assert_eq!(server.search(&[("q", q)]).await["complete"], true, "{q}");
    }
}

#[tokio::test]
async fn a_query_may_come_by_post() {
    let server = Server::start().await;
    let objects = [json!({"time": time(0), "message": "one"}), json!({"time": time(1), "message": "two"})];
    server.ingest(&somebody(), &objects).await;
    let post = |body: String| Request::post("/api/search").body(Body::from(body)).unwrap();
    let body = json!({"q": "", "limit": 1, "start": 1_790_000_000, "cursor": null, "order": "asc"});
    let answer = server.send(&somebody(), post(body.to_string())).await;
    assert_eq!(messages(&answer.json()), ["one"]);
    for (body, part) in [
        ("{", "JSON"),
        ("[]", "object"),
        (r#"{"q": ["a"]}"#, "text or a number"),
        (r#"{"querry": "a"}"#, "no parameter"),
    ] {
        let answer = server.send(&somebody(), post(body.to_owned())).await;
        assert_eq!(answer.status, 400, "{body}");
        has(&answer.json(), "detail", part);
    }
    let answer = server.send(&somebody(), post("x".repeat(2 << 20))).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
    let long = json!({"q": "x".repeat(70_000)}).to_string();
    assert_eq!(server.send(&somebody(), post(long)).await.status, 400);
}

#[tokio::test]
async fn a_cursor_knows_its_order() {
    let server = Server::start().await;
    server.ingest(&somebody(), &[json!({"message": "a"}), json!({"message": "b"})]).await;
    let page = server.search(&[("limit", "1"), ("order", "asc")]).await;
    let cursor = page["cursor"].as_str().unwrap();
    assert_eq!(messages(&server.search(&[("cursor", cursor)]).await), ["b"]);
    let wrong =
        server.get(&somebody(), &address("/api/search", &[("cursor", cursor), ("order", "desc")])).await;
    assert_eq!(wrong.status, 400);
    has(&wrong.json(), "detail", "other order");
}

#[tokio::test]
async fn reading_takes_the_permission_to_read() {
    let server = Server::start().await;
    server.ingest(&somebody(), &[json!({"message": "x"})]).await;
    let shipper = Principal { permissions: [Permission::Ingest].into(), ..somebody() };
    for path in [
        "/api/search",
        "/api/tail",
        "/api/events/0-0",
        "/api/events/0-0/context",
        "/api/fields",
        "/api/fields/x/values",
        "/api/status",
    ] {
        assert_eq!(server.get(&shipper, path).await.status, 403, "{path}");
    }
}
