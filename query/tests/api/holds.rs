//! Legal holds over HTTP: who may, what is answered, and what the tail of a log in several classes looks like.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::server::{Answer, Server, of, somebody, time};
use crate::tail::Tail;

async fn post(server: &Server, principal: &locard_indexer::Principal, path: &str, body: Value) -> Answer {
    server.send(principal, Request::post(path).body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_hold_is_placed_listed_and_released() {
    let server = Server::start().await;
    let lines = [json!({"time": time(0), "message": "evil"}), json!({"time": time(1), "message": "good"})];
    server.ingest(&somebody(), &lines).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &[json!({"time": time(2), "message": "evil"})]).await;
    let hold = json!({"name": "case-17", "filter": "evil  AND evil", "start": time(0), "reason": "subpoena"});
    let placed = post(&server, &somebody(), "/api/holds", hold.clone()).await;
    assert_eq!(placed.status, 200, "{}", placed.text);
    let listed = server.ask(&somebody(), "/api/holds", &[]).await;
    let found = &listed["holds"][0];
    assert_eq!((&found["filter"], &found["created_by"]), (&json!("evil evil"), &json!("loopback")));
    assert_eq!(found["covers"], json!({"value": 2, "exact": true, "incomplete_because": null}));
    let status = server.ask(&somebody(), "/api/status", &[]).await;
    assert_eq!(status["retention"]["holds"], 1);
    assert_eq!(status["retention"]["classes"][0]["events"], 2);
    let again = post(&server, &somebody(), "/api/holds", hold).await;
    assert_eq!((again.status.as_u16(), again.json()["parameter"].clone()), (409, json!("name")));
    let released =
        post(&server, &somebody(), "/api/holds/case-17/release", json!({"reason": "closed"})).await;
    assert_eq!((released.status.as_u16(), released.json()["in_force"].clone()), (200, json!(false)));
    let listed = server.ask(&somebody(), "/api/holds", &[]).await;
    assert_eq!(listed["holds"][0]["release_reason"], "closed");
    assert_eq!(listed["holds"][0]["covers"], json!(null));
    let absent = post(&server, &somebody(), "/api/holds/none/release", json!({"reason": "closed"})).await;
    assert_eq!(absent.status, 404);
}

/// More events than a window of the replay takes, in three classes by turns, some still hot.
#[tokio::test]
async fn events_of_several_classes_are_found_by_id_and_follow_one_another_in_a_tail() {
    let server = Server::ruled(&["keep n:3 for 1d", "keep odd:true for forever"]).await;
    let line =
        |n: i64| json!({"time": time(n / 7), "message": format!("m{n}"), "n": n % 5, "odd": n % 2 == 1});
    for range in [0..900, 900..1800, 1800..2000] {
        server.ingest(&somebody(), &range.map(line).collect::<Vec<_>>()).await;
        if server.indexer.view(&somebody().tenant).splits.len() < 6 {
            server.indexer.seal().await.unwrap();
        }
    }
    let status = server.ask(&somebody(), "/api/status", &[]).await;
    let classes = status["retention"]["classes"].as_array().unwrap();
    let shown = |name: &str| classes.iter().map(|class| class[name].clone()).collect::<Vec<_>>();
    assert_eq!(shown("rule"), [json!("n:3"), json!("odd:true"), json!(null)]);
    assert_eq!(shown("age_seconds"), [json!(86_400), json!(null), json!(null)]);
    for n in [0, 3, 899, 900, 1555, 1999] {
        let event = server.ask(&somebody(), &format!("/api/events/0-{n}"), &[]).await;
        assert_eq!(event["message"], format!("m{n}"));
    }
    for (q, from) in [("*", 41), ("n:3", 0), ("NOT n:3", 899)] {
        let mut tail = Tail::open(&server, &somebody(), q, Some(&format!("0-{from}"))).await;
        let wanted = |n: &i64| match q {
            "n:3" => n % 5 == 3,
            "NOT n:3" => n % 5 != 3,
            _ => true,
        };
        for n in (from + 1..2000).filter(wanted) {
            assert_eq!(tail.message().await, format!("m{n}"), "{q}");
        }
    }
}

#[tokio::test]
async fn a_tail_says_that_events_of_a_class_are_no_longer_kept() {
    let server = Server::ruled(&["keep odd:true for forever", "keep even:true for 1ms"]).await;
    let line =
        |n: i64| json!({"time": time(n), "message": format!("m{n}"), "odd": n % 2 == 1, "even": n % 2 == 0});
    server.ingest(&somebody(), &(0..9).map(line).collect::<Vec<_>>()).await;
    server.indexer.retain().await.unwrap();
    let mut tail = Tail::open(&server, &somebody(), "*", Some("0-0")).await;
    let lag = tail.next().await.unwrap();
    assert_eq!((lag.event.as_str(), &lag.data["missed"]), ("lag", &json!(5)));
    for n in [1, 3, 5, 7] {
        assert_eq!(tail.message().await, format!("m{n}"));
    }
}

#[tokio::test]
async fn what_makes_no_hold_names_the_parameter() {
    let server = Server::start().await;
    for (body, parameter) in [
        (json!({"name": "a", "filter": "(", "reason": "r"}), "filter"),
        (json!({"name": "a b", "filter": "x", "reason": "r"}), "name"),
        (json!({"name": "a", "filter": "x"}), "reason"),
        (json!({"name": "a", "filter": "x", "reason": "r", "start": "soon"}), "start"),
        (json!({"name": "a", "filter": "x", "reason": "r", "tenant": "other"}), "tenant"),
    ] {
        let refused = post(&server, &somebody(), "/api/holds", body.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["parameter"].clone()),
            (400, json!(parameter)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn holds_are_for_administrators_and_of_their_tenant() {
    let server = Server::start().await;
    let reader = of("default", None);
    let hold = json!({"name": "case", "filter": "*", "reason": "r"});
    for answer in [
        server.get(&reader, "/api/holds").await,
        post(&server, &reader, "/api/holds", hold.clone()).await,
        post(&server, &reader, "/api/holds/case/release", json!({"reason": "r"})).await,
    ] {
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    assert_eq!(post(&server, &somebody(), "/api/holds", hold).await.status, 200);
    let mut other = somebody();
    other.tenant = locard_indexer::Tenant::parse("other").unwrap();
    assert_eq!(server.ask(&other, "/api/holds", &[]).await["holds"], json!([]));
    let release = post(&server, &other, "/api/holds/case/release", json!({"reason": "r"})).await;
    assert_eq!(release.status, 404);
}
