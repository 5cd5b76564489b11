use std::time::Duration;

use locard_tests::{Client, Server, ServerOptions, eventually};
use serde_json::{Value, json};

const EVENTS: u64 = 20_000;

/// A server whose hot part takes long to look at.
async fn filled() -> anyhow::Result<(Server, Client)> {
    let config = Some("limits: {hot_bytes: 1GiB, max_wal_bytes: 4GiB}".to_owned());
    let server = Server::start_with(ServerOptions { config, ..ServerOptions::default() }).await?;
    let client = server.client();
    let filler = "lorem ipsum dolor sit amet ".repeat(60);
    for first in (0..EVENTS).step_by(2_000) {
        let lines = (first..first + 2_000).map(|n| json!({"n": n, "message": format!("{filler}{n} end")}));
        let body: String = lines.map(|line| format!("{line}\n")).collect();
        client.ingest("", body).await?;
    }
    Ok((server, client))
}

/// Who hangs up needs no answer: the search ends as cancelled, and nothing is running any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_when_its_client_hangs_up() -> anyhow::Result<()> {
    let (_server, client) = filled().await?;
    eventually(Duration::from_secs(60), async || {
        let q = json!({"q": "*lor*ips*dol*zz* OR *dol*sit*am*zz*"});
        let answer = tokio::time::timeout(Duration::from_millis(50), client.search(q)).await;
        anyhow::ensure!(answer.is_err(), "it was answered before the client could hang up");
        let cancelled = client.metric("locard_query_searches_total", "outcome=\"cancelled\"").await?;
        anyhow::ensure!(cancelled >= 1.0, "no search was cancelled yet");
        Ok(())
    })
    .await?;
    eventually(Duration::from_secs(20), async || {
        let running = client.metric("locard_query_running", "").await?;
        anyhow::ensure!(running == 0.0, "{running} searches still run");
        Ok(())
    })
    .await
}

/// Much more than can be looked at in the time that is given, every face stops and says so, hot and sealed alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_at_its_deadline_and_says_so() -> anyhow::Result<()> {
    let (_server, client) = filled().await?;
    for q in [
        "*lor*ips*dol*zz* OR *dol*sit*am*zz*",
        "*lor*ips*dol*zz* OR *dol*sit*am*zz* | stats count() by n",
        "*lor*ips*dol*en* | sort n desc | limit 10",
        "* | where *lor*ips*dol*zz* | limit 10",
    ] {
        let answer = client.search(json!({"q": q, "timeout": "50ms"})).await?;
        assert_eq!(answer["complete"], false, "{q}: {answer}");
        let because = answer["incomplete_because"].as_str().unwrap_or_default();
        assert!(because.contains("the deadline passed"), "{q}: {answer}");
        let scanned = answer["scanned"]["events"].as_u64().unwrap_or(u64::MAX);
        assert!(scanned < EVENTS, "{q}: everything was looked at all the same: {scanned}");
    }
    let whole = client.search(json!({"q": "end", "limit": 1})).await?;
    assert_eq!((&whole["complete"], &whole["matched"]["value"]), (&Value::Bool(true), &json!(EVENTS)));
    Ok(())
}
