//! How a search says that it went about it.

use serde_json::{Value, json};

use crate::server::{Server, of, somebody, time};

#[tokio::test]
async fn a_search_explains_itself() {
    let server = Server::start().await;
    for n in [0, 100_000] {
        server.ingest(&somebody(), &[json!({"time": time(n), "message": "x", "host": "a"})]).await;
        server.indexer.seal().await.unwrap();
    }
    server.ingest(&somebody(), &[json!({"time": time(0), "message": "x", "host": "b"})]).await;
    let ask = [
        ("q", "x AND host:* | where x | stats count() by host | sort host"),
        ("end", &*time(10)),
        ("explain", "true"),
    ];
    let answer = server.search(&ask).await;
    assert_eq!(answer["table"]["rows"], json!([["a", 1], ["b", 1]]));
    let explain = &answer["explain"];
    assert_eq!(explain["filter"], json!("x host:* x"));
    assert_eq!(
        (&explain["start"], &explain["end"], &explain["order"]),
        (&Value::Null, &json!(time(10)), &json!("desc"))
    );
    assert_eq!(
        explain["pipes"],
        json!([
            {"pipe": "stats", "runs": "in splits, which hand out groups of `host`"},
            {"pipe": "sort", "runs": "on rows"},
        ])
    );
    assert_eq!(explain["extent"]["events_hot"], json!(1));
    let splits = |name: &str| explain["extent"][name].as_u64().unwrap();
    assert_eq!(splits("splits"), splits("splits_in_range") + splits("splits_skipped"));
    assert!(splits("splits_in_range") >= 1, "{explain}");
    // What it says would tell of what may not be seen.
    let narrow = server.ask(&of("default", Some("host:b")), "/api/search", &ask).await;
    assert_eq!((&narrow["explain"]["searched"], &narrow["explain"]["extent"]), (&Value::Null, &Value::Null));
    assert!(!narrow["explain"].to_string().contains("host:b"), "{narrow}");
    assert_eq!(server.search(&[]).await.get("explain"), None);
}
