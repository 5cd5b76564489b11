//! Sorting, `from` and `size`, `search_after`, scrolls, points in time.

use http::Request;
use serde_json::{Value, json};

use crate::queries::{documents, names, post, search};
use crate::server::{Server, somebody, time};

async fn numbered(server: &Server, range: std::ops::Range<i64>) {
    // Several events share a millisecond.
    let objects: Vec<Value> = range
        .map(|n| json!({"time": time(n / 5), "message": "m", "name": format!("n{n:03}"), "n": n % 7}))
        .collect();
    server.ingest(&somebody(), &objects).await;
}

fn sorted(answer: &Value) -> Vec<String> {
    names(answer).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn hits_are_sorted_by_several_keys() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    for (sort, expected) in [
        (json!([{"status": "desc"}]), ["a", "c", "b", "d"]),
        (json!([{"status": {"order": "asc", "missing": "_first"}}]), ["d", "b", "c", "a"]),
        (json!([{"@timestamp": "desc"}]), ["d", "c", "b", "a"]),
        (json!(["_doc"]), ["a", "b", "c", "d"]),
        (json!([{"source.ip": {"order": "desc"}}, "name"]), ["a", "c", "b", "d"]),
    ] {
        let answer = search(&server, "/es/_search", &json!({"sort": sort})).await;
        assert_eq!(names(&answer), expected, "{sort}");
    }
    let answer = search(&server, "/es/_search?sort=status:asc&size=1&from=1", &json!({})).await;
    assert_eq!((names(&answer), &answer["hits"]["hits"][0]["sort"]), (vec!["c"], &json!([404])));
    assert_eq!(answer["hits"]["total"]["value"], 4);
}

#[tokio::test]
async fn search_after_comes_to_every_hit_once() {
    for sort in [
        json!([{"@timestamp": "desc"}]),
        json!([{"@timestamp": "asc"}]),
        json!([{"n": "asc"}]),
        json!([{"n": "desc"}, {"name": "asc"}]),
    ] {
        let server = Server::start().await;
        numbered(&server, 0..60).await;
        server.indexer.seal().await.unwrap();
        numbered(&server, 60..100).await;
        let opened = post(&server, &somebody(), "/es/test/_pit?keep_alive=1m", &json!({})).await.json();
        numbered(&server, 100..120).await;
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let mut body = json!({"size": 7, "sort": sort, "pit": {"id": opened["id"], "keep_alive": "1m"}});
            if !after.is_null() {
                body["search_after"] = after;
            }
            let answer = search(&server, "/es/_search", &body).await;
            assert_eq!(answer["hits"]["total"]["value"], 100, "{sort}");
            let page = sorted(&answer);
            let Some(last) = answer["hits"]["hits"].as_array().unwrap().last() else { break };
            after = last["sort"].clone();
            seen.extend(page);
        }
        seen.sort();
        let expected: Vec<String> = (0..100).map(|n| format!("n{n:03}")).collect();
        assert_eq!(seen, expected, "{sort}");
    }
}

#[tokio::test]
async fn a_scroll_shows_what_there_was_when_it_began() {
    for sort in [json!(["_doc"]), json!([{"n": "desc"}]), json!([])] {
        let server = Server::start().await;
        numbered(&server, 0..50).await;
        let mut answer = search(&server, "/es/test/_search?scroll=1m&size=20", &json!({"sort": sort})).await;
        numbered(&server, 50..60).await;
        server.indexer.seal().await.unwrap();
        let mut seen = Vec::new();
        while !names(&answer).is_empty() {
            assert_eq!(answer["hits"]["total"]["value"], 50);
            seen.extend(sorted(&answer));
            let body = json!({"scroll": "1m", "scroll_id": answer["_scroll_id"]});
            answer = search(&server, "/es/_search/scroll", &body).await;
        }
        seen.sort();
        assert_eq!(seen, (0..50).map(|n| format!("n{n:03}")).collect::<Vec<_>>(), "{sort}");
        let body = json!({"scroll_id": [answer["_scroll_id"]]}).to_string();
        let clear = || Request::delete("/es/_search/scroll").body(body.clone().into()).unwrap();
        assert_eq!(
            server.send(&somebody(), clear()).await.json(),
            json!({"succeeded": true, "num_freed": 1})
        );
        assert_eq!(server.send(&somebody(), clear()).await.status, 404);
    }
}

#[tokio::test]
async fn totals_are_exact_or_say_that_they_are_not() {
    let server = Server::start().await;
    numbered(&server, 0..30).await;
    for (query, expected) in [
        ("", json!({"value": 30, "relation": "eq"})),
        ("track_total_hits=10", json!({"value": 10, "relation": "gte"})),
        ("track_total_hits=false", Value::Null),
        ("rest_total_hits_as_int=true", json!(30)),
    ] {
        let answer = search(&server, &format!("/es/_search?size=1&{query}"), &json!({})).await;
        assert_eq!(answer["hits"]["total"], expected, "{query}");
    }
    let count = search(&server, "/es/test/_count?q=name:n00*", &json!({})).await;
    assert_eq!(count["count"], 10);
}

#[tokio::test]
async fn opensearch_has_its_own_names_of_points_in_time() {
    let server = Server::start().await;
    numbered(&server, 0..5).await;
    let open = || async {
        let request = Request::post("/es/test/_search/point_in_time?keep_alive=1m").body("".into()).unwrap();
        server.send(&somebody(), request).await.json()["pit_id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (open().await, open().await);
    numbered(&server, 5..9).await;
    let answer = search(&server, "/es/_search", &json!({"pit": {"id": one}, "size": 20})).await;
    assert_eq!(answer["hits"]["total"]["value"], 5);
    let listed = server.get(&somebody(), "/es/_search/point_in_time/_all").await.json();
    assert_eq!(listed["pits"].as_array().unwrap().len(), 2);
    let delete = |path: &str, body: Value| {
        let request = Request::delete(path).header("content-type", "application/json");
        request.body(body.to_string().into()).unwrap()
    };
    let closed = delete("/es/_search/point_in_time", json!({"pit_id": [one]}));
    let closed = server.send(&somebody(), closed).await.json();
    assert_eq!(closed, json!({"pits": [{"pit_id": one, "successful": true}]}));
    let rest = server.send(&somebody(), delete("/es/_search/point_in_time/_all", json!({}))).await.json();
    assert_eq!(rest, json!({"pits": [{"pit_id": two, "successful": true}]}));
}

#[tokio::test]
async fn search_after_may_be_written_in_another_type() {
    let server = Server::start().await;
    numbered(&server, 0..7).await;
    let body = json!({"sort": [{"n": "asc"}], "size": 1, "search_after": ["2"]});
    assert_eq!(search(&server, "/es/test/_search", &body).await["hits"]["hits"][0]["sort"], json!([3]));
}
