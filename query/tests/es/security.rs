//! Tenants and row filters hold on every path of this face.

use locard_indexer::{Permission, Principal};
use serde_json::json;

use crate::queries::{documents, names, post};
use crate::server::{Server, of, somebody};

#[tokio::test]
async fn nobody_sees_what_is_not_theirs() {
    let server = Server::start().await;
    server.ingest(&of("one", None), &documents()).await;
    let (other, filtered) = (of("two", None), of("one", Some("user.name=root")));
    for sealed in [false, true] {
        assert_eq!(server.get(&other, "/es/test/_search").await.status, 404, "{sealed}");
        assert_eq!(server.get(&other, "/es/_cat/indices?format=json").await.json(), json!([]));
        assert_eq!(server.get(&other, "/es/_count").await.json()["count"], 0);
        assert_eq!(server.get(&other, "/es/_mapping").await.json(), json!({}));
        assert_eq!(server.get(&filtered, "/es/test/_count").await.json()["count"], 1);
        assert_eq!(names(&server.get(&filtered, "/es/_search").await.json()), ["a"]);
        let caps = server.get(&filtered, "/es/_field_caps?fields=*").await.json();
        assert!(caps["fields"].get("tags").is_none() && caps["fields"].get("status").is_some(), "{caps}");
        let blind = of("one", Some("user.name=nobody"));
        for (who, status) in [(&filtered, 200), (&blind, 404), (&other, 404)] {
            let head = http::Request::head("/es/test").body(axum::body::Body::empty()).unwrap();
            assert_eq!(server.send(who, head).await.status, status, "{} {sealed}", who.name);
        }
        let cat = server.get(&filtered, "/es/_cat/indices?format=json").await.json();
        assert_eq!(cat[0]["docs.count"], "1");
        let id = server.get(&of("one", None), "/es/_search?q=name:b").await.json()["hits"]["hits"][0]["_id"]
            .clone();
        let path = format!("/es/test/_doc/{}", id.as_str().unwrap());
        assert_eq!(
            (
                server.get(&of("one", None), &path).await.status.as_u16(),
                server.get(&filtered, &path).await.status.as_u16()
            ),
            (200, 404)
        );
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn a_context_is_of_no_use_to_others() {
    let server = Server::start().await;
    server.ingest(&of("one", None), &documents()).await;
    server.ingest(&of("two", None), &documents()).await;
    let pit = post(&server, &of("one", None), "/es/test/_pit?keep_alive=1m", &json!({})).await.json();
    let body = json!({"pit": {"id": pit["id"]}});
    assert_eq!(post(&server, &of("one", None), "/es/_search", &body).await.status, 200);
    let stranger = post(&server, &of("two", None), "/es/_search", &body).await;
    assert_eq!(stranger.status, 404);
    assert!(stranger.text.contains("search_context_missing_exception"), "{}", stranger.text);
    // Somebody of the same name who may see less sees less.
    let narrow = Principal { filter: of("one", Some("name=b")).filter, ..of("one", None) };
    assert_eq!(names(&post(&server, &narrow, "/es/_search", &body).await.json()), ["b"]);
    let scroll = server.get(&of("one", None), "/es/test/_search?scroll=1m&size=1").await.json();
    let body = json!({"scroll_id": scroll["_scroll_id"]});
    assert_eq!(post(&server, &of("two", None), "/es/_search/scroll", &body).await.status, 404);
    let next = post(&server, &narrow, "/es/_search/scroll", &body).await.json();
    assert_eq!(names(&next), ["b"]);
}

#[tokio::test]
async fn who_may_only_write_cannot_read() {
    let server = Server::start().await;
    server.ingest(&somebody(), &documents()).await;
    let writer = Principal { permissions: [Permission::Ingest].into(), ..somebody() };
    for path in
        ["_search", "_count", "test/_mapping", "_field_caps?fields=*", "test/_doc/0-0", "_cat/indices"]
    {
        let answer = server.get(&writer, &format!("/es/{path}")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]["type"]),
            (403, &json!("security_exception")),
            "{path}"
        );
    }
    assert_eq!(server.get(&writer, "/es/").await.status, 200);
}
