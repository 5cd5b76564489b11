use std::time::Duration;

use anyhow::Context as _;
use locard_tests::{Client, Server, ServerOptions, eventually};
use serde_json::json;

/// Events of one split.
const SPLIT: u64 = 50;

/// Text that does not compress: a split is about as large as its events.
fn noise(mut seed: u64) -> String {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        format!("{seed:016x}")
    };
    (0..64).map(|_| next()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_splits_go_when_all_are_too_large() -> anyhow::Result<()> {
    let config = format!("retention: {{size: 100KiB}}\nlimits: {{seal_events: {SPLIT}}}\n");
    let server =
        Server::start_with(ServerOptions { config: Some(config), ..ServerOptions::default() }).await?;
    let client = server.client();
    for round in 1..=8u64 {
        let line = |n: u64| {
            let seed = round * 1_000 + n;
            json!({"ts": 1_764_000_000 + seed, "round": round, "message": noise(seed)}).to_string() + "\n"
        };
        let body: String = (0..SPLIT).map(line).collect();
        let answer = client.post("/ingest/ndjson", &[], body).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.text);
    }
    // Everything is sealed sooner or later, and what is too much is dropped with the last of it.
    eventually(Duration::from_secs(30), async || {
        let status = client.get("/api/status").await?.json()?;
        let bytes = status["events"]["split_bytes"].as_u64().context("no bytes")?;
        anyhow::ensure!(status["events"]["hot"] == 0 && bytes <= 100 << 10, "{status}");
        Ok(())
    })
    .await?;
    let dropped = client.metric("locard_indexer_retention_splits_total", "").await?;
    assert!(dropped >= 4.0, "{dropped} splits of some 30 KB were dropped");
    let kept = client.count("*").await?;
    assert!((SPLIT..8 * SPLIT).contains(&kept), "{kept} events are left");
    assert_eq!(client.count("round:8").await?, SPLIT, "the newest stay");
    assert_eq!(client.count("round:1").await?, 0, "the oldest go");
    Ok(())
}

/// What a rule keeps and what is held stay while others go; other rules after a restart change no event; the command line agrees.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_by_a_rule_or_held_outlives_the_others() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let start = async |size: &str, rules: &str| {
        let retention = format!("retention: {{size: {size}, rules: [{rules}]}}");
        let config = Some(format!("{retention}\nlimits: {{seal_events: {SPLIT}}}\n"));
        let data = Some(data.path().join("data"));
        Server::start_with(ServerOptions { config, data, ..ServerOptions::default() }).await
    };
    let mut server = start("140KiB", "keep round=1 for forever").await?;
    let client = server.client();
    let add = ["hold", "add", "case-1", "round=2", "n<10", "--reason", "evidence"];
    let added = locard(&server, &add).await?;
    assert_eq!(added.0, Some(0), "{added:?}");
    for round in 1..=8u64 {
        let line = |n: u64| {
            let seed = round * 1_000 + n;
            json!({"ts": 1_764_000_000 + seed, "round": round, "n": n, "message": noise(seed)}).to_string()
                + "\n"
        };
        client.ingest("", (0..SPLIT).map(line).collect::<String>()).await?;
    }
    eventually(Duration::from_secs(30), async || {
        let status = client.get("/api/status").await?.json()?;
        let bytes = status["events"]["split_bytes"].as_u64().context("no bytes")?;
        anyhow::ensure!(status["events"]["hot"] == 0 && bytes <= 140 << 10, "{status}");
        Ok(())
    })
    .await?;
    let counts = async |client: &Client| -> anyhow::Result<Vec<u64>> {
        let mut counts = Vec::new();
        for q in ["round=1", "round=2", "round=2 n<10", "round=3", "round=8"] {
            counts.push(client.count(q).await?);
        }
        Ok(counts)
    };
    assert_eq!(counts(&client).await?, [SPLIT, 10, 10, 0, SPLIT]);
    let before = client.search_all("*").await?;
    server.kill().await?;
    drop(server);

    // With room: the same events in more splits take a little more.
    let server = start("10MiB", "keep round=8 for forever, keep n=7 for 900d").await?;
    let client = server.client();
    eventually(Duration::from_secs(30), async || {
        let status = client.get("/api/status").await?.json()?;
        anyhow::ensure!(status["retention"]["unclassified_splits"] == 0, "{status}");
        Ok(())
    })
    .await?;
    let status = client.get("/api/status").await?.json()?;
    assert_eq!(status["retention"]["classes"][0]["events"], SPLIT, "{status}");
    assert!(client.search_all("*").await? == before, "the answer to `*` is another one");
    let listed = locard(&server, &["hold", "list", "-o", "json"]).await?;
    assert!(listed.1.contains("\"case-1\"") && listed.1.contains("\"covers\":10"), "{listed:?}");
    let released = locard(&server, &["hold", "release", "case-1", "--reason", "closed"]).await?;
    assert_eq!(released.0, Some(0), "{released:?}");
    assert_eq!(locard(&server, &["hold", "list"]).await?.0, Some(1), "none is in force");
    let again = locard(&server, &["hold", "release", "case-1", "--reason", "closed"]).await?;
    assert_eq!(again.0, Some(2), "{again:?}");
    Ok(())
}

/// The exit code and everything that was said.
async fn locard(server: &Server, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = tokio::process::Command::new(locard_tests::process::binary("locard")?);
    let output = command.args(arguments).args(["--url", server.url()]).output().await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
}
