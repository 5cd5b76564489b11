//! What is known of an entity.

use locard_indexer::Principal;
use serde_json::{Value, json};

use crate::server::{Server, address, of, somebody, time};

/// Sealed and hot events of two addresses; one is named in a message alone.
async fn filled() -> Server {
    let server = Server::start().await;
    let objects: Vec<Value> = (0..40)
        .map(|n| {
            let address = if n % 4 == 0 { "203.0.113.77" } else { "10.0.0.1" };
            json!({
                "time": time(n * 60), "message": format!("failed login {n}"), "host": "a", "source.ip": address,
                "host.name": format!("h{}", n % 8), "user.name": "mallory", "event.outcome": if n < 20 { "failure" } else { "success" },
            })
        })
        .collect();
    server.ingest(&somebody(), &objects[..20]).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &objects[20..]).await;
    server
        .ingest(
            &somebody(),
            &[json!({"time": time(9_000), "message": "seen 203.0.113.77 again", "host": "a"})],
        )
        .await;
    server
}

async fn entity(server: &Server, who: &Principal, parameters: &[(&str, &str)]) -> Value {
    server.ask(who, "/api/entity", parameters).await
}

fn top<'a>(answer: &'a Value, field: &str) -> &'a Value {
    let all = answer["top"].as_array().unwrap();
    all.iter().find(|top| top["field"] == field).map_or(&Value::Null, |top| &top["values"])
}

#[tokio::test]
async fn an_entity_is_summed_up() {
    let server = filled().await;
    for sealed in [false, true] {
        let ask = [("field", "source.ip"), ("value", "203.0.113.77")];
        let answer = entity(&server, &somebody(), &ask).await;
        assert_eq!(answer["matched"], json!({"value": 10, "exact": true}), "sealed: {sealed}");
        assert_eq!(answer["complete"], json!(true), "{answer}");
        assert_eq!(
            (&answer["first"]["@timestamp"], &answer["last"]["@timestamp"]),
            (&json!(time(0)), &json!(time(36 * 60)))
        );
        assert_eq!(
            top(&answer, "host.name"),
            &json!([{"value": "h0", "count": 5}, {"value": "h4", "count": 5}])
        );
        assert_eq!(top(&answer, "user.name"), &json!([{"value": "mallory", "count": 10}]));
        assert_eq!(
            top(&answer, "event.outcome"),
            &json!([{"value": "failure", "count": 5}, {"value": "success", "count": 5}])
        );
        assert_eq!(top(&answer, "source.ip"), &Value::Null);
        assert_eq!(answer["patterns"]["rows"][0]["count"], json!(10));
        let counted =
            answer["timeline"]["rows"].as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap());
        assert_eq!(counted.sum::<u64>(), 10);
        assert_eq!(answer["occurs_in"], Value::Null);
        // What it says to go on with finds the same.
        let q = answer["q"].as_str().unwrap();
        assert_eq!(server.search(&[("q", q)]).await["matched"]["value"], json!(10), "{q}");
        let answer = entity(&server, &somebody(), &[("value", "203.0.113.77"), ("anywhere", "true")]).await;
        assert_eq!(answer["matched"]["value"], json!(11));
        assert_eq!(
            answer["occurs_in"]["fields"],
            json!([{"field": "source.ip", "count": 10}, {"field": "message", "count": 1}])
        );
        let some = [
            ("field", "source.ip"),
            ("value", "203.0.113.77"),
            ("q", "event.outcome:failure"),
            ("start", &*time(60)),
        ];
        assert_eq!(entity(&server, &somebody(), &some).await["matched"]["value"], json!(4));
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn it_says_what_is_missing_and_hides_what_may_not_be_seen() {
    let server = filled().await;
    let ask = [("field", "source.ip"), ("value", "203.0.113.77"), ("anywhere", "true")];
    let narrow = entity(&server, &of("default", Some("host.name:h4")), &ask).await;
    assert_eq!(narrow["matched"]["value"], json!(5));
    assert_eq!(top(&narrow, "host.name"), &json!([{"value": "h4", "count": 5}]));
    assert_eq!(narrow["occurs_in"]["fields"], json!([{"field": "source.ip", "count": 5}]));
    assert_eq!(entity(&server, &of("other", None), &ask).await["first"], Value::Null);
    let late =
        entity(&server, &somebody(), &[("field", "user.name"), ("value", "mallory"), ("timeout", "0s")])
            .await;
    assert_eq!((&late["complete"], &late["matched"]["exact"]), (&json!(false), &json!(false)));
    assert_eq!(late["timeline"]["complete"], json!(false));
    for bad in [
        &[("field", "a")][..],
        &[("value", "a")],
        &[("value", "a"), ("anywhere", "maybe")],
        &[("value", "a"), ("feld", "b")],
    ] {
        assert_eq!(server.get(&somebody(), &address("/api/entity", bad)).await.status, 400, "{bad:?}");
    }
}
