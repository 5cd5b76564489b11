//! Nobody sees another tenant's events, nor what a row filter hides, on any face.

use serde_json::{Value, json};

use crate::server::{Server, messages, of, time};
use crate::tail::Tail;

/// In every event that must not be seen.
const SECRET: &str = "plover";

fn open(n: i64) -> Value {
    json!({"time": time(n), "message": "open word", "host": "a", "level": "low", "open_field": "open"})
}

fn secret(n: i64, level: &str) -> Value {
    json!({
        "time": time(n), "message": format!("{SECRET} word"), "host": "a", "level": level,
        "open_field": format!("{SECRET}-value"), (format!("{SECRET}_field")): 1,
    })
}

/// Two tenants; in the first one, events of two levels in one stream.
async fn filled() -> Server {
    let server = Server::start().await;
    let (ours, theirs) = (of("ours", None), of("theirs", None));
    for round in 0..2 {
        let at = round * 10;
        server.ingest(&ours, &[open(at), secret(at + 1, "high"), open(at + 2)]).await;
        server.ingest(&theirs, &[secret(at, "low"), secret(at + 1, "low")]).await;
        if round == 0 {
            server.indexer.seal().await.unwrap();
        }
    }
    server
}

/// Queries that would like to see everything.
const GREEDY: [&str; 7] = [
    "",
    "*",
    "plover",
    "level:high OR level:low",
    "NOT level:low",
    "level:high OR *",
    "_time:[1971-01-01 TO *] OR plover",
];

#[tokio::test]
async fn no_face_shows_what_a_row_filter_hides() {
    let server = filled().await;
    let narrow = of("ours", Some("level:low"));
    // What a search cost would tell how many events are hidden.
    let nothing = json!({"splits": 0, "events": 0, "bytes": 0});
    for q in GREEDY {
        for path in
            ["/api/search", "/api/fields", "/api/fields/open_field/values", "/api/fields/plover_field/values"]
        {
            let answer = server.ask(&narrow, path, &[("q", q)]).await;
            let text = answer.to_string().replace("plover_field", "");
            assert!(!text.contains(SECRET), "{path} {q}: {answer}");
            assert_eq!(answer["scanned"], nothing, "{path} {q}: {answer}");
            assert!(answer["matched"]["value"].as_u64().unwrap() <= 4, "{path} {q}: {answer}");
        }
    }
    let all = server.ask(&narrow, "/api/search", &[]).await;
    assert_eq!(messages(&all), ["open word"; 4]);
}

/// Pieces of queries, put together at random: most are queries, some are not, some are greedy.
const PIECES: [&str; 33] = [
    "*",
    "word",
    "open",
    "pl*",
    "/plo/",
    "message:*",
    "level:high",
    "level=high",
    "level!=low",
    "open_field:*",
    "OR",
    "OR",
    "NOT",
    "-",
    "(",
    ")",
    "AND",
    "_stream:*",
    "_id:0-1",
    "_time:[* TO now]",
    "| stats count() by open_field",
    "| top 5 open_field, level",
    "| sort level",
    "| fields -level",
    "| timechart span=1h count() by open_field",
    "| where level:high OR *",
    "| context before=9 after=9",
    "| context before=9 by host",
    "| join type=left host [ plover | fields host, message, open_field ]",
    "| join host [ * | stats count(), max(message) by host ]",
    "| transaction host",
    "| rex \"(?P<said>.*)\"",
    "| eval said=concat(message, level) | dedup said",
];

#[test]
fn no_query_whatsoever_gets_around_a_row_filter() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(filled());
    let narrow = of("ours", Some("level:low"));
    let pieces = proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..7);
    let mut runner = proptest::test_runner::TestRunner::new(proptest::test_runner::Config {
        cases: 150,
        failure_persistence: None,
        ..Default::default()
    });
    let answered = std::cell::Cell::new(0u32);
    runner
        .run(&pieces, |pieces| {
            let q = pieces.join(" ");
            for path in
                ["/api/search", "/api/fields", "/api/fields/open_field/values", "/api/fields/level/values"]
            {
                let answer =
                    runtime.block_on(server.get(&narrow, &crate::server::address(path, &[("q", &q)])));
                answered.set(answered.get() + u32::from(answer.status == 200));
                proptest::prop_assert!(answer.status == 200 || answer.status == 400, "{q}: {}", answer.text);
                proptest::prop_assert!(!answer.text.contains(SECRET), "{path} {q}: {}", answer.text);
                let value = answer.json()["matched"]["value"].as_u64().unwrap_or_default();
                proptest::prop_assert!(value <= 4, "{path} {q}: {}", answer.text);
            }
            Ok(())
        })
        .unwrap();
    assert!(answered.get() > 100, "hardly a query could be read: {}", answered.get());
}

#[tokio::test]
async fn events_by_id_and_their_neighbours_are_hidden_alike() {
    let server = filled().await;
    let (ours, narrow) = (of("ours", None), of("ours", Some("level:low")));
    let all = server.ask(&ours, "/api/search", &[]).await;
    for event in all["events"].as_array().unwrap() {
        let id = event["_id"].as_str().unwrap();
        let hidden = event["level"] == "high";
        for path in [format!("/api/events/{id}"), format!("/api/events/{id}/context")] {
            let answer = server.get(&narrow, &path).await;
            assert_eq!(answer.status, if hidden { 404 } else { 200 }, "{path}: {}", answer.text);
            assert!(!answer.text.contains(SECRET), "{path}: {}", answer.text);
            let answer = server.get(&of("theirs", None), &path).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        }
        if !hidden {
            let around = server.ask(&narrow, &format!("/api/events/{id}/context"), &[("by", "host")]).await;
            assert_eq!(messages(&around), ["open word"; 4], "{around}");
        }
    }
}

#[tokio::test]
async fn a_tail_shows_its_own_tenant_and_what_the_filter_lets_through() {
    let server = filled().await;
    let (ours, theirs, narrow) = (of("ours", None), of("theirs", None), of("ours", Some("level:low")));
    let first = server.ask(&ours, "/api/search", &[("order", "asc"), ("limit", "1")]).await;
    let first = first["events"][0]["_id"].as_str().unwrap();
    let mut tail = Tail::open(&server, &narrow, "* OR plover", Some(first)).await;
    server.ingest(&theirs, &[secret(30, "low")]).await;
    server.ingest(&ours, &[secret(31, "high"), open(32)]).await;
    for _ in 0..4 {
        assert_eq!(tail.message().await, "open word");
    }
    server.ingest(&ours, &[json!({"message": "the end", "level": "low"})]).await;
    assert_eq!(tail.message().await, "the end");
}

#[tokio::test]
async fn a_forged_cursor_does_not_move_the_row_filters_clock() {
    let server = Server::start().await;
    let past = json!({"time": "2020-01-01T00:00:00Z", "message": SECRET});
    server.ingest(&of("ours", None), &[past, json!({"message": "recent"})]).await;
    let recent = of("ours", Some("_time:7d"));
    assert_eq!(messages(&server.ask(&recent, "/api/search", &[]).await), ["recent"]);
    let then = 1_577_836_800_000_000_000i64 + 3_600_000_000_000;
    let cursor = format!("1.d.{then}.{}.9-9", i64::MAX);
    let answer = server.ask(&recent, "/api/search", &[("cursor", &cursor)]).await;
    assert!(!answer.to_string().contains(SECRET), "{answer}");
}

#[tokio::test]
async fn status_counts_only_what_one_may_see() {
    let server = filled().await;
    let status = server.ask(&of("theirs", None), "/api/status", &[]).await;
    assert_eq!((&status["events"]["hot"], &status["events"]["in_splits"]), (&json!(2), &json!(2)));
    assert_eq!(status["server"], Value::Null);
    let status = server.ask(&of("ours", Some("level:low")), "/api/status", &[]).await;
    assert_eq!((&status["events"], &status["server"]), (&Value::Null, &Value::Null));
    let admin = server.ask(&crate::server::somebody(), "/api/status", &[]).await;
    assert!(admin["server"]["hot"]["events"].is_u64(), "{admin}");
}
