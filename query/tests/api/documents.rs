//! Writing through the Elasticsearch API: answers per document, ids, indices, aliases, what shippers keep.

use axum::body::Body;
use http::{Method, Request};
use locard_indexer::{Permission, Principal};
use serde_json::{Value, json};

use super::server::{Answer, Server, messages, somebody};

async fn call(server: &Server, principal: &Principal, method: Method, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    server.send(principal, request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn post(server: &Server, path: &str, body: &str) -> Answer {
    call(server, &somebody(), Method::POST, path, body).await
}

async fn put(server: &Server, path: &str, body: &Value) -> Answer {
    call(server, &somebody(), Method::PUT, path, &body.to_string()).await
}

async fn get(server: &Server, path: &str) -> Answer {
    server.get(&somebody(), path).await
}

async fn status_of(server: &Server, method: Method, path: &str) -> u16 {
    call(server, &somebody(), method, path, "").await.status.as_u16()
}

#[track_caller]
fn check_error(answer: &Answer, status: u16, kind: &str, reason: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    let body = answer.json();
    assert_eq!((&body["error"]["type"], &body["status"]), (&json!(kind), &json!(status)), "{body}");
    assert_eq!(body["error"]["root_cause"][0]["type"], kind, "{body}");
    assert!(body["error"]["reason"].as_str().unwrap().contains(reason), "{body}");
}

#[tokio::test]
async fn a_bulk_answers_for_each_document() {
    let server = Server::start().await;
    let good = "{\"create\":{\"_index\":\"logs\",\"_id\":\"a\"}}\n{\"message\":\"one\"}\n{\"index\":{\"_index\":\"logs\"}}\n{\"message\":\"two\"}\n";
    let answer = post(&server, "/es/_bulk?refresh=true&pipeline=p&timeout=1m&_source=true", good).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains(r#""errors":false,"items":["#), "{}", answer.text);
    let body = answer.json();
    assert!(body["took"].is_u64());
    let created = |id: &str, number: u64| {
        json!({"_index": "logs", "_id": id, "_version": 1, "result": "created", "status": 201, "_seq_no": number,
            "_primary_term": 1, "_shards": {"total": 1, "successful": 1, "failed": 0}})
    };
    assert_eq!(body["items"], json!([{"create": created("a", 0)}, {"index": created("0-1", 1)}]));

    let again = "{\"index\":{\"_id\":\"a\"}}\n{\"message\":\"x\"}\n{\"delete\":{\"_id\":\"a\"}}\n{\"index\":{}}\nno\n";
    let answer = call(&server, &somebody(), Method::PUT, "/es/logs/_bulk", again).await.json();
    assert_eq!(answer["errors"], true);
    let statuses: Vec<_> = ["index", "delete", "index"]
        .iter()
        .zip(answer["items"].as_array().unwrap())
        .map(|(action, item)| {
            (item[action]["status"].as_u64().unwrap(), item[action]["error"]["type"].as_str().unwrap())
        })
        .collect();
    let expected = [
        (409, "version_conflict_engine_exception"),
        (400, "illegal_argument_exception"),
        (400, "document_parsing_exception"),
    ];
    assert_eq!(statuses, expected);
    let found = server.search(&[("q", "event.dataset:logs"), ("order", "asc")]).await;
    assert_eq!(messages(&found), ["one", "two"]);
}

#[tokio::test]
async fn a_bulk_that_makes_no_sense_is_refused_as_a_whole() {
    let server = Server::start().await;
    for (body, kind, reason) in [
        ("", "parse_exception", "request body is required"),
        ("\n", "action_request_validation_exception", "no requests added"),
        ("{\"index\":{}}\n{}\n", "action_request_validation_exception", "index is missing"),
        ("{\"index\":{}}\n{}", "illegal_argument_exception", "must be terminated by a newline"),
        ("x\n", "illegal_argument_exception", "Malformed action/metadata line [1]"),
    ] {
        check_error(&post(&server, "/es/_bulk", body).await, 400, kind, reason);
    }
    let reader = Principal { permissions: [Permission::Read].into(), ..somebody() };
    let answer = call(&server, &reader, Method::POST, "/es/_bulk", "{}").await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn one_document_is_added_and_never_changed() {
    let server = Server::start().await;
    let answer = post(&server, "/es/logs/_doc", r#"{"message":"one"}"#).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["_id"]), (201, &json!("0-0")));
    let answer = put(&server, "/es/logs/_doc/my%20id", &json!({"message": "two"})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["result"]), (201, &json!("created")));
    for path in ["/es/logs/_doc/my%20id", "/es/logs/_create/my%20id", "/es/logs/_doc/my%20id?op_type=create"]
    {
        let answer = put(&server, path, &json!({"message": "three"})).await;
        check_error(&answer, 409, "version_conflict_engine_exception", "[my id]: version conflict");
    }
    assert_eq!(put(&server, "/es/other/_create/my%20id", &json!({"message": "four"})).await.status, 201);
    let broken = post(&server, "/es/logs/_doc", "{").await;
    check_error(&broken, 400, "document_parsing_exception", "");
    let bad = post(&server, "/es/Logs/_doc", "{}").await;
    check_error(&bad, 400, "invalid_index_name_exception", "Invalid index name [Logs]");
    check_error(
        &post(&server, "/es/logs/_doc", "").await,
        400,
        "parse_exception",
        "request body is required",
    );
    for (method, path) in [
        (Method::DELETE, "/es/logs/_doc/a"),
        (Method::POST, "/es/logs/_update/a"),
        (Method::POST, "/es/logs/_update_by_query"),
        (Method::POST, "/es/logs/_delete_by_query"),
    ] {
        let answer = call(&server, &somebody(), method, path, "{}").await;
        check_error(&answer, 400, "illegal_argument_exception", "events are never changed");
    }
}

#[tokio::test]
async fn an_index_is_made_described_and_deleted() {
    let server = Server::start().await;
    assert_eq!(status_of(&server, Method::HEAD, "/es/logs").await, 404);
    let described = json!({
        "settings": {"number_of_shards": 1, "index.lifecycle.name": "p"},
        "mappings": {"properties": {"n": {"type": "long"}}},
        "aliases": {"all": {}},
    });
    let answer = put(&server, "/es/logs", &described).await;
    let expected = json!({"acknowledged": true, "shards_acknowledged": true, "index": "logs"});
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
    assert_eq!(status_of(&server, Method::HEAD, "/es/logs").await, 200);
    check_error(
        &put(&server, "/es/logs", &json!({})).await,
        400,
        "resource_already_exists_exception",
        "[logs]",
    );
    check_error(&put(&server, "/es/Logs", &json!({})).await, 400, "invalid_index_name_exception", "[Logs]");
    let mapping = json!({"properties": {"m": {"type": "keyword"}}});
    assert_eq!(put(&server, "/es/logs/_mapping", &mapping).await.json(), json!({"acknowledged": true}));
    let typed = put(&server, "/es/logs/_doc/_mapping?include_type_name=true", &mapping).await;
    assert_eq!(typed.status, 200, "{}", typed.text);
    check_error(
        &put(&server, "/es/none/_mapping", &mapping).await,
        404,
        "index_not_found_exception",
        "[none]",
    );
    put(&server, "/es/logs/_settings", &json!({"index": {"refresh_interval": "1s"}})).await;
    let settings = get(&server, "/es/logs/_settings").await.json()["logs"]["settings"]["index"].clone();
    assert_eq!((&settings["refresh_interval"], &settings["lifecycle"]["name"]), (&json!("1s"), &json!("p")));

    post(&server, "/es/all/_doc", r#"{"message":"one"}"#).await;
    post(&server, "/es/made/_doc", r#"{"message":"two"}"#).await;
    assert_eq!(status_of(&server, Method::HEAD, "/es/made").await, 200);
    check_error(
        &put(&server, "/es/made", &json!({})).await,
        400,
        "resource_already_exists_exception",
        "[made]",
    );
    assert_eq!(messages(&server.search(&[("q", "event.dataset:logs")]).await), ["one"]);
    let writer = Principal { permissions: [Permission::Ingest].into(), ..somebody() };
    assert_eq!(call(&server, &writer, Method::DELETE, "/es/logs", "").await.status, 403);
    for (path, kind) in [
        ("/es/*", "illegal_argument_exception"),
        ("/es/all", "illegal_argument_exception"),
        ("/es/none", "index_not_found_exception"),
    ] {
        let answer = call(&server, &somebody(), Method::DELETE, path, "").await;
        assert_eq!(answer.json()["error"]["type"], kind, "{path}: {}", answer.text);
    }
    let deleted = call(&server, &somebody(), Method::DELETE, "/es/logs", "").await;
    assert_eq!(deleted.json(), json!({"acknowledged": true}));
    assert_eq!(messages(&server.search(&[("q", "*")]).await), ["two"]);
    assert_eq!(status_of(&server, Method::HEAD, "/es/logs").await, 404);
    assert_eq!(get(&server, "/es/_alias/all").await.status, 404);
    assert_eq!(put(&server, "/es/logs", &json!({})).await.status, 200);
}

#[tokio::test]
async fn an_index_under_a_legal_hold_is_not_deleted() {
    let server = Server::start().await;
    post(&server, "/es/logs/_doc", r#"{"message":"evidence"}"#).await;
    let hold = json!({"name": "case", "filter": "evidence", "reason": "court"});
    assert!(post(&server, "/api/holds", &hold.to_string()).await.status.is_success());
    let refused = call(&server, &somebody(), Method::DELETE, "/es/logs", "").await;
    check_error(&refused, 400, "illegal_state_exception", "the legal hold `case` covers events of it");
    assert_eq!(messages(&server.search(&[("q", "*")]).await), ["evidence"]);
}

#[tokio::test]
async fn aliases_are_other_names_of_indices() {
    let server = Server::start().await;
    for index in ["a-1", "a-2"] {
        put(&server, &format!("/es/{index}"), &json!({})).await;
    }
    let actions = json!({"actions": [
        {"add": {"index": "a-1", "alias": "a"}},
        {"add": {"index": "a-2", "alias": "a", "is_write_index": true}},
        {"add": {"indices": ["a-1", "a-2"], "alias": "unclear"}},
    ]});
    let answer = post(&server, "/es/_aliases", &actions.to_string()).await;
    assert_eq!(answer.json()["acknowledged"], true);
    let expected =
        json!({"a-1": {"aliases": {"a": {}}}, "a-2": {"aliases": {"a": {"is_write_index": true}}}});
    assert_eq!(get(&server, "/es/_alias/a").await.json(), expected);
    assert_eq!(
        get(&server, "/es/a-1/_alias").await.json(),
        json!({"a-1": {"aliases": {"a": {}, "unclear": {}}}})
    );
    let answer = post(&server, "/es/a/_doc", "{}").await;
    assert_eq!(answer.json()["_index"], "a-2");
    check_error(
        &post(&server, "/es/unclear/_doc", "{}").await,
        400,
        "illegal_argument_exception",
        "no write index",
    );
    check_error(
        &put(&server, "/es/none/_alias/x", &json!({})).await,
        404,
        "index_not_found_exception",
        "[none]",
    );
    check_error(
        &put(&server, "/es/a-1/_alias/a-2", &json!({})).await,
        400,
        "invalid_alias_name_exception",
        "exists",
    );
    let filtered = put(&server, "/es/a-1/_alias/f", &json!({"filter": {"term": {"x": 1}}})).await;
    check_error(&filtered, 400, "illegal_argument_exception", "[alias filter] is not supported");
    assert_eq!(call(&server, &somebody(), Method::DELETE, "/es/a-1/_alias/a", "").await.status, 200);
    let gone = call(&server, &somebody(), Method::DELETE, "/es/a-1/_alias/a", "").await;
    check_error(&gone, 404, "aliases_not_found_exception", "[a] missing");
    assert_eq!(status_of(&server, Method::HEAD, "/es/a").await, 200);
}

#[tokio::test]
async fn what_shippers_bring_is_kept_and_given_back() {
    let server = Server::start().await;
    let template = json!({"index_patterns": ["logs-*"], "template": {"settings": {}}});
    let policy = json!({"policy": {"phases": {}}});
    for (path, body, shown) in [
        (
            "/es/_index_template/t",
            &template,
            json!({"index_templates": [{"name": "t", "index_template": template}]}),
        ),
        ("/es/_template/t", &template, json!({"t": template})),
        (
            "/es/_component_template/t",
            &template,
            json!({"component_templates": [{"name": "t", "component_template": template}]}),
        ),
        (
            "/es/_ilm/policy/t",
            &policy,
            json!({"t": {"version": 1, "policy": {"phases": {}}, "in_use_by": {}}}),
        ),
        ("/es/_ingest/pipeline/t", &json!({"processors": []}), json!({"t": {"processors": []}})),
    ] {
        assert_eq!(status_of(&server, Method::HEAD, path).await, 404, "{path}");
        assert_eq!(put(&server, path, body).await.json(), json!({"acknowledged": true}), "{path}");
        assert_eq!(get(&server, path).await.json(), shown, "{path}");
        assert_eq!(status_of(&server, Method::HEAD, path).await, 200, "{path}");
        assert_eq!(get(&server, path.trim_end_matches("/t")).await.json(), shown, "{path}");
        assert_eq!(put(&server, path, &json!({})).await.status, 400, "{path}");
        assert_eq!(call(&server, &somebody(), Method::DELETE, path, "").await.status, 200, "{path}");
        assert_eq!(get(&server, path).await.status, 404, "{path}");
    }
    for path in ["/es/_refresh", "/es/_flush", "/es/_forcemerge"] {
        assert_eq!(post(&server, path, "").await.json()["_shards"]["failed"], 0);
    }
    check_error(&post(&server, "/es/none/_refresh", "").await, 404, "index_not_found_exception", "[none]");
}
