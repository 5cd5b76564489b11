//! Indices and fields: `_cat`, `_field_caps`, `_mapping`, and what set-up calls of shippers are told.

use http::Request;
use locard_query::api::Limits;
use serde_json::{Value, json};

use crate::queries::{documents, search};
use crate::server::{Server, damage, somebody};

#[tokio::test]
async fn indices_are_datasets() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    for sealed in [false, true] {
        let indices = server.get(&somebody(), "/es/_cat/indices/te*?format=json").await.json();
        assert_eq!(
            (&indices[0]["index"], &indices[0]["docs.count"]),
            (&json!("test"), &json!("4")),
            "{sealed}"
        );
        let table = server.get(&somebody(), "/es/_cat/indices?h=index,docs.count&v").await;
        assert_eq!(table.text, "index docs.count\ntest  4\n");
        for (path, status) in [
            ("/es/nowhere/_search", 404),
            ("/es/nowhere/_search?ignore_unavailable=true", 200),
            ("/es/nowhere*/_search", 200),
            ("/es/nowhere*/_search?allow_no_indices=false", 404),
            ("/es/test,nowhere/_count", 404),
            ("/es/_all/_count", 200),
        ] {
            assert_eq!(server.get(&somebody(), path).await.status, status, "{path}");
        }
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn fields_have_capabilities_and_mappings() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    let caps = server.get(&somebody(), "/es/test/_field_caps?fields=*").await.json();
    for (field, kind) in [
        ("@timestamp", "date"),
        ("message", "text"),
        ("kind.keyword", "keyword"),
        ("user.name", "keyword"),
        ("status", "long"),
        ("size", "double"),
        ("source.ip", "ip"),
        ("ok", "boolean"),
    ] {
        assert_eq!(caps["fields"][field][kind]["type"], kind, "{field}: {}", caps["fields"][field]);
    }
    let mapping = server.get(&somebody(), "/es/test/_mapping").await.json();
    let properties = &mapping["test"]["mappings"]["properties"];
    assert_eq!(properties["user"]["properties"]["name"]["type"], "keyword");
    assert_eq!(properties["kind"]["fields"]["keyword"]["type"], "keyword");
    let field = server.get(&somebody(), "/es/test/_mapping/field/user.*").await.json();
    assert_eq!(field["test"]["mappings"]["user.name"]["mapping"]["name"]["type"], "keyword");
    let index = server.get(&somebody(), "/es/test").await.json();
    assert_eq!(index["test"]["mappings"]["properties"], *properties);
    for (path, status) in [("/es/test", 200), ("/es/nowhere", 404)] {
        let request = Request::head(path).body(axum::body::Body::empty()).unwrap();
        assert_eq!(server.send(&somebody(), request).await.status, status, "{path}");
    }
    let valid = search(&server, "/es/test/_validate/query", &json!({"query": {"x": {}}})).await;
    assert_eq!(valid["valid"], false);
}

#[tokio::test]
async fn what_shippers_ask_first_is_answered() {
    let server = Server::start().await;
    let body = r#"{"index_patterns":["filebeat-*"],"policy":{"phases":{}}}"#;
    for (method, path, status) in [
        ("GET", "/es/", 200),
        ("HEAD", "/es/", 200),
        ("GET", "/es/_license", 200),
        ("GET", "/es/_xpack", 200),
        ("GET", "/es/_cluster/health?wait_for_status=yellow", 200),
        ("GET", "/es/_cat/health", 200),
        ("GET", "/es/_nodes/http", 200),
        ("HEAD", "/es/_index_template/filebeat", 404),
        ("PUT", "/es/_index_template/filebeat", 200),
        ("GET", "/es/_ilm/policy/filebeat", 404),
        ("PUT", "/es/_ilm/policy/filebeat", 200),
        ("GET", "/es/_ingest/pipeline/a", 404),
        ("GET", "/es/_alias/filebeat", 404),
        ("GET", "/es/_nonsense/x", 400),
    ] {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        assert_eq!(server.send(&somebody(), request).await.status, status, "{method} {path}");
    }
    let info = server.get(&somebody(), "/es/").await.json();
    assert_eq!(info["tagline"], "You Know, for Search");
    let number: Value = info["version"]["number"].clone();
    assert!(number.as_str().unwrap().starts_with("8."), "{info}");
}

/// Who is told a part of a mapping takes it for the whole.
#[tokio::test]
async fn fields_that_cannot_all_be_told_are_an_error() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    server.indexer.seal().await.unwrap();
    let directory = server.stop().await;
    damage(directory.path());
    let server = Server::open(directory, Limits::default()).await;
    server.ingest(&somebody(), &documents()).await;
    for path in ["/es/test/_mapping", "/es/test/_field_caps?fields=*"] {
        let answer = server.get(&somebody(), path).await;
        let kind = answer.json()["error"]["type"].clone();
        assert_eq!(
            (answer.status.as_u16(), kind),
            (503, json!("search_phase_execution_exception")),
            "{path}"
        );
    }
}
