use std::time::Duration;

use anyhow::Context as _;
use locard_tests::{Server, ServerOptions, eventually};
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
