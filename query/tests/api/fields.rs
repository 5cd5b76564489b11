//! Names of fields, and their values.

use serde_json::{Value, json};

use crate::server::{Server, somebody, time};

async fn filled() -> Server {
    let server = Server::start().await;
    let objects: Vec<Value> = (0..12)
        .map(|n| {
            let mut object =
                json!({"time": time(n), "message": "m", "host": format!("h{}", n % 2), "code": n % 3});
            if n == 3 {
                object["tags"] = json!(["Red", "red", "blue", "blue"]);
                object["code"] = json!("0");
            }
            object
        })
        .collect();
    server.ingest(&somebody(), &objects[..6]).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &objects[6..]).await;
    server
}

#[tokio::test]
async fn names_come_with_type_and_count() {
    let server = filled().await;
    for _sealed in [false, true] {
        let answer = server.ask(&somebody(), "/api/fields", &[("q", "*")]).await;
        assert_eq!(answer["matched"], json!({"value": 12, "exact": true}));
        let named = |name: &str| {
            let fields = answer["fields"].as_array().unwrap();
            fields
                .iter()
                .find(|field| field["name"] == name)
                .cloned()
                .unwrap_or_else(|| panic!("{name}: {answer}"))
        };
        let code = named("code");
        assert_eq!((&code["type"], &code["types"]), (&json!("integer"), &json!(["integer", "string"])));
        assert_eq!(
            (&code["count"], &code["coverage"], &code["label"]),
            (&json!(12), &json!(1.0), &json!(false))
        );
        assert_eq!((&named("host")["label"], &named("tags")["count"]), (&json!(true), &json!(1)));
        assert_eq!(named("@timestamp")["type"], json!("time"));
        server.indexer.seal().await.unwrap();
    }
    let answer = server.ask(&somebody(), "/api/fields", &[("q", "host:h0")]).await;
    assert!(answer["fields"].as_array().unwrap().iter().all(|field| field["name"] != "tags"), "{answer}");
}

#[tokio::test]
async fn values_come_with_counts_most_common_first() {
    let server = filled().await;
    for sealed in [false, true] {
        let answer = server.ask(&somebody(), "/api/fields/code/values", &[("q", "*")]).await;
        let expected = json!([
            {"value": 1, "count": 4}, {"value": 2, "count": 4}, {"value": 0, "count": 3}, {"value": "0", "count": 1},
        ]);
        assert_eq!(answer["values"], expected, "sealed: {sealed}");
        assert_eq!(answer["distinct"], json!({"value": 4, "exact": true}));
        assert_eq!(answer["matched"], json!({"value": 12, "exact": true}));
        let answer =
            server.ask(&somebody(), "/api/fields/tags/values", &[("prefix", "re"), ("limit", "1")]).await;
        assert_eq!(answer["values"], json!([{"value": "Red", "count": 1}]), "sealed: {sealed}");
        assert_eq!((&answer["distinct"]["value"], &answer["matched"]["value"]), (&json!(2), &json!(1)));
        let answer = server.ask(&somebody(), "/api/fields/host/values", &[("start", &time(11))]).await;
        assert_eq!(answer["values"], json!([{"value": "h1", "count": 1}]), "sealed: {sealed}");
        server.indexer.seal().await.unwrap();
    }
    let answer = server.ask(&somebody(), "/api/fields/no%2Fsuch%20field/values", &[]).await;
    assert_eq!((&answer["field"], &answer["values"]), (&json!("no/such field"), &json!([])));
}
