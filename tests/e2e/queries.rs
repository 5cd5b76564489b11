//! The fifteen queries that must work, with their answers: on events made for them, hot and sealed, and on the demo incident.

use std::time::Duration;

use locard_tests::{Server, ServerOptions, eventually};
use serde_json::{Value, json};

/// Each with the answer that [`answer`] makes of what is found.
const QUERIES: [(&str, &str); 15] = [
    (r#""failed password" _time:1h"#, "n1"),
    ("source.ip:10.0.0.0/8 NOT source.ip:10.1.0.0/16 http.response.status_code:403", "n3"),
    ("kubernetes.audit.verb:(create OR patch) kubernetes.audit.objectRef.resource:pods", "n5"),
    (r"_time:[2026-03-01T12:00Z TO 2026-03-01T12:10Z] user.name:system\:serviceaccount\:*", "n6"),
    ("container.id:* NOT container.image.name:*", "n8"),
    (r"message:/CVE-\d{4}-\d+/i", "n9"),
    ("http.response.status_code>=500 event.duration>1000000", "n10"),
    ("host.name:node-3* -kubernetes.namespace:kube-system log.level:(error OR fatal)", "n12"),
    (
        "kubernetes.audit.verb:get kubernetes.audit.objectRef.resource:secrets | stats count() as n, dc(user.name) by kubernetes.namespace | sort -n",
        r#"[["shop",3,2],["pay",1,1]]"#,
    ),
    (
        "http.response.status_code:403 | top 10 user.name, source.ip",
        r#"[["eve","10.0.0.3",1],["eve","10.1.0.4",1]]"#,
    ),
    (
        "log.level:error _time:24h | timechart span=15m count() by kubernetes.namespace limit=5 | stats sum(kube-system), sum(shop)",
        "[[1,1]]",
    ),
    ("_id:0-20 | context before=1 after=1", "n22 n21 n20"),
    (
        r#"process.name:sshd | rex "from (?P<ip>\S+) port" | stats count() as n, min(_time) as first by ip | where n>20"#,
        r#"[["203.0.113.9",21,"2026-03-02T00:00:00.000Z"]]"#,
    ),
    (
        "auditd.key:exec | transaction auditd.ses maxpause=5m | where duration>1h | fields user.audit.name, process.executable, duration",
        r#"[["root",["/bin/sh","/bin/id"],3840000000000]]"#,
    ),
    (
        "kubernetes.namespace:payments | dedup user.name, process.executable | sort _time | patterns limit=20",
        "2 patterns",
    ),
];

fn events(now: u64) -> Vec<Value> {
    let mut events = vec![
        json!({"@timestamp": now, "message": "Failed password for root"}),
        json!({"@timestamp": "2026-03-01T00:00:00Z", "message": "failed password long ago"}),
        json!({"message": "denied", "source.ip": "10.0.0.3", "http.response.status_code": 403, "user.name": "eve"}),
        json!({"message": "denied", "source.ip": "10.1.0.4", "http.response.status_code": 403, "user.name": "eve"}),
        json!({"message": "audit", "kubernetes.audit.verb": "patch", "kubernetes.audit.objectRef.resource": "pods"}),
        json!({"@timestamp": "2026-03-01T12:10:30Z", "message": "x", "user.name": "system:serviceaccount:a:b"}),
        json!({"@timestamp": "2026-03-01T12:12:00Z", "message": "x", "user.name": "system:serviceaccount:a:b"}),
        json!({"message": "bare", "container.id": "abc"}),
        json!({"message": "see cve-2024-1234 for it"}),
        json!({"message": "slow", "http.response.status_code": 502, "event.duration": 1_000_001}),
        json!({"message": "fast", "http.response.status_code": 502, "event.duration": 1_000_000}),
        json!({"@timestamp": now, "message": "broke", "host.name": "node-31", "log.level": "error", "kubernetes.namespace": "shop"}),
        json!({"@timestamp": now, "message": "broke", "host.name": "node-31", "log.level": "error", "kubernetes.namespace": "kube-system"}),
    ];
    for (namespace, user) in [("shop", "a"), ("shop", "b"), ("shop", "a"), ("pay", "a")] {
        events.push(json!({
            "message": "audit", "kubernetes.audit.verb": "get", "kubernetes.audit.objectRef.resource": "secrets",
            "kubernetes.namespace": namespace, "user.name": user,
        }));
    }
    for n in 0..6 {
        events.push(
            json!({"message": format!("line {n}"), "host.name": "context", "event.dataset": "context"}),
        );
    }
    for n in 0..23 {
        let ip = if n < 21 { "203.0.113.9" } else { "203.0.113.10" };
        let time = format!("2026-03-02T00:{n:02}:00Z");
        events.push(json!({"@timestamp": time, "message": format!("Failed none from {ip} port {n}"), "process.name": "sshd"}));
    }
    for n in 0..17 {
        let executable = if n == 0 { "/bin/sh" } else { "/bin/id" };
        events.push(json!({
            "@timestamp": format!("2026-03-03T{:02}:{:02}:00Z", n * 4 / 60, n * 4 % 60), "message": "exec", "auditd.key": "exec",
            "auditd.ses": 7, "user.audit.name": "root", "process.executable": executable,
        }));
    }
    for (user, message) in [("u1", "paid 1"), ("u1", "paid 2"), ("u2", "paid 3"), ("u3", "refused by bank")] {
        events.push(json!({
            "message": message, "kubernetes.namespace": "payments", "user.name": user, "process.executable": "/app/pay",
        }));
    }
    events.push(json!({"message": "with its image", "container.id": "abd", "container.image.name": "shop"}));
    // Without a time of their own they are of one day, a minute apart, so that their order is known.
    for (at, event) in events.iter_mut().enumerate() {
        let minute = format!("2026-04-01T{:02}:{:02}:00Z", at / 60, at % 60);
        if let Some(members) = event.as_object_mut() {
            members.entry("@timestamp").or_insert(json!(minute));
            members.entry("host.name").or_insert(json!(format!("host-{}", at % 2)));
            members.insert("n".into(), json!(at + 1));
        }
    }
    events
}

/// Which events there are, or the rows.
fn answer(found: &Value) -> String {
    match &found["table"] {
        Value::Null => {
            let names =
                found["events"].as_array().into_iter().flatten().map(|event| format!("n{}", event["n"]));
            names.collect::<Vec<_>>().join(" ")
        }
        table if table["columns"][0] == "pattern" => {
            format!("{} patterns", table["rows"].as_array().map_or(0, Vec::len))
        }
        table => table["rows"].to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifteen_queries_have_their_answers() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let body: String = events(now).iter().map(|event| format!("{event}\n")).collect();
    client.ingest("", body).await?;
    for sealed in [false, true] {
        for (q, expected) in QUERIES {
            let found = client.search(json!({"q": q})).await?;
            assert_eq!(found["complete"], true, "{q}: {found}");
            assert_eq!(answer(&found), expected, "{q} sealed: {sealed}: {found}");
            assert_eq!(found["warnings"], Value::Null, "{q}: {found}");
        }
        assert!(client.post("/api/admin/seal", &[], "").await?.status < 300);
    }
    Ok(())
}

/// What the page on the demo says can be found.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_incident_is_found_by_them() -> anyhow::Result<()> {
    let options = ServerOptions {
        command: "up",
        arguments: vec!["--demo".into()],
        config: Some("collector: {enabled: false}\n".into()),
        ..ServerOptions::default()
    };
    let server = Server::start_with(options).await?;
    let client = server.client();
    eventually(Duration::from_secs(30), async || {
        anyhow::ensure!(client.count("CRON 203.0.113.77").await? > 0, "the incident is not there yet");
        Ok(())
    })
    .await?;
    for (q, _) in QUERIES {
        let found = client.search(json!({"q": q})).await?;
        assert_eq!(found["complete"], true, "{q}: {found}");
    }
    let rows = async |q: &str| {
        Ok::<_, anyhow::Error>(client.search(json!({"q": q})).await?["table"]["rows"].clone())
    };
    let attackers = rows(QUERIES[12].0).await?;
    assert_eq!(
        (attackers.as_array().map(Vec::len), &attackers[0][0]),
        (Some(1), &json!("203.0.113.77")),
        "{attackers}"
    );
    let secrets = rows(QUERIES[8].0).await?;
    assert_eq!(secrets, json!([["payments", 1, 1]]));
    Ok(())
}
