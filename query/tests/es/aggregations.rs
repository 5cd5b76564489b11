//! Aggregations over HTTP: the same from events in memory and from the columns of splits; what Grafana sends.

use http::Request;
use serde_json::{Value, json};

use crate::queries::search;
use crate::server::{Server, somebody, time};

fn objects() -> Vec<Value> {
    (0..200)
        .map(|n| {
            let level = ["info", "warn", "error"][(n % 3) as usize];
            json!({"time": time(n * 60), "message": format!("line {n}"), "level": level,
                   "source": {"ip": format!("10.0.{}.1", n % 5)}, "bytes": n * 10, "took": n as f64 / 4.0, "host": format!("h{}", n % 2),
                   "tags": if n % 10 == 0 { json!(["a", "b"]) } else { json!(null) }})
        })
        .collect()
}

#[tokio::test]
async fn splits_and_memory_give_the_same() {
    let trees = [
        json!({"x": {"terms": {"field": "level"}, "aggs": {"b": {"stats": {"field": "bytes"}}}}}),
        json!({"x": {"date_histogram": {"field": "@timestamp", "fixed_interval": "30m"}, "aggs": {"l": {"terms": {"field": "level.keyword"}, "aggs": {"t": {"avg": {"field": "took"}}}}}}}),
        json!({"x": {"date_histogram": {"field": "@timestamp", "calendar_interval": "day", "time_zone": "Europe/Berlin"}}}),
        json!({"x": {"auto_date_histogram": {"field": "@timestamp", "buckets": 8}}}),
        json!({"x": {"histogram": {"field": "took", "interval": 7.5}}}),
        json!({"x": {"cardinality": {"field": "source.ip"}}, "y": {"percentiles": {"field": "bytes"}}, "z": {"value_count": {"field": "tags"}}}),
        json!({"x": {"composite": {"size": 4, "sources": [{"h": {"terms": {"field": "host"}}}, {"t": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1h"}}}]}}}),
        json!({"x": {"filters": {"filters": [{"term": {"level": "warn"}}, {"range": {"bytes": {"gte": 1000}}}]}, "aggs": {"m": {"max": {"field": "bytes"}}}}}),
        json!({"x": {"ip_range": {"field": "source.ip", "ranges": [{"mask": "10.0.0.0/23"}, {"from": "10.0.2.0"}]}}}),
        json!({"x": {"multi_terms": {"terms": [{"field": "level"}, {"field": "host"}]}}, "m": {"missing": {"field": "tags"}}}),
        json!({"x": {"terms": {"field": "level"}, "aggs": {"top": {"top_hits": {"size": 2, "_source": ["bytes"]}}, "last": {"top_metrics": {"metrics": {"field": "bytes"}, "sort": {"@timestamp": "desc"}}}}}}),
        json!({"x": {"min": {"field": "@timestamp"}}, "y": {"max": {"field": "event.ingested"}}}),
    ];
    let server = Server::start().await;
    server.ingest(&somebody(), &objects()).await;
    let mut before = Vec::new();
    for sealed in [false, true] {
        for (at, tree) in trees.iter().enumerate() {
            let body = json!({"size": 0, "query": {"match": {"message": "line"}}, "aggs": tree});
            let answer = search(&server, "/es/test/_search", &body).await["aggregations"].clone();
            if sealed {
                assert_eq!(before[at], answer, "{tree}");
            } else {
                assert!(answer["x"].is_object(), "{answer}");
                before.push(answer);
            }
        }
        server.indexer.seal().await.unwrap();
    }
    assert_eq!(before[0]["x"]["buckets"][0]["doc_count"], 67);
    assert_eq!(before[5]["x"]["value"], 5);
    assert_eq!(before[5]["z"]["value"], 40);
    assert_eq!(before[9]["m"]["doc_count"], 180);
}

#[tokio::test]
async fn grafanas_requests_are_answered() {
    let server = Server::start().await;
    server.ingest(&somebody(), &objects()).await;
    server.indexer.seal().await.unwrap();
    let millis = |seconds: i64| (1_790_000_000 + seconds) * 1_000;
    let (from, to) = (millis(0), millis(200 * 60));
    let range = json!({"range": {"@timestamp": {"gte": from, "lte": to, "format": "epoch_millis"}}});
    let text = json!({"query_string": {"analyze_wildcard": true, "query": "level:warn"}});
    let chart = json!({
        "size": 0,
        "query": {"bool": {"filter": [range, text]}},
        "aggs": {"3": {"terms": {"field": "host", "size": 10, "order": {"_key": "desc"}, "min_doc_count": 1}, "aggs": {
            "2": {"date_histogram": {"fixed_interval": "30m", "field": "@timestamp", "min_doc_count": 0, "format": "epoch_millis",
                                     "extended_bounds": {"min": from, "max": to}, "time_zone": "utc"}, "aggs": {
                "1": {"avg": {"field": "bytes"}},
                "4": {"moving_fn": {"buckets_path": "1", "window": 5, "script": "MovingFunctions.unweightedAvg(values)"}},
                "5": {"bucket_script": {"buckets_path": {"var1": "1"}, "script": "params.var1 * 2"}},
                "6": {"extended_stats": {"field": "bytes", "sigma": 2}},
                "7": {"percentiles": {"field": "bytes", "percents": ["25", "50"]}},
                "8": {"derivative": {"buckets_path": "_count"}}}}}}},
    });
    let logs = json!({
        "size": 20, "track_total_hits": true, "query": {"bool": {"filter": [range]}},
        "sort": [{"@timestamp": {"order": "desc", "unmapped_type": "boolean"}}, {"_doc": {"order": "desc"}}], "script_fields": {},
        "highlight": {"fields": {"*": {}}, "pre_tags": ["@HIGHLIGHT@"], "post_tags": ["@/HIGHLIGHT@"], "fragment_size": 2147483647},
        "aggs": {"1": {"date_histogram": {"field": "@timestamp", "min_doc_count": 0, "extended_bounds": {"min": from, "max": to}, "format": "epoch_millis", "fixed_interval": "10m"}}},
    });
    let header = json!({"search_type": "query_then_fetch", "ignore_unavailable": true, "index": "test"});
    let body = format!("{header}\n{chart}\n{header}\n{logs}\n");
    let request = Request::post("/es/_msearch?max_concurrent_shard_requests=5").body(body.into()).unwrap();
    let answer = server.send(&somebody(), request).await.json();
    let responses = answer["responses"].as_array().unwrap();
    let buckets = &responses[0]["aggregations"]["3"]["buckets"];
    assert_eq!((&buckets[0]["key"], &buckets[0]["doc_count"]), (&json!("h1"), &json!(34)), "{answer}");
    let charted = buckets[0]["2"]["buckets"].as_array().unwrap();
    assert_eq!(charted[0]["key_as_string"], json!(charted[0]["key"].to_string()));
    let total: u64 = charted.iter().map(|bucket| bucket["doc_count"].as_u64().unwrap()).sum();
    assert_eq!(total, 34);
    let average = charted[1]["1"]["value"].as_f64().unwrap();
    assert_eq!(charted[1]["5"]["value"], json!(average * 2.0));
    assert_eq!(responses[1]["hits"]["total"], json!({"value": 200, "relation": "eq"}));
    assert_eq!(responses[1]["hits"]["hits"].as_array().unwrap().len(), 20);
    assert_eq!(responses[1]["hits"]["hits"][0]["_source"]["bytes"], 1990);
}

#[tokio::test]
async fn an_aggregation_that_is_too_large_is_an_error() {
    use locard_query::api::Limits;
    let server = Server::with(Limits { memory_bytes: 64 << 10, ..Limits::default() }).await;
    let objects: Vec<Value> =
        (0..2_000).map(|n| json!({"time": time(n), "message": "m", "id": format!("value-{n}")})).collect();
    server.ingest(&somebody(), &objects).await;
    for (aggs, kind) in [
        (json!({"x": {"terms": {"field": "id", "size": 5}}}), "circuit_breaking_exception"),
        (json!({"x": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1ms"}}}), "e"),
    ] {
        let body = json!({"size": 0, "aggs": aggs});
        let answer = crate::queries::post(&server, &somebody(), "/es/test/_search", &body).await;
        assert!(answer.status.is_client_error() && answer.text.contains(kind), "{}", answer.text);
    }
    let server = Server::start().await;
    server.ingest(&somebody(), &objects).await;
    let body = json!({"size": 0, "aggs": {"x": {"date_histogram": {"field": "@timestamp", "fixed_interval": "10ms"}}}});
    let answer = crate::queries::post(&server, &somebody(), "/es/test/_search", &body).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error"]["type"]),
        (400, &json!("too_many_buckets_exception"))
    );
}

#[tokio::test]
async fn what_a_query_does_not_find_is_counted_where_asked() {
    let server = Server::start().await;
    server.ingest(&somebody(), &objects()).await;
    for sealed in [false, true] {
        let body = json!({"size": 0, "query": {"term": {"level": "warn"}}, "aggs": {
            "all": {"global": {}, "aggs": {"levels": {"terms": {"field": "level"}}}},
            "levels": {"terms": {"field": "level", "min_doc_count": 0}},
            "hosts": {"terms": {"field": "host"}, "aggs": {"l": {"terms": {"field": "level", "min_doc_count": 0, "include": "i.*"}}}},
        }});
        let found = search(&server, "/es/test/_search", &body).await["aggregations"].clone();
        assert_eq!(found["all"]["doc_count"], 200, "sealed: {sealed}");
        assert_eq!(found["all"]["levels"]["buckets"][0], json!({"key": "info", "doc_count": 67}));
        let expected = json!([
            {"key": "warn", "doc_count": 67}, {"key": "error", "doc_count": 0}, {"key": "info", "doc_count": 0},
        ]);
        assert_eq!(found["levels"]["buckets"], expected);
        assert_eq!(found["hosts"]["buckets"][0]["l"]["buckets"], json!([{"key": "info", "doc_count": 0}]));
        server.indexer.seal().await.unwrap();
    }
    let nested = json!({"aggs": {"x": {"filter": {"match_all": {}}, "aggs": {"y": {"global": {}}}}}});
    let answer = crate::queries::post(&server, &somebody(), "/es/test/_search", &nested).await;
    assert!(answer.status == 400 && answer.text.contains("global"), "{}", answer.text);
}

#[tokio::test]
async fn names_have_types_where_asked() {
    let server = Server::start().await;
    server.ingest(&somebody(), &objects()).await;
    let body = json!({"size": 0, "aggs": {
        "l": {"terms": {"field": "level"}, "aggs": {"m": {"max": {"field": "bytes"}}, "s": {"bucket_script": {"buckets_path": {"m": "m"}, "script": "params.m * 2"}}}},
        "b": {"terms": {"field": "bytes", "size": 1}}, "t": {"terms": {"field": "took", "size": 1}}, "n": {"terms": {"field": "nothing"}},
        "p": {"percentiles": {"field": "bytes"}}, "f": {"filters": {"filters": {"x": {"match_all": {}}}}, "aggs": {"c": {"value_count": {"field": "bytes"}}}},
        "d": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1d"}}, "a": {"max_bucket": {"buckets_path": "l>m"}},
    }});
    let found = search(&server, "/es/test/_search?typed_keys=true", &body).await["aggregations"].clone();
    let names: Vec<&String> = found.as_object().unwrap().keys().collect();
    let expected = [
        "bucket_metric_value#a",
        "date_histogram#d",
        "dterms#t",
        "filters#f",
        "lterms#b",
        "sterms#l",
        "tdigest_percentiles#p",
        "umterms#n",
    ];
    assert_eq!(names, expected);
    let bucket = &found["sterms#l"]["buckets"][0];
    assert!(bucket["max#m"].is_object() && bucket["simple_value#s"].is_object(), "{bucket}");
    assert_eq!(found["filters#f"]["buckets"]["x"]["value_count#c"]["value"], 200);
}
