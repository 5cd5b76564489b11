//! Requests to every face that shows something of events, and what comes back as text. Knows no principal and no secret.

use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use locard_indexer::Principal;
use serde_json::{Value, json};

use crate::export::FORMATS;
use crate::parquet;
use crate::server::{Server, address};

/// A word that is asked for, and in every event that must not be seen.
pub const WORD: &str = "plover";

pub fn get(path: &str, parameters: &[(&str, &str)]) -> Request<Body> {
    Request::get(address(path, parameters)).body(Body::empty()).unwrap()
}

fn post(path: &str, body: &Value) -> Request<Body> {
    Request::post(path).header("content-type", "application/json").body(body.to_string().into()).unwrap()
}

/// Every request that shows something of events and takes a query.
pub fn asking(q: &str) -> Vec<Request<Body>> {
    let mut requests = vec![
        get("/api/search", &[("q", q)]),
        get("/api/search", &[("q", q), ("explain", "true")]),
        Request::get(address("/api/search", &[("q", q)]))
            .header("accept", "application/x-ndjson")
            .body(Body::empty())
            .unwrap(),
        get("/api/fields", &[("q", q)]),
    ];
    for field in ["open_field", "level", "host", "user.name", "message"] {
        requests.push(get(&format!("/api/fields/{field}/values"), &[("q", q)]));
    }
    for (field, value) in [("host", "a"), ("level", "high"), ("source.ip", "10.0.0.1")] {
        requests.push(get("/api/entity", &[("q", q), ("field", field), ("value", value)]));
    }
    for value in ["word", WORD, "a", "10.0.0.1"] {
        requests.push(get("/api/entity", &[("q", q), ("anywhere", "true"), ("value", value)]));
    }
    for format in FORMATS {
        requests.push(get("/api/export", &[("q", q), ("format", format)]));
        requests.push(get("/api/export", &[("q", q), ("format", format), ("fields", "message,user.name")]));
    }
    let lucene = json!({"query_string": {"query": q}});
    let buckets = json!({"names": {"terms": {"field": "user.name"}}, "values": {"terms": {"field": "open_field.keyword"}}});
    requests.push(post("/es/_search", &json!({"query": lucene, "aggs": buckets})));
    requests.push(post("/es/_count", &json!({"query": lucene})));
    requests.push(get("/es/test/_search", &[("q", q)]));
    requests
}

/// Requests that take none.
pub fn unasked() -> Vec<Request<Body>> {
    let mut requests = vec![
        get("/es/_field_caps", &[("fields", "*")]),
        post("/es/_msearch", &json!({})),
        post(
            "/es/_mget",
            &json!({"docs": [{"_index": "test", "_id": "0-1"}, {"_index": "test", "_id": "1-1"}]}),
        ),
    ];
    *requests[1].body_mut() = Body::from("{}\n{\"query\":{\"match_all\":{}}}\n{\"index\":\"test\"}\n{}\n");
    for path in [
        "/es/_mapping",
        "/es/test/_mapping",
        "/es/_mapping/field/*",
        "/es/test",
        "/es/_settings",
        "/es/_cat/indices",
        "/es/_stats",
        "/es/_resolve/index/*",
        "/es/_search?scroll=1m&size=1",
        "/api/status",
        "/api/searches",
        "/api/lookups",
        "/api/openapi.json",
    ] {
        requests.push(get(path.split('?').next().unwrap(), &[]));
        *requests.last_mut().unwrap().uri_mut() = path.parse().unwrap();
    }
    for sequence in 0..10 {
        for partition in 0..3 {
            let id = format!("{partition}-{sequence}");
            for path in
                [format!("/api/events/{id}"), format!("/es/test/_doc/{id}"), format!("/es/test/_source/{id}")]
            {
                requests.push(get(&path, &[]));
            }
            requests.push(get(&format!("/api/events/{id}/context"), &[("by", "host"), ("q", "* OR plover")]));
        }
    }
    requests
}

pub struct Shown {
    pub status: u16,
    pub text: String,
    pub trailers: HeaderMap,
}

/// Asks, and gives all that comes as text.
pub async fn ask(server: &Server, who: &Principal, request: Request<Body>) -> Shown {
    let (parts, body) = server.respond(who, request).await.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let bytes = body.to_bytes();
    let is_parquet = bytes.starts_with(b"PAR1");
    let text = if is_parquet { parquet::text(&bytes) } else { String::from_utf8_lossy(&bytes).into_owned() };
    Shown { status: parts.status.as_u16(), text, trailers }
}

/// How many events an answer says there are.
pub fn counted(shown: &Shown) -> u64 {
    let json = serde_json::from_str::<Value>(&shown.text).unwrap_or_default();
    let said =
        [&json["matched"]["value"], &json["hits"]["total"]["value"]].map(|said| said.as_u64().unwrap_or(0));
    said.into_iter().max().unwrap_or(0)
}
