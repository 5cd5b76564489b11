//! Single documents, sources, highlights, several searches at once.

use http::Request;
use serde_json::{Value, json};

use crate::queries::{documents, post, search};
use crate::server::{Server, somebody};

#[tokio::test]
async fn a_document_is_found_by_either_id() {
    let server = Server::start().await;
    let object = json!({"message": "mine", "name": "x", "event": {"id": "my-id"}});
    server.ingest(&somebody(), &[object, json!({"message": "own", "name": "y"})]).await;
    for sealed in [false, true] {
        let mine = server.get(&somebody(), "/es/test/_doc/my-id").await;
        assert_eq!((mine.status.as_u16(), &mine.json()["_source"]["name"]), (200, &json!("x")), "{sealed}");
        assert_eq!(mine.json()["_id"], "my-id");
        let own = server.get(&somebody(), "/es/test/_doc/0-1").await;
        assert_eq!((own.status.as_u16(), &own.json()["_source"]["name"]), (200, &json!("y")), "{sealed}");
        // What has a name of its client's is not found by Locard's.
        assert_eq!(server.get(&somebody(), "/es/test/_doc/0-0").await.status, 404);
        let none = server.get(&somebody(), "/es/test/_doc/none").await;
        assert_eq!(
            (none.status.as_u16(), none.json()),
            (404, json!({"_index": "test", "_id": "none", "found": false}))
        );
        let source = server.get(&somebody(), "/es/test/_source/my-id?_source_includes=name").await;
        assert_eq!(source.json(), json!({"name": "x"}));
        let body = json!({"docs": [{"_id": "my-id"}, {"_index": "nowhere", "_id": "a"}, {"_id": "b"}]});
        let answer = post(&server, &somebody(), "/es/test/_mget", &body).await.json();
        let found: Vec<&Value> = answer["docs"].as_array().unwrap().iter().map(|doc| &doc["found"]).collect();
        assert_eq!(found, [&json!(true), &Value::Null, &json!(false)]);
        server.indexer.seal().await.unwrap();
    }
    let head = Request::head("/es/test/_doc/my-id").body(axum::body::Body::empty()).unwrap();
    let head = server.send(&somebody(), head).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn hits_show_what_is_asked_of_them() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    let body = json!({
        "query": {"match": {"message": "failed"}}, "sort": ["name"], "size": 1, "_source": ["user.*"], "version": true,
        "seq_no_primary_term": true, "fields": ["status", {"field": "@timestamp", "format": "epoch_second"}],
        "highlight": {"fields": {"message": {}}, "pre_tags": ["<"], "post_tags": [">"]},
    });
    let answer = search(&server, "/es/test/_search", &body).await;
    let hit = &answer["hits"]["hits"][0];
    assert_eq!(hit["_source"], json!({"user": {"name": "root"}}));
    assert_eq!(hit["fields"], json!({"status": [500], "@timestamp": ["1790000001"]}));
    assert_eq!(hit["highlight"]["message"], json!(["<Failed> password for root from 203.0.113.77 port 22"]));
    assert_eq!((&hit["_version"], &hit["_seq_no"], &hit["_index"]), (&json!(1), &json!(0), &json!("test")));
    assert_eq!((&hit["_score"], &hit["sort"]), (&Value::Null, &json!(["a"])));
    let answer = search(&server, "/es/test/_search", &json!({"_source": false})).await;
    assert!(answer["hits"]["hits"][0].get("_source").is_none());
}

#[tokio::test]
async fn several_searches_are_answered_one_by_one() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    let lines = [
        json!({"index": "test"}),
        json!({"query": {"term": {"status": 404}}, "size": 0}),
        json!({"index": "nowhere"}),
        json!({}),
        json!({"index": "nowhere", "ignore_unavailable": true}),
        json!({}),
        json!({}),
        json!({"query": {"nonsense": {}}}),
    ];
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let request = Request::post("/es/_msearch").body(body.into()).unwrap();
    let answer = server.send(&somebody(), request).await.json();
    let responses = answer["responses"].as_array().unwrap();
    let statuses: Vec<&Value> = responses.iter().map(|response| &response["status"]).collect();
    assert_eq!(statuses, [&json!(200), &json!(404), &json!(200), &json!(400)]);
    assert_eq!(responses[0]["hits"]["total"]["value"], 1);
    assert_eq!(responses[2]["hits"]["total"]["value"], 0);
}

#[tokio::test]
async fn an_id_that_a_client_gave_is_found_by_the_index_of_ids() {
    let server = Server::start().await;
    let body = "{\"create\":{\"_index\":\"test\",\"_id\":\"given\"}}\n{\"name\":\"x\"}\n";
    let request = Request::post("/es/_bulk").body(body.into()).unwrap();
    assert_eq!(server.send(&somebody(), request).await.json()["errors"], false);
    for sealed in [false, true] {
        let found = server.get(&somebody(), "/es/test/_doc/given").await;
        // What came without a time shows none.
        assert_eq!(found.json()["_source"], json!({"name": "x"}), "{sealed}");
        let filtered = crate::server::of("default", Some("name:y"));
        assert_eq!(server.get(&filtered, "/es/test/_doc/given").await.status, 404, "{sealed}");
        let event = server.indexer.document(&somebody().tenant, "test", "given").await.unwrap().unwrap();
        assert_eq!(event.get("name").unwrap().text(), "x");
        assert!(server.indexer.document(&somebody().tenant, "other", "given").await.unwrap().is_none());
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn parameters_that_would_be_passed_over_are_refused() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    for path in ["/es/test/_search?extra=1", "/es/test/_count?size=1", "/es/_cat/indices?b=b"] {
        let answer = server.get(&somebody(), path).await;
        assert!(answer.status == 400 && answer.text.contains("unrecognized parameter"), "{}", answer.text);
    }
    let stats = server.get(&somebody(), "/es/test/_stats").await.json();
    assert!(stats["indices"]["test"]["total"]["store"]["size_in_bytes"].as_u64().unwrap() > 0, "{stats}");
}

/// Sends a body with a method, and gives the answer's JSON.
async fn send(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    server.send(&somebody(), request.body(body.to_string().into()).unwrap()).await.json()
}

#[tokio::test]
async fn templates_describe_indices_that_come_to_be() {
    let server = Server::start().await;
    let keyword = |name: &str| json!({"properties": {name: {"type": "keyword"}}});
    let base = json!({"template": {"mappings": keyword("code"), "settings": {"number_of_replicas": 2}}});
    send(&server, "PUT", "/es/_component_template/base", base).await;
    // What was there before a template is not touched by it.
    send(&server, "POST", "/es/tp-old/_doc", json!({"code": "Two Words"})).await;
    for (name, priority) in [("low", 1), ("high", 7)] {
        let template = json!({"index_patterns": ["tp-*"], "priority": priority, "composed_of": ["base"],
            "template": {"mappings": keyword(name), "aliases": {"{index}-all": {}}}});
        send(&server, "PUT", &format!("/es/_index_template/{name}"), template).await;
    }
    let legacy = json!({"index_patterns": "legacy-*", "mappings": {"_doc": keyword("code")}});
    send(&server, "PUT", "/es/_template/legacy", legacy).await;
    send(&server, "POST", "/es/tp-old/_doc", json!({"code": "again"})).await;
    let made = json!({"mappings": {"properties": {"n": {"type": "long"}}}, "aliases": {"own": {}}});
    send(&server, "PUT", "/es/tp-made", made).await;
    for index in ["tp-new", "legacy-new"] {
        send(&server, "POST", &format!("/es/{index}/_doc"), json!({"code": "Two Words"})).await;
        let body = json!({"query": {"term": {"code": "Two Words"}}});
        let answer = search(&server, &format!("/es/{index}/_search"), &body).await;
        assert_eq!(answer["hits"]["total"]["value"], 1, "{index}");
    }
    let kinds = |index: &'static str| {
        let server = &server;
        async move {
            let shown = server.get(&somebody(), &format!("/es/{index}")).await.json()[index].clone();
            let kind = |name: &str| shown["mappings"]["properties"][name]["type"].clone();
            let aliases = shown["aliases"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(",");
            (kind("code"), kind("high"), kind("low"), aliases)
        }
    };
    let is = |kind: &str| json!(kind);
    assert_eq!(kinds("tp-new").await, (is("keyword"), is("keyword"), Value::Null, "tp-new-all".into()));
    assert_eq!(kinds("tp-old").await, (is("text"), Value::Null, Value::Null, String::new()));
    assert_eq!(kinds("tp-made").await, (is("keyword"), is("keyword"), Value::Null, "own,tp-made-all".into()));
    let settings = server.get(&somebody(), "/es/tp-new/_settings").await.json();
    assert_eq!(settings["tp-new"]["settings"]["index"]["number_of_replicas"], 2);
    let simulated = send(&server, "POST", "/es/_index_template/_simulate_index/tp-x", json!({})).await;
    assert_eq!(simulated["template"]["mappings"]["properties"]["high"]["type"], "keyword");
}

#[tokio::test]
async fn indices_are_counted_and_their_health_told() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    let counted = server.get(&somebody(), "/es/_cat/count/te*?format=json").await.json();
    assert_eq!(counted[0]["count"], "4");
    let health = server.get(&somebody(), "/es/_cluster/health/test?level=indices").await.json();
    assert_eq!((&health["status"], &health["indices"]["test"]["status"]), (&json!("green"), &json!("green")));
    assert_eq!(server.get(&somebody(), "/es/_data_stream/test").await.status, 404);
    let streams = server.get(&somebody(), "/es/_data_stream").await.json();
    assert_eq!(streams, json!({"data_streams": []}));
    let missing = server.get(&somebody(), "/es/_cluster/health/nowhere?timeout=1s").await;
    assert_eq!((missing.status.as_u16(), &missing.json()["timed_out"]), (408, &json!(true)));
}
