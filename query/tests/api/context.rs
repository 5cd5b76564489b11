//! One event, and what surrounds it.

use serde_json::{Value, json};

use crate::server::{Server, messages, somebody, time};

/// Twenty events of two hosts in turn; odd ones have a user.
async fn filled() -> Server {
    let server = Server::start().await;
    let objects: Vec<Value> = (0..20)
        .map(|n| {
            let mut object =
                json!({"time": time(n), "message": format!("m{n}"), "host": format!("h{}", n % 2)});
            if n % 4 == 1 {
                object["user"] = json!(["ann", "bob \" OR *"]);
            }
            object
        })
        .collect();
    server.ingest(&somebody(), &objects[..10]).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &objects[10..]).await;
    server
}

async fn around(server: &Server, id: u64, parameters: &[(&str, &str)]) -> Value {
    server.ask(&somebody(), &format!("/api/events/0-{id}/context"), parameters).await
}

#[tokio::test]
async fn an_event_has_a_link_that_lasts() {
    let server = filled().await;
    for sealed in [false, true] {
        for n in [0, 9, 10, 19] {
            let event = server.ask(&somebody(), &format!("/api/events/0-{n}"), &[]).await;
            assert_eq!(event["message"], json!(format!("m{n}")), "sealed: {sealed}");
            assert_eq!(event["_id"], json!(format!("0-{n}")));
        }
        for id in ["0-20", "1-0", "0", "x", "0-99999999999999999999"] {
            let answer = server.get(&somebody(), &format!("/api/events/{id}")).await;
            assert_eq!(answer.status, 404, "{id}: {}", answer.text);
        }
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn neighbours_are_those_of_the_stream() {
    let server = filled().await;
    for sealed in [false, true] {
        let answer = around(&server, 10, &[("before", "2"), ("after", "3")]).await;
        assert_eq!(messages(&answer), ["m6", "m8", "m10", "m12", "m14", "m16"], "sealed: {sealed}");
        assert_eq!((&answer["index"], &answer["complete"]), (&json!(2), &json!(true)));
        assert_eq!((&answer["more_before"], &answer["more_after"]), (&json!(true), &json!(true)));

        let answer = around(&server, 10, &[]).await;
        assert_eq!(messages(&answer).len(), 10);
        assert_eq!((&answer["more_before"], &answer["more_after"]), (&json!(false), &json!(false)));

        let answer = around(&server, 18, &[("before", "0"), ("after", "0")]).await;
        assert_eq!(messages(&answer), ["m18"]);
        assert_eq!((&answer["more_before"], &answer["more_after"]), (&json!(true), &json!(false)));
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn neighbours_may_share_fields_instead() {
    let server = filled().await;
    let answer = around(&server, 9, &[("by", "user"), ("before", "1"), ("after", "1")]).await;
    assert_eq!(messages(&answer), ["m5", "m9", "m13"]);
    assert_eq!(answer["by"], json!({"user": ["ann", "bob \" OR *"]}));
    let answer = around(&server, 8, &[("by", "host, user"), ("before", "1"), ("after", "1")]).await;
    assert_eq!(messages(&answer), ["m6", "m8", "m10"]);
    let answer = around(&server, 8, &[("by", "event.dataset"), ("q", "m7 OR m11")]).await;
    assert_eq!(messages(&answer), ["m7", "m8", "m11"]);
}
