//! What pipes make of a search, hot and sealed alike.

use locard_query::api::Limits;
use serde_json::{Value, json};

use crate::server::{Server, address, messages, somebody, time};

async fn filled(limits: Limits) -> Server {
    let server = Server::with(limits).await;
    let objects: Vec<Value> = (0..30)
        .map(|n| json!({"time": time(n * 60), "message": format!("m{n}"), "host": format!("h{}", n % 3), "n": n}))
        .collect();
    server.ingest(&somebody(), &objects[..15]).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &objects[15..]).await;
    server
}

#[tokio::test]
async fn a_table_comes_with_what_the_filter_matched() {
    let server = filled(Limits::default()).await;
    for sealed in [false, true] {
        for (q, columns, rows, matched) in [
            ("| stats count()", json!(["count"]), json!([[30]]), 30),
            ("n>=10 | stats count()", json!(["count"]), json!([[20]]), 20),
            (
                "| stats count() as n, sum(n) as s by host",
                json!(["host", "n", "s"]),
                json!([["h0", 10, 135], ["h1", 10, 145], ["h2", 10, 155]]),
                30,
            ),
            ("n<4 | top 1 host", json!(["host", "count"]), json!([["h0", 2]]), 4),
            ("| limit 5 | stats max(n) as n, count()", json!(["n", "count"]), json!([[29, 5]]), 30),
        ] {
            let answer = server.search(&[("q", q)]).await;
            assert_eq!(answer["table"], json!({"columns": columns, "rows": rows}), "{q} sealed: {sealed}");
            assert_eq!(answer["matched"], json!({"value": matched, "exact": true}), "{q} sealed: {sealed}");
            assert_eq!((&answer["events"], &answer["cursor"]), (&json!([]), &Value::Null), "{q}");
            assert_eq!(answer["complete"], json!(true), "{q}: {answer}");
        }
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn a_chart_has_a_row_a_bucket_empty_ones_included() {
    let server = filled(Limits::default()).await;
    for sealed in [false, true] {
        for q in ["n<10 | timechart span=10m count()", "n<10 | timechart span=10m count() by host"] {
            let range = [("q", q), ("start", &*time(0)), ("end", &*time(1_800))];
            let answer = server.search(&range).await;
            let rows = answer["table"]["rows"].as_array().unwrap();
            let sum =
                |row: &Value| -> i64 { row.as_array().unwrap()[1..].iter().filter_map(Value::as_i64).sum() };
            let counts: Vec<i64> = rows.iter().map(sum).collect();
            assert_eq!(counts.iter().sum::<i64>(), 10, "{q} sealed: {sealed}: {answer}");
            assert!(counts.ends_with(&[0]) && counts.len() >= 3, "{q} sealed: {sealed}: {answer}");
        }
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn fields_keeps_pages_and_limit_and_sort_make_one() {
    let server = filled(Limits::default()).await;
    let first = server.search(&[("q", "| fields n"), ("limit", "20")]).await;
    assert_eq!(first["events"][0]["n"], json!(29));
    let names: Vec<&String> = first["events"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["@timestamp", "_id", "n"]);
    let cursor = first["cursor"].as_str().unwrap();
    let rest = server.search(&[("q", "| fields n"), ("limit", "20"), ("cursor", cursor)]).await;
    assert_eq!((rest["events"].as_array().unwrap().len(), &rest["cursor"]), (10, &Value::Null));

    let answer = server.search(&[("q", "| limit 3"), ("order", "asc")]).await;
    assert_eq!(messages(&answer), ["m0", "m1", "m2"]);
    assert_eq!((&answer["cursor"], &answer["complete"]), (&Value::Null, &json!(true)));

    let answer = server.search(&[("q", "| sort n | limit 2")]).await;
    assert_eq!(messages(&answer), ["m0", "m1"]);
    assert_eq!(answer["complete"], json!(true));
    let answer = server.search(&[("q", "| sort -n"), ("limit", "2")]).await;
    assert_eq!(messages(&answer), ["m29", "m28"]);
    assert_eq!(answer["complete"], json!(false), "{answer}");

    let refused =
        server.get(&somebody(), &address("/api/search", &[("q", "| limit 3"), ("cursor", cursor)])).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
}

#[tokio::test]
async fn a_pipe_out_of_memory_answers_what_it_has_and_says_so() {
    let server = filled(Limits { memory_bytes: 4_000, ..Limits::default() }).await;
    let answer = server.search(&[("q", "| stats count() by n")]).await;
    assert_eq!(answer["complete"], json!(false), "{answer}");
    assert!(answer["incomplete_because"].as_str().unwrap().contains("memory"), "{answer}");
    assert!(!answer["table"]["rows"].as_array().unwrap().is_empty(), "{answer}");
    assert_eq!(answer["matched"], json!({"value": 30, "exact": true}));
}
