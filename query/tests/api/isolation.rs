//! Nobody sees another tenant's events, nor what a row filter hides, on any face.

use axum::body::Body;
use http::Request;
use locard_indexer::Principal;
use serde_json::{Value, json};

use crate::faces::{WORD, ask, asking, counted, get, unasked};
use crate::server::{Server, messages, of, time};
use crate::tail::Tail;

/// In every event that must not be seen, and never in what is asked, which answers repeat.
const SECRET: &str = "xyzzy";

fn open(n: i64) -> Value {
    json!({"time": time(n), "message": "open word", "host": "a", "level": "low", "open_field": "open"})
}

fn secret(n: i64, level: &str) -> Value {
    json!({
        "time": time(n), "message": format!("{WORD} {SECRET} word"), "host": "a", "level": level,
        "open_field": format!("{WORD}-{SECRET}"), (format!("{SECRET}_field")): 1, "user.name": SECRET, "source.ip": "10.0.0.1",
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
            ["/api/search", "/api/fields", "/api/fields/open_field/values", "/api/fields/xyzzy_field/values"]
        {
            let answer = server.ask(&narrow, path, &[("q", q)]).await;
            let text = answer.to_string().replace("xyzzy_field", "");
            assert!(!text.contains(SECRET), "{path} {q}: {answer}");
            assert_eq!(answer["scanned"], nothing, "{path} {q}: {answer}");
            assert!(answer["matched"]["value"].as_u64().unwrap() <= 4, "{path} {q}: {answer}");
        }
    }
    let all = server.ask(&narrow, "/api/search", &[]).await;
    assert_eq!(messages(&all), ["open word"; 4]);
}

/// Which of the paths that the description has are looked at here, or where else. Who adds one decides.
#[tokio::test]
async fn every_path_is_looked_at() {
    /// Shown by the tests of this file.
    const HERE: [&str; 14] = [
        "/api/entity",
        "/api/events/{id}",
        "/api/events/{id}/context",
        "/api/export",
        "/api/fields",
        "/api/fields/{name}/values",
        "/api/lookups",
        "/api/lookups/{name}",
        "/api/openapi.json",
        "/api/search",
        "/api/searches",
        "/api/searches/{name}",
        "/api/status",
        "/api/tail",
    ];
    /// Manifests by the tests of exports, holds (for administrators) by theirs; sealing shows nothing.
    const ELSEWHERE: [&str; 4] =
        ["/api/admin/seal", "/api/export/{id}/manifest", "/api/holds", "/api/holds/{name}/release"];
    let server = Server::start().await;
    let described = server.ask(&of("ours", None), "/api/openapi.json", &[]).await;
    let paths = described["paths"].as_object().unwrap().keys().map(String::as_str);
    for path in paths.filter(|path| path.starts_with("/api/")) {
        assert!(HERE.contains(&path) || ELSEWHERE.contains(&path), "{path} is looked at nowhere");
    }
}

/// Tables and saved searches are their tenant's: others neither see, nor use, nor change them.
#[tokio::test]
async fn what_is_kept_is_its_tenants() {
    let server = filled().await;
    let admin =
        |tenant: &str| Principal { permissions: Principal::loopback().permissions, ..of(tenant, None) };
    let (ours, theirs) = (admin("ours"), admin("theirs"));
    let table = format!("host,owner\na,{SECRET}\n");
    let put = |path: &str, body: String| Request::put(path).body(Body::from(body)).unwrap();
    assert_eq!(server.send(&ours, put("/api/lookups/owners", table)).await.status, 200);
    let search = json!({"q": SECRET}).to_string();
    assert_eq!(server.send(&ours, put("/api/searches/mine", search)).await.status, 200);
    for path in ["/api/lookups", "/api/lookups/owners", "/api/searches", "/api/searches/mine"] {
        assert!(
            ask(&server, &ours, get(path, &[])).await.text.contains(SECRET) || path == "/api/lookups",
            "{path}"
        );
        let shown = ask(&server, &theirs, get(path, &[])).await;
        assert!(!shown.text.contains(SECRET) && !shown.text.contains("mine"), "{path}: {}", shown.text);
    }
    let q = "* | fields host | lookup owners host";
    let shown = ask(&server, &theirs, get("/api/search", &[("q", q)])).await;
    assert!(shown.status == 400 && !shown.text.contains(SECRET), "{}", shown.text);
    for path in ["/api/lookups/owners", "/api/searches/mine"] {
        let delete = Request::delete(path).body(Body::empty()).unwrap();
        assert_eq!(server.send(&theirs, delete).await.status, 404, "{path}");
        assert_eq!(ask(&server, &ours, get(path, &[])).await.status, 200, "{path}");
    }
}

/// That what is looked for is there to be found: who may see it is shown it by every face that shows events.
#[tokio::test]
async fn every_face_shows_who_may_see() {
    let server = filled().await;
    for request in asking("*") {
        let uri = request.uri().to_string();
        // Its own values are shown where something else is asked.
        let hides = ["level/", "host/"].iter().any(|part| uri.contains(part));
        let shown = ask(&server, &of("ours", None), request).await;
        assert_eq!(shown.status, 200, "{uri}: {}", shown.text);
        let is_plan = uri.contains("explain") || uri.ends_with("_count");
        assert!(hides || is_plan || shown.text.contains(SECRET), "{uri}: {}", shown.text);
    }
}

#[tokio::test]
async fn what_takes_no_query_hides_it_too() {
    let server = filled().await;
    let mut answered = 0;
    for request in unasked() {
        let uri = request.uri().to_string();
        let again = unasked().into_iter().find(|other| *other.uri() == *uri).unwrap();
        for (who, request) in [(of("ours", Some("level:low")), request), (of("nobody", None), again)] {
            let shown = ask(&server, &who, request).await;
            assert!(shown.status < 500, "{uri}: {}", shown.text);
            assert!(!shown.text.contains(SECRET), "{uri}: {}", shown.text);
            answered += u32::from(shown.status == 200);
        }
    }
    assert!(answered > 30, "{answered}");
}

/// Pieces of queries, put together at random: most are queries, some are not, some are greedy.
const PIECES: [&str; 38] = [
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
    "| patterns",
    "| patterns new",
    "| rare open_field",
    "| stats count(), values(message) by _pattern",
    "| parse logfmt",
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
    let answered = std::cell::RefCell::new(std::collections::BTreeMap::<String, u32>::new());
    runner
        .run(&pieces, |pieces| {
            let q = pieces.join(" ");
            for request in asking(&q) {
                let uri = request.uri().to_string();
                let shown = runtime.block_on(ask(&server, &narrow, request));
                let is_answered = u32::from(shown.status == 200);
                *answered.borrow_mut().entry(uri.split('?').next().unwrap().to_owned()).or_default() +=
                    is_answered;
                proptest::prop_assert!(shown.status == 200 || shown.status == 400, "{uri}: {}", shown.text);
                proptest::prop_assert!(!shown.text.contains(SECRET), "{uri}: {}", shown.text);
                proptest::prop_assert!(counted(&shown) <= 4, "{uri}: {}", shown.text);
                if !q.contains('|') {
                    let count =
                        shown.trailers.get("locard-count").map_or("0", |count| count.to_str().unwrap());
                    proptest::prop_assert!(count.parse::<u64>().unwrap() <= 4, "{uri}: {count}");
                }
            }
            Ok(())
        })
        .unwrap();
    let hardly: Vec<_> = answered.into_inner().into_iter().filter(|(_, answered)| *answered < 20).collect();
    assert!(hardly.is_empty(), "hardly a query could be read: {hardly:?}");
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
