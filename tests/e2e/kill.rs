use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use locard_tests::{Client, Collector, Ledger, Server, ServerOptions, eventually};
use rand::RngExt as _;

/// How often the collector or the indexer dies; `LOCARD_KILLS` says another number.
const KILLS: usize = 20;
const WRITERS: u64 = 3;
/// So small that sealing, merging and letting go of the log are under way nearly always, and so when the server is killed.
const LIMITS: &str =
    "limits: {seal_events: 200, merge_width: 2, segment_bytes: 64KiB, max_wal_bytes: 256KiB}\n";

/// Promise 2. Writers push named batches and append lines to log files while the collector or the indexer dies many times; in the end
/// every acked event and every line of the files is there, once.
#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let options = ServerOptions { config: Some(LIMITS.into()), ..ServerOptions::default() };
    let mut server = Server::start_with(options).await?;
    let log = directory.path().join("app.log");
    std::fs::write(&log, "")?;
    let config = format!(
        "indexer: {}\nstate: {}\nmetrics_listen: \"127.0.0.1:0\"\nsources:\n  - {{type: file, paths: [\"{}\"]}}\n",
        server.url(),
        directory.path().join("state").display(),
        log.display(),
    );
    let mut collector = Collector::start(directory.path(), &config)?;

    let ledger = Arc::new(Ledger::default());
    let stop = Arc::new(AtomicBool::new(false));
    let writers =
        (0..WRITERS).map(|writer| push_batches(server.client(), writer, ledger.clone(), stop.clone()));
    let writers = futures_util::future::try_join_all(writers);
    let appender = append_lines(log, ledger.clone(), stop.clone());
    let kills = async {
        let outcome = kill_at_random(&mut server, &mut collector, &ledger).await;
        stop.store(true, Ordering::Relaxed);
        outcome
    };
    let ((), _, lines) = tokio::try_join!(kills, writers, appender)?;
    anyhow::ensure!(
        ledger.len() > 100 && lines > 100,
        "too little load: {} batches, {lines} lines",
        ledger.len()
    );
    ledger.ack((0..lines).map(|line| format!("file-{line}")));

    let client = server.client();
    let wanted = ledger.len() as u64;
    eventually(Duration::from_secs(60), async || {
        collector.process().check_alive()?;
        let found = client.count("name:*").await?;
        anyhow::ensure!(
            found >= wanted,
            "{found} of {wanted} found; collector:\n{}",
            tail(&collector.process().output())
        );
        Ok(())
    })
    .await?;
    collector.check_conservation().await?;
    ledger.check(&client.search_all("name:*").await?, "name")?;
    let status = client.get("/api/status").await?.json()?;
    assert!(status["events"]["splits"].as_u64() > Some(0), "nothing was sealed under load: {status}");
    assert!(client.post("/api/admin/seal", &[], "").await?.status < 300);
    ledger.check(&client.search_all("name:*").await?, "name")
}

async fn kill_at_random(
    server: &mut Server,
    collector: &mut Collector,
    ledger: &Ledger,
) -> anyhow::Result<()> {
    let kills = match std::env::var("LOCARD_KILLS") {
        Ok(text) => text.parse()?,
        Err(_) => KILLS,
    };
    for _ in 0..kills {
        // Some work later, not some time later: so the load is the same on a slow machine.
        let moment = ledger.len() + rand::rng().random_range(1..600);
        eventually(Duration::from_secs(60), async || {
            anyhow::ensure!(ledger.len() >= moment, "{} of {moment} acked", ledger.len());
            Ok(())
        })
        .await?;
        if rand::rng().random_bool(0.5) {
            server.kill().await?;
            server.restart().await?;
        } else {
            collector.kill().await?;
            collector.restart()?;
        }
    }
    Ok(())
}

/// Sends batches of ten numbered events, each until it is acked, as any shipper does.
async fn push_batches(
    client: Client,
    writer: u64,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let mut next = 0u64;
    while !stop.load(Ordering::Relaxed) {
        let names: Vec<String> = (next..next + 10).map(|n| format!("push-{writer}-{n}")).collect();
        let body: String =
            names.iter().map(|name| format!("{{\"name\":\"{name}\",\"message\":\"pushed\"}}\n")).collect();
        let batch = format!("writer-{writer}/{next}-{}", next + 9);
        eventually(Duration::from_secs(60), async || {
            let answer =
                client.post("/ingest/ndjson", &[("x-locard-batch", batch.as_str())], body.clone()).await?;
            anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
            assert_eq!(answer.json()?["accepted"], 10);
            Ok(())
        })
        .await?;
        ledger.ack(names);
        next += 10;
    }
    Ok(())
}

/// Appends numbered JSON lines in ragged chunks, one line for each event the writers get acked; answers how many.
async fn append_lines(path: PathBuf, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) -> anyhow::Result<u64> {
    let mut written = 0u64;
    let mut file = std::fs::OpenOptions::new().append(true).open(&path)?;
    while !stop.load(Ordering::Relaxed) {
        let due = ledger.len() as u64;
        let text: String =
            (written..due).map(|n| format!("{{\"name\":\"file-{n}\",\"message\":\"tailed\"}}\n")).collect();
        let (head, rest) = text.split_at(rand::rng().random_range(0..=text.len()));
        file.write_all(head.as_bytes())?;
        tokio::task::yield_now().await;
        file.write_all(rest.as_bytes())?;
        written = due;
        tokio::task::yield_now().await;
    }
    Ok(written)
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
