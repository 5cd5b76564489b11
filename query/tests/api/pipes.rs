//! What pipes make of a search, hot and sealed alike.

use locard_event::Timestamp;
use locard_query::api::Limits;
use serde_json::{Value, json};

use crate::server::{Server, address, messages, of, somebody, time};

async fn filled(limits: Limits) -> Server {
    let server = Server::with(limits).await;
    let objects: Vec<Value> = (0..30)
        .map(|n| json!({"time": time(n * 60), "message": format!("m{n}"), "host": format!("h{}", n % 3), "n": n}))
        .collect();
    server.ingest(&somebody(), &objects[..15]).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), &objects[15..]).await;
    server
}

#[tokio::test]
async fn a_table_comes_with_what_the_filter_matched() {
    let server = filled(Limits::default()).await;
    for sealed in [false, true] {
        for (q, columns, rows, matched) in [
            ("| stats count()", json!(["count"]), json!([[30]]), 30),
            ("n>=10 | stats count()", json!(["count"]), json!([[20]]), 20),
            (
                "| stats count() as n, sum(n) as s by host",
                json!(["host", "n", "s"]),
                json!([["h0", 10, 135], ["h1", 10, 145], ["h2", 10, 155]]),
                30,
            ),
            ("n<4 | top 1 host", json!(["host", "count"]), json!([["h0", 2]]), 4),
            ("| limit 5 | stats max(n) as n, count()", json!(["n", "count"]), json!([[29, 5]]), 30),
        ] {
            let answer = server.search(&[("q", q)]).await;
            assert_eq!(answer["table"], json!({"columns": columns, "rows": rows}), "{q} sealed: {sealed}");
            assert_eq!(answer["matched"], json!({"value": matched, "exact": true}), "{q} sealed: {sealed}");
            assert_eq!((&answer["events"], &answer["cursor"]), (&json!([]), &Value::Null), "{q}");
            assert_eq!(answer["complete"], json!(true), "{q}: {answer}");
        }
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn a_chart_has_a_row_a_bucket_empty_ones_included() {
    let server = filled(Limits::default()).await;
    for sealed in [false, true] {
        for q in ["n<10 | timechart span=10m count()", "n<10 | timechart span=10m count() by host"] {
            let range = [("q", q), ("start", &*time(0)), ("end", &*time(1_800))];
            let answer = server.search(&range).await;
            let rows = answer["table"]["rows"].as_array().unwrap();
            let sum =
                |row: &Value| -> i64 { row.as_array().unwrap()[1..].iter().filter_map(Value::as_i64).sum() };
            let counts: Vec<i64> = rows.iter().map(sum).collect();
            assert_eq!(counts.iter().sum::<i64>(), 10, "{q} sealed: {sealed}: {answer}");
            assert!(counts.ends_with(&[0]) && counts.len() >= 3, "{q} sealed: {sealed}: {answer}");
        }
        server.indexer.seal().await.unwrap();
    }
}

#[tokio::test]
async fn fields_keeps_pages_and_limit_and_sort_make_one() {
    let server = filled(Limits::default()).await;
    let first = server.search(&[("q", "| fields n"), ("limit", "20")]).await;
    assert_eq!(first["events"][0]["n"], json!(29));
    let names: Vec<&String> = first["events"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["@timestamp", "_id", "n"]);
    let cursor = first["cursor"].as_str().unwrap();
    let rest = server.search(&[("q", "| fields n"), ("limit", "20"), ("cursor", cursor)]).await;
    assert_eq!((rest["events"].as_array().unwrap().len(), &rest["cursor"]), (10, &Value::Null));

    let answer = server.search(&[("q", "| limit 3"), ("order", "asc")]).await;
    assert_eq!(messages(&answer), ["m0", "m1", "m2"]);
    assert_eq!((&answer["cursor"], &answer["complete"]), (&Value::Null, &json!(true)));

    let answer = server.search(&[("q", "| sort n | limit 2")]).await;
    assert_eq!(messages(&answer), ["m0", "m1"]);
    assert_eq!(answer["complete"], json!(true));
    let answer = server.search(&[("q", "| sort -n"), ("limit", "2")]).await;
    assert_eq!(messages(&answer), ["m29", "m28"]);
    assert_eq!(answer["complete"], json!(false), "{answer}");

    let refused =
        server.get(&somebody(), &address("/api/search", &[("q", "| limit 3"), ("cursor", cursor)])).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
}

#[tokio::test]
async fn a_pipe_out_of_memory_answers_what_it_has_and_says_so() {
    let server = filled(Limits { memory_bytes: 4_000, ..Limits::default() }).await;
    let answer = server.search(&[("q", "| stats count() by n")]).await;
    assert_eq!(answer["complete"], json!(false), "{answer}");
    assert!(answer["incomplete_because"].as_str().unwrap().contains("memory"), "{answer}");
    assert!(!answer["table"]["rows"].as_array().unwrap().is_empty(), "{answer}");
    assert_eq!(answer["matched"], json!({"value": 30, "exact": true}));
}

/// Pipes that group are fed what a split has in common, and the events of the hot part.
#[tokio::test]
async fn the_same_rows_come_from_hot_and_from_sealed_parts() {
    let objects: Vec<Value> = (0..60)
        .map(|n| {
            json!({
                "time": time(n * 700), "message": format!("job {n} done"), "host": format!("h{}", n % 3), "n": n,
                "took": f64::from(n as i32) / 10.0, "user": (["root", "alice", "bob"][n as usize % 3..]),
                "ip": format!("10.0.0.{}", n % 7), "odd": if n % 2 == 0 { json!(n % 4) } else { json!((n % 4).to_string()) },
            })
        })
        .collect();
    let queries = [
        (
            "| stats count(), count(odd), sum(took), avg(took), min(odd), max(ip), median(took), p90(n), dc(ip)",
            60,
        ),
        ("| stats count() as n, sum(took), dc(user) by user, odd", 60),
        ("n>7 | stats sum(n), count() by host, missing", 52),
        ("| fields -host | stats count() by host, ip", 60),
        ("| top 3 ip", 60),
        ("| top odd, user", 60),
        ("| timechart", 60),
        ("| timechart span=1h count(), sum(took)", 60),
        ("n<50 | timechart dc(ip) by user limit=2", 50),
        ("| stats count(), dc(ip) by ip/30, host", 60),
        ("| timechart span=1h count() by ip/31", 60),
        ("| stats count() by _pattern", 60),
        ("| patterns | fields -example, -_id", 60),
    ];
    let (first, rest) = objects.split_at(35);
    let mut answers: Vec<Vec<Value>> = Vec::new();
    // All hot, all sealed, and some so and some so.
    for (whole, seal) in [(true, false), (true, true), (false, false)] {
        let server = Server::start().await;
        server.ingest(&somebody(), if whole { &objects } else { first }).await;
        if seal || !whole {
            server.indexer.seal().await.unwrap();
        }
        if !whole {
            server.ingest(&somebody(), rest).await;
        }
        let mut tables = Vec::new();
        for (q, matched) in queries {
            let answer = server.search(&[("q", q)]).await;
            assert_eq!(answer["complete"], json!(true), "{q}: {answer}");
            assert_eq!(answer["matched"], json!({"value": matched, "exact": true}), "{q}");
            tables.push(answer["table"].clone());
        }
        answers.push(tables);
    }
    for (at, (q, _)) in queries.iter().enumerate() {
        assert!(answers[0][at]["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{q}");
        assert_eq!(answers[0][at], answers[1][at], "{q} hot and sealed");
        assert_eq!(answers[0][at], answers[2][at], "{q} hot and both");
    }
}

#[tokio::test]
async fn a_pattern_is_new_that_nothing_one_may_see_had_before() {
    let server = Server::start().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = |hours: i64| Timestamp::from_seconds(now.as_secs() as i64 - hours * 3_600).to_string();
    let event =
        |hours, level: &str, message: &str| json!({"time": at(hours), "level": level, "message": message});
    let principal = of("ours", None);
    let old = [event(70, "high", "disk sda1 is full"), event(60, "low", "login of user7")];
    let recent =
        [event(2, "low", "disk sdb1 is full"), event(1, "low", "login of user8"), event(1, "low", "oops 17")];
    let templates = async |principal, parameters: &[(&str, &str)]| {
        let answer = server.ask(principal, "/api/search", parameters).await;
        assert_eq!(answer["complete"], json!(true), "{answer}");
        let rows = answer["table"]["rows"].as_array().unwrap().clone();
        let mut templates: Vec<String> = rows.iter().map(|row| row[1].as_str().unwrap().to_owned()).collect();
        templates.sort();
        templates
    };
    let narrow = of("ours", Some("level:low"));
    for (round, events) in [&old[..], &recent[..], &[]].into_iter().enumerate() {
        server.ingest(&principal, events).await;
        if round == 0 {
            continue;
        }
        let both = ["disk <*> is full", "oops <*>"];
        assert_eq!(templates(&principal, &[("q", "| patterns new since=24h")]).await, both[1..]);
        assert_eq!(templates(&principal, &[("q", "disk | patterns new")]).await, [""; 0]);
        assert_eq!(
            templates(&principal, &[("q", "_time:3h | patterns new"), ("start", &at(30))]).await,
            both[1..]
        );
        assert_eq!(templates(&narrow, &[("q", "| patterns new")]).await, both);
        assert_eq!(templates(&principal, &[("q", "| patterns new since=90m")]).await, both[1..]);
        assert_eq!(templates(&principal, &[("q", "| patterns new since=100h")]).await.len(), 3);
        server.indexer.seal().await.unwrap();
    }
}
