//! Pipes that look beyond what matched: `context`, `join`, `lookup`; and what is kept for them.

use axum::body::Body;
use http::Request;
use locard_indexer::{Permission, Principal};
use serde_json::{Value, json};

use crate::server::{Answer, Server, messages, of, somebody, time};

/// Two hosts in turn; users on one of them; the first half sealed.
async fn filled() -> Server {
    let server = Server::start().await;
    let objects: Vec<Value> = (0..40)
        .map(|n| {
            let mut object = json!({
                "time": time(n * 60), "message": format!("m{n} from 10.0.0.{} port 22", n % 5), "host": format!("h{}", n % 2), "n": n,
            });
            if n % 4 == 0 {
                object["user"] = json!(format!("u{}", n % 3));
            }
            object
        })
        .collect();
    server.ingest(&somebody(), &objects[..20]).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &objects[20..]).await;
    server
}

async fn send(server: &Server, who: &Principal, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
    server.send(who, request).await
}

#[tokio::test]
async fn context_is_what_is_around_each_event() {
    let server = filled().await;
    let around = async |q: &str, order: &str| {
        let answer = server.search(&[("q", q), ("order", order)]).await;
        assert_eq!(answer["complete"], json!(true), "{answer}");
        let short = |message: &str| message.split(' ').next().unwrap().to_owned();
        messages(&answer).into_iter().map(short).collect::<Vec<_>>().join(" ")
    };
    // By stream: every other event.
    assert_eq!(around("n=19 | context before=2 after=2", "asc").await, "m15 m17 m19 m21 m23");
    assert_eq!(around("n=19 | context before=2 after=2", "desc").await, "m23 m21 m19 m17 m15");
    assert_eq!(around("n=19 | context after=2", "asc").await, "m19 m21 m23");
    assert_eq!(around("n=19 | context before=1 after=1 by event.dataset", "asc").await, "m18 m19 m20");
    // Each once, however many it is around.
    assert_eq!(
        around("n:[18 TO 20] | context before=1 after=1 by event.dataset", "asc").await,
        "m17 m18 m19 m20 m21"
    );
    assert_eq!(around("n=19 | context before=3 after=3 | where n>17 | limit 2", "asc").await, "m19 m21");
    assert_eq!(around("n=19 | context before=1 | context after=2", "asc").await, "m17 m19 m21 m23");
    assert_eq!(around("n=99 | context", "asc").await, "");
    let answer = server
        .search(&[("q", "n<10 | context before=1 after=1 | stats count(), min(n), max(n) by host")])
        .await;
    assert_eq!(answer["table"]["rows"], json!([["h0", 6, 0, 10], ["h1", 6, 1, 11]]));
    assert_eq!(answer["matched"]["value"], json!(10));
}

#[tokio::test]
async fn context_shows_nothing_that_may_not_be_seen() {
    let server = filled().await;
    let half = of("default", Some("n>=18"));
    let ask = [("q", "n=19 | context before=5 after=1 by event.dataset"), ("order", "asc")];
    let answer = server.ask(&half, "/api/search", &ask).await;
    let seen: Vec<_> = answer["events"].as_array().unwrap().iter().map(|event| event["n"].clone()).collect();
    assert_eq!(seen, [json!(18), json!(19), json!(20)]);
    let ask =
        [("q", "n=19 | join type=left host [ * | stats count() as events by host ] | stats max(events)")];
    assert_eq!(server.ask(&half, "/api/search", &ask).await["table"]["rows"], json!([[11]]));
}

#[tokio::test]
async fn a_join_adds_what_another_search_found() {
    let server = filled().await;
    let q = "user:* | join host [ * | stats count() as events, max(n) as last by host ] | stats count(), max(events), max(last) by host";
    let answer = server.search(&[("q", q)]).await;
    assert_eq!(answer["table"]["rows"], json!([["h0", 10, 20, 38]]));
    let q =
        "n>36 | join type=left host [ user:u1 | fields user, host | dedup host ] | sort n | fields n, user";
    let answer = server.search(&[("q", q)]).await;
    let users: Vec<_> =
        answer["events"].as_array().unwrap().iter().map(|event| event["user"].clone()).collect();
    assert_eq!(users, [json!(null), json!("u1"), json!(null)]);
}

#[tokio::test]
async fn events_are_read_anew_on_every_page() {
    let server = filled().await;
    let q = "host:h1 | rex \"from (?P<ip>\\S+) port\" | eval double=n*2 | fields ip, double";
    let mut cursor = String::new();
    let mut doubles = Vec::new();
    loop {
        let answer = server.search(&[("q", q), ("limit", "7"), ("cursor", &cursor)]).await;
        for event in answer["events"].as_array().unwrap() {
            assert!(event["ip"].as_str().unwrap().starts_with("10.0.0."), "{event}");
            doubles.push(event["double"].as_i64().unwrap());
        }
        match answer["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(doubles, (0..20).rev().map(|n| 2 * (2 * n + 1)).collect::<Vec<i64>>());
}

#[tokio::test]
async fn lookup_tables_are_kept_and_looked_into() {
    let server = filled().await;
    let admin = somebody();
    let csv = "name,zone,owner\nh0,inside,ops\nH1,outside,\n";
    assert_eq!(send(&server, &admin, "PUT", "/api/lookups/hosts", csv).await.json()["rows"], json!(2));
    let q = "* | lookup hosts name as host | stats count() by zone, owner";
    let answer = server.search(&[("q", q)]).await;
    assert_eq!(answer["table"]["rows"], json!([["inside", "ops", 20], ["outside", null, 20]]));
    assert_eq!(server.get(&admin, "/api/lookups/hosts").await.text, csv);
    let listed = server.ask(&admin, "/api/lookups", &[]).await;
    assert_eq!(listed["lookups"][0]["name"], json!("hosts"));
    // Another tenant has its own; who may only read changes nothing.
    let other = of("other", None);
    assert_eq!(server.get(&other, "/api/lookups/hosts").await.status, 404);
    let reader = Principal { permissions: [Permission::Read].into(), ..somebody() };
    for method in ["PUT", "DELETE"] {
        assert_eq!(send(&server, &reader, method, "/api/lookups/hosts", csv).await.status, 403);
    }
    for (name, body) in [("a%20b", csv), ("hosts", "a,a\n1,2\n"), ("hosts", "a,b\n1\n"), ("hosts", "")] {
        assert_eq!(
            send(&server, &admin, "PUT", &format!("/api/lookups/{name}"), body).await.status,
            400,
            "{name}"
        );
    }
    assert_eq!(send(&server, &admin, "DELETE", "/api/lookups/hosts", "").await.status, 204);
    let gone = server.get(&admin, "/api/search?q=*%7Clookup%20hosts%20name%20as%20host").await;
    assert_eq!(gone.status, 400);
    assert_eq!(gone.json()["detail"], json!("there is no lookup table `hosts`"));
}

#[tokio::test]
async fn searches_are_kept_under_their_names() {
    let server = Server::start().await;
    let path = "/api/searches/Failed%20logins";
    let body =
        r#"{"q": "failed | stats count() by host", "start": "now-1d", "columns": ["host"], "name": "other"}"#;
    let kept = send(&server, &somebody(), "PUT", path, body).await;
    assert_eq!((kept.status.as_u16(), kept.headers["etag"].to_str().unwrap()), (200, "\"1\""));
    let read = server.ask(&somebody(), path, &[]).await;
    assert_eq!(
        (&read["name"], &read["columns"], &read["version"]),
        (&json!("Failed logins"), &json!(["host"]), &json!(1))
    );
    let with = async |header: &str, value: &str| {
        let request = Request::put(path).header(header, value).body(Body::from(body)).unwrap();
        server.send(&somebody(), request).await.status.as_u16()
    };
    assert_eq!(with("if-match", "\"7\"").await, 409);
    assert_eq!(with("if-none-match", "*").await, 409);
    assert_eq!(with("if-match", "\"1\"").await, 200);
    for (path, body) in
        [(path, "{}"), (path, "[]"), (path, r#"{"q": "a |"}"#), ("/api/searches/a%2Fb", r#"{"q": "a"}"#)]
    {
        assert_eq!(send(&server, &somebody(), "PUT", path, body).await.status, 400, "{path} {body}");
    }
    assert_eq!(server.ask(&of("other", None), "/api/searches", &[]).await["searches"], json!([]));
    let listed = server.ask(&somebody(), "/api/searches", &[]).await;
    assert_eq!(listed["searches"].as_array().unwrap().len(), 1);
    assert_eq!(send(&server, &somebody(), "DELETE", path, "").await.status, 204);
    assert_eq!(send(&server, &somebody(), "DELETE", path, "").await.status, 404);
}

#[tokio::test]
async fn a_field_that_no_event_has_is_pointed_out() {
    let server = filled().await;
    let warned = async |who: &Principal, q: &str| {
        let answer = server.ask(who, "/api/search", &[("q", q)]).await;
        answer.get("warnings").cloned().unwrap_or_default()
    };
    let expected = json!([{
        "message": "no event has a field `hst`", "hint": "did you mean `host`?",
        "fix": "n>3 host:h1 | stats count() by host",
    }]);
    assert_eq!(warned(&somebody(), "n>3 hst:h1 | stats count() by host").await, expected);
    // Only some events have it, and none of them is the first of what came in together.
    let late: Vec<Value> = (0..3).map(|n| json!({"time": time(n), "message": "x", "host": "h", (if n == 2 { "late.name" } else { "n" }): 1})).collect();
    server.ingest(&somebody(), &late).await;
    assert_eq!(warned(&somebody(), "late.nme:1").await[0]["hint"], json!("did you mean `late.name`?"));
    let unknown = warned(&somebody(), "* | stats count() by something.else").await;
    assert_eq!(unknown[0]["message"], json!("no event has a field `something.else`"));
    for fine in [
        "user:u1",
        "n>3 | eval x=n+1 | where x>5 | stats max(x)",
        "* | rex \"(?P<a>m)\" | top a",
        "_time:1h",
        "m1",
    ] {
        assert_eq!(warned(&somebody(), fine).await, json!(null), "{fine}");
    }
    // It would tell of what may not be seen.
    assert_eq!(warned(&of("default", Some("n<3")), "hst:h1").await, json!(null));
}

#[tokio::test]
async fn durations_are_nanoseconds_in_comparisons() {
    let server = Server::start().await;
    let objects: Vec<Value> = [500_000_000i64, 2_000_000_000, 90_000_000_000]
        .iter()
        .map(|took| json!({"time": time(0), "message": "x", "event.duration": took}))
        .collect();
    server.ingest(&somebody(), &objects).await;
    for sealed in [false, true] {
        for (q, matched) in [
            ("event.duration>1s", 2),
            ("event.duration>=1m30s", 1),
            ("event.duration:[1s TO 1m]", 1),
            ("event.duration<1h", 3),
        ] {
            let answer = server.search(&[("q", q)]).await;
            assert_eq!(answer["matched"]["value"], json!(matched), "{q} sealed: {sealed}");
        }
        server.indexer.seal().await.unwrap();
    }
}
