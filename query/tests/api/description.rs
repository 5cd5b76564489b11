//! The API's description is true of real answers.

use serde_json::{Value, json};

use crate::server::{Server, somebody, time};

/// Every required member is there, and no member is undescribed.
#[track_caller]
fn fits(document: &Value, name: &str, answer: &Value) {
    let schema = &document["components"]["schemas"][name];
    let members = answer.as_object().unwrap_or_else(|| panic!("{name}: {answer}"));
    for required in schema["required"].as_array().unwrap() {
        assert!(members.contains_key(required.as_str().unwrap()), "{name} lacks {required}: {answer}");
    }
    if schema["additionalProperties"] != json!(true) {
        for member in members.keys() {
            assert!(schema["properties"][member].is_object(), "{name} does not describe {member}");
        }
    }
}

#[tokio::test]
async fn answers_are_as_described() {
    let server = Server::start().await;
    server.ingest(&somebody(), &[json!({"time": time(0), "message": "x", "host": "a"})]).await;
    let document = server.ask(&somebody(), "/api/openapi.json", &[]).await;
    for (path, name) in [
        ("/api/search", "Answer"),
        ("/api/events/0-0", "Event"),
        ("/api/events/0-0/context", "Context"),
        ("/api/entity?field=host&value=a", "Entity"),
        ("/api/fields", "Fields"),
        ("/api/fields/host/values", "Values"),
        ("/api/holds", "Holds"),
        ("/api/status", "Status"),
    ] {
        fits(&document, name, &server.ask(&somebody(), path, &[]).await);
    }
    for (path, status) in
        [("/v1/logs", "415"), ("/ingest/ndjson", "503"), ("/loki/api/v1/push", "204"), ("/api/search", "413")]
    {
        assert!(document["paths"][path]["post"]["responses"][status].is_object(), "{path} {status}");
    }
    let fields = server.ask(&somebody(), "/api/fields", &[]).await;
    fits(&document, "Field", &fields["fields"][0]);
    let problem = server.get(&somebody(), "/api/search?q=(").await.json();
    fits(&document, "Problem", &problem);
}
