//! Clauses of the DSL, over hot events and over splits: who is found, by name.

use http::Request;
use locard_indexer::Principal;
use serde_json::{Value, json};

use crate::server::{Answer, Server, somebody, time};

/// Sends a body.
pub async fn post(server: &Server, principal: &Principal, path: &str, body: &Value) -> Answer {
    let request =
        Request::post(path).header("content-type", "application/json").body(body.to_string().into());
    server.send(principal, request.unwrap()).await
}

/// A search that must succeed.
pub async fn search(server: &Server, path: &str, body: &Value) -> Value {
    let answer = post(server, &somebody(), path, body).await;
    assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
    answer.json()
}

/// The member `name` of each hit's source, in order.
#[track_caller]
pub fn names(answer: &Value) -> Vec<&str> {
    let hits = answer["hits"]["hits"].as_array().unwrap_or_else(|| panic!("no hits: {answer}"));
    hits.iter().map(|hit| hit["_source"]["name"].as_str().unwrap()).collect()
}

pub fn documents() -> Vec<Value> {
    vec![
        json!({"time": time(1), "message": "Failed password for root from 203.0.113.77 port 22", "name": "a", "status": 500,
               "user": {"name": "root"}, "source": {"ip": "203.0.113.77"}, "kind": "PushEvent", "size": 500.5}),
        json!({"time": time(2), "message": "Accepted password for kim", "name": "b", "status": 200,
               "user": {"name": "Kim"}, "source": {"ip": "10.1.2.3"}, "kind": "push event", "tags": ["x", "y"]}),
        json!({"time": time(3), "message": "password failed: node-1.example.com", "name": "c", "status": 404,
               "user": {"name": "root-2"}, "source": {"ip": "10.9.9.9"}, "kind": "Fork", "ok": true}),
        json!({"time": time(4), "message": "nothing of note", "name": "d", "kind": "pushed", "size": 500}),
    ]
}

/// Who is found, before and after sealing.
async fn check(cases: &[(Value, &[&str])]) {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    for sealed in [false, true] {
        for (query, expected) in cases {
            let body = json!({"query": query, "sort": [{"name": "asc"}]});
            let answer = search(&server, "/es/test/_search", &body).await;
            assert_eq!(names(&answer), *expected, "sealed: {sealed} {query}");
            assert_eq!(
                answer["hits"]["total"],
                json!({"value": expected.len(), "relation": "eq"}),
                "{query}"
            );
        }
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn terms_are_exact_on_keywords_and_words_on_texts() {
    check(&[
        (json!({"match_all": {}}), &["a", "b", "c", "d"]),
        (json!({"match_none": {}}), &[]),
        (json!({"term": {"user.name": "root"}}), &["a"]),
        (json!({"term": {"user.name": {"value": "ROOT", "case_insensitive": true}}}), &["a"]),
        (json!({"term": {"kind": "pushevent"}}), &["a"]),
        (json!({"term": {"kind": "PushEvent"}}), &[]),
        (json!({"term": {"kind.keyword": "PushEvent"}}), &["a"]),
        (json!({"term": {"kind": "push"}}), &["b"]),
        (json!({"term": {"status": 500}}), &["a"]),
        (json!({"term": {"size": 500}}), &["d"]),
        (json!({"term": {"ok": true}}), &["c"]),
        (json!({"term": {"source.ip": "10.0.0.0/8"}}), &["b", "c"]),
        (json!({"terms": {"user.name": ["root", "Kim"]}}), &["a", "b"]),
        (json!({"terms": {"status": [404, 200]}}), &["b", "c"]),
        (json!({"term": {"_index": "test"}}), &["a", "b", "c", "d"]),
        (json!({"exists": {"field": "tags"}}), &["b"]),
        (json!({"bool": {"must_not": {"exists": {"field": "status"}}}}), &["d"]),
    ])
    .await;
}

#[tokio::test]
async fn texts_are_matched_by_words_phrases_and_beginnings() {
    check(&[
        (json!({"match": {"message": "failed kim"}}), &["a", "b", "c"]),
        (json!({"match": {"message": {"query": "failed password", "operator": "and"}}}), &["a", "c"]),
        (json!({"match": {"message": {"query": "failed password root", "minimum_should_match": 2}}}), &["a", "c"]),
        (json!({"match": {"message": "203.0.113.77"}}), &["a"]),
        (json!({"match": {"size": 500}}), &["d"]),
        (json!({"match_phrase": {"message": "failed password"}}), &["a"]),
        (json!({"match_phrase": {"message": "PASSWORD failed"}}), &["c"]),
        (json!({"match_phrase_prefix": {"message": "password for r"}}), &["a"]),
        (json!({"match_bool_prefix": {"message": "accepted ki"}}), &["b"]),
        (json!({"match_bool_prefix": {"message": {"query": "password ki", "operator": "and"}}}), &["b"]),
        (json!({"multi_match": {"query": "root", "fields": ["message", "user.name"]}}), &["a"]),
        (json!({"multi_match": {"query": "root fork", "fields": ["message", "kind"], "type": "cross_fields", "operator": "and"}}), &[]),
        (json!({"multi_match": {"query": "password fork", "fields": ["message", "kind"], "type": "cross_fields", "operator": "and"}}), &["c"]),
    ])
    .await;
}

#[tokio::test]
async fn patterns_are_about_a_whole_keyword_or_one_word() {
    check(&[
        (json!({"prefix": {"user.name": "root"}}), &["a", "c"]),
        (json!({"prefix": {"kind": "push"}}), &["a", "b", "d"]),
        (json!({"prefix": {"kind.keyword": "push"}}), &["b", "d"]),
        (json!({"wildcard": {"user.name": "ro?t*"}}), &["a", "c"]),
        (json!({"wildcard": {"kind": {"value": "*EVENT"}}}), &[]),
        (json!({"wildcard": {"kind": {"value": "*EVENT", "case_insensitive": true}}}), &["a", "b"]),
        (json!({"regexp": {"user.name": "ro+t(-[0-9])?"}}), &["a", "c"]),
        (json!({"regexp": {"kind": "push(ed)?"}}), &["b", "d"]),
    ])
    .await;
}

#[tokio::test]
async fn ranges_are_of_numbers_addresses_and_times() {
    let (second, third) = (time(2), time(3));
    let millis = 1_790_000_002_000i64;
    check(&[
        (json!({"range": {"status": {"gte": 404}}}), &["a", "c"]),
        (json!({"range": {"status": {"gt": 200, "lt": "500"}}}), &["c"]),
        (json!({"range": {"source.ip": {"gte": "10.0.0.0", "lte": "10.255.255.255"}}}), &["b", "c"]),
        (json!({"range": {"@timestamp": {"gte": second, "lt": third}}}), &["b"]),
        (json!({"range": {"@timestamp": {"gt": second, "lte": third}}}), &["c"]),
        (json!({"range": {"@timestamp": {"lte": millis, "format": "epoch_millis"}}}), &["a", "b"]),
        (json!({"range": {"@timestamp": {"gte": "now-1d/d", "lte": "now"}}}), &[]),
        (
            json!({"range": {"@timestamp": {"gte": "2026-09||/y", "time_zone": "+02:00"}}}),
            &["a", "b", "c", "d"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn clauses_are_joined() {
    let failed = json!({"match": {"message": "failed"}});
    let root = json!({"term": {"user.name": "root"}});
    let error = json!({"range": {"status": {"gte": 400}}});
    check(&[
        (json!({"bool": {"must": [failed, root]}}), &["a"]),
        (json!({"bool": {"filter": failed, "must_not": [root]}}), &["c"]),
        (json!({"bool": {"should": [root, {"term": {"kind": "pushed"}}]}}), &["a", "d"]),
        (json!({"bool": {"must": failed, "should": [root]}}), &["a", "c"]),
        (json!({"bool": {"should": [failed, root, error], "minimum_should_match": 3}}), &["a"]),
        (json!({"bool": {"should": [failed, root, error], "minimum_should_match": "67%"}}), &["a", "c"]),
        (json!({"constant_score": {"filter": root}}), &["a"]),
        (json!({"dis_max": {"queries": [root, error]}}), &["a", "c"]),
        (json!({"function_score": {"query": root, "functions": []}}), &["a"]),
        (json!({"nested": {"path": "user", "query": root}}), &["a"]),
    ])
    .await;
}

#[tokio::test]
async fn query_texts_are_read_as_lucene_reads_them() {
    let text = |query: &str| json!({"query_string": {"query": query}});
    check(&[
        (text("failed AND root"), &["a", "c"]),
        (text("message:(failed AND root)"), &["a"]),
        (text("failed root"), &["a", "c"]),
        (text("failed -message:root"), &["c"]),
        (text("message:(accepted OR nothing)"), &["b", "d"]),
        (text("status:[400 TO 500}"), &["c"]),
        (text("status:>=404 AND NOT user.name:root"), &["c"]),
        (text(r#""failed password""#), &["a"]),
        (text("kind:push*"), &["a", "b", "d"]),
        (text("kind:/push(ed)?/"), &["b", "d"]),
        (text("_exists_:tags"), &["b"]),
        (text("*:*"), &["a", "b", "c", "d"]),
        (text("accepted OR failed AND root"), &["a", "c"]),
        (json!({"query_string": {"query": "failed root", "default_operator": "AND", "fields": ["message"]}}), &["a"]),
        (json!({"query_string": {"query": "root", "fields": ["user.name"]}}), &["a"]),
        (json!({"simple_query_string": {"query": "failed + root | kim", "fields": ["message"]}}), &["a", "b"]),
        (json!({"simple_query_string": {"query": "password -failed", "fields": ["message"], "default_operator": "and"}}), &["b"]),
        (json!({"simple_query_string": {"query": "\"password for\" + k*", "fields": ["message"]}}), &["b"]),
    ])
    .await;
}

#[tokio::test]
async fn what_cannot_be_answered_exactly_is_refused_by_name() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    for (body, part) in [
        (json!({"query": {"nonsense": {}}}), "unknown query [nonsense]"),
        (json!({"query": {"script": {"script": "1"}}}), "query script"),
        (
            json!({"query": {"match": {"message": {"query": "a", "fuzziness": "most"}}}}),
            "Invalid fuzziness value",
        ),
        (json!({"query": {"match_phrase": {"message": {"query": "a b c d e f", "slop": 9}}}}), "slop 9"),
        (json!({"query": {"query_string": {"query": "a~3"}}}), "Invalid fuzziness value"),
        (json!({"query": {"query_string": {"query": "a", "fields": "b"}}}), "[fields]"),
        (
            json!({"query": {"query_string": {"query": "a", "fields": ["b"], "default_field": "c"}}}),
            "[default_field]",
        ),
        (json!({"query": {"query_string": {"query": "(a"}}}), "Failed to parse query"),
        (json!({"query": {"range": {"@timestamp": {"gte": "soon"}}}}), "failed to parse date field [soon]"),
        (json!({"query": {"term": {"a": "1", "b": "2"}}}), "multiple fields"),
        (json!({"query": {"regexp": {"a": "~b"}}}), "regexp operator ~"),
        (json!({"suggest": {"a": {}}, "size": 1}), "suggest"),
    ] {
        let answer = post(&server, &somebody(), "/es/test/_search", &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert!(answer.text.contains(part), "{body}: {}", answer.text);
        assert_eq!(answer.json()["status"], 400);
    }
}

#[tokio::test]
async fn words_may_be_mistaken_and_stand_apart() {
    check(&[
        (json!({"match": {"message": {"query": "faild", "fuzziness": "AUTO"}}}), &["a", "c"]),
        (json!({"match": {"message": {"query": "acepted", "fuzziness": 1}}}), &["b"]),
        (json!({"match": {"message": {"query": "acepted", "fuzziness": 0}}}), &[]),
        (json!({"match": {"message": {"query": "acepted", "fuzziness": 1, "prefix_length": 3}}}), &[]),
        (json!({"match": {"message": {"query": "pasword faield", "fuzziness": "AUTO", "operator": "and"}}}), &["a", "c"]),
        (json!({"fuzzy": {"user.name": "roto"}}), &["a"]),
        (json!({"fuzzy": {"user.name": {"value": "roto", "transpositions": false, "fuzziness": 1}}}), &[]),
        (json!({"query_string": {"query": "message:acepted~1"}}), &["b"]),
        (json!({"simple_query_string": {"query": "nothign~", "fields": ["message"]}}), &["d"]),
        (json!({"match_phrase": {"message": "failed root"}}), &[]),
        (json!({"match_phrase": {"message": {"query": "failed root", "slop": 1}}}), &[]),
        (json!({"match_phrase": {"message": {"query": "failed root", "slop": 2}}}), &["a"]),
        (json!({"match_phrase": {"message": {"query": "failed password", "slop": 2}}}), &["a", "c"]),
        (json!({"match_phrase_prefix": {"message": {"query": "accepted k", "slop": 2}}}), &["b"]),
        (json!({"multi_match": {"query": "nothing note", "type": "phrase", "slop": 1, "fields": ["message"]}}), &["d"]),
        (json!({"query_string": {"query": "\"failed root\"~2", "fields": ["message"]}}), &["a"]),
    ])
    .await;
}

#[tokio::test]
async fn objects_exist_where_a_field_below_does() {
    check(&[
        (json!({"exists": {"field": "user"}}), &["a", "b", "c"]),
        (json!({"exists": {"field": "user.name"}}), &["a", "b", "c"]),
        (json!({"exists": {"field": "use"}}), &[]),
        (json!({"bool": {"must_not": {"exists": {"field": "source"}}}}), &["d"]),
        (json!({"query_string": {"query": "_exists_:user"}}), &["a", "b", "c"]),
        (json!({"multi_match": {"query": "kim", "fields": ["user.*", "nothing*"]}}), &[]),
        (json!({"multi_match": {"query": "Kim", "fields": ["us*.name"]}}), &["b"]),
        (json!({"query_string": {"query": "user.\\*:root"}}), &["a"]),
    ])
    .await;
}

/// Adds documents to an index that has a mapping.
async fn mapped(server: &Server) {
    let mapping = json!({"mappings": {"properties": {
        "code": {"type": "keyword"},
        "title": {"type": "text", "fielddata": true, "fields": {"raw": {"type": "keyword"}}},
        "at": {"type": "date"},
        "nick": {"type": "alias", "path": "code"},
    }}});
    let request = Request::put("/es/things").body(mapping.to_string().into()).unwrap();
    assert_eq!(server.send(&somebody(), request).await.status, 200);
    let documents = [
        json!({"name": "a", "code": "Two Words", "title": "Quick Fox", "at": "2026-03-09T12:00:00Z"}),
        json!({"name": "b", "code": "word", "title": "quick dog", "at": "2026-03-09T12:00:01Z"}),
    ];
    let lines: String =
        documents.iter().map(|document| format!("{{\"index\":{{}}}}\n{document}\n")).collect();
    let request = Request::post("/es/things/_bulk").body(lines.into()).unwrap();
    assert_eq!(server.send(&somebody(), request).await.json()["errors"], false);
}

#[tokio::test]
async fn a_mapping_says_how_a_field_is_asked() {
    let server = Server::start().await;
    mapped(&server).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({"term": {"code": "Two Words"}}), &["a"]),
        (json!({"term": {"nick": "Two Words"}}), &["a"]),
        (json!({"match": {"code": "two words"}}), &[]),
        (json!({"term": {"title.raw": "Quick Fox"}}), &["a"]),
        (json!({"term": {"title": "quick"}}), &["a", "b"]),
        (json!({"range": {"at": {"gte": 1_773_057_601_000_i64}}}), &["b"]),
        (json!({"range": {"at": {"lt": "1773057601000"}}}), &["a"]),
    ];
    for sealed in [false, true] {
        for (query, expected) in cases {
            let body = json!({"query": query, "sort": ["name"]});
            let answer = search(&server, "/es/things/_search", &body).await;
            assert_eq!(names(&answer), *expected, "sealed: {sealed} {query}");
        }
        let body = json!({"sort": [{"at": "desc"}], "size": 1, "search_after": [1_773_057_601_000_i64]});
        let answer = search(&server, "/es/things/_search", &body).await;
        assert_eq!(answer["hits"]["hits"][0]["sort"], json!([1_773_057_600_000_i64]));
        let body = json!({"size": 0, "aggs": {"w": {"terms": {"field": "title"}}, "r": {"terms": {"field": "title.raw"}}}});
        let answer = search(&server, "/es/things/_search", &body).await;
        let first = |name: &str| answer["aggregations"][name]["buckets"][0].clone();
        assert_eq!(first("w"), json!({"key": "quick", "doc_count": 2}));
        assert_eq!(first("r"), json!({"key": "Quick Fox", "doc_count": 1}));
        server.indexer.seal().await.unwrap();
    }
    // Another index in the same search is asked in its own way.
    server.ingest(&somebody(), &[json!({"name": "c", "code": "two words"})]).await;
    let body = json!({"query": {"match": {"code": "words"}}});
    assert_eq!(names(&search(&server, "/es/_search", &body).await), ["c"]);
}
