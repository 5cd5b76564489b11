use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use locard_tests::{Collector, Server, eventually};

const NOISY_BYTES: usize = 64 << 20;
const LINE: &str = "2026-11-24T08:00:00.123456789Z stdout F ";

/// A container that wrote 64 MiB does not hold up the one line of another: when that is found, most of the noise is still to come. Compares
/// progress, not time.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_container_does_not_wait_for_a_noisy_one() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let log = |name: &str| directory.path().join(format!("pods/ns_{name}_uid/app/0.log"));
    let lines = write_noise(&log("noisy"))?;
    append(&log("quiet"), "first")?;
    let server = Server::start().await?;
    let config = format!(
        "indexer: {}\nstate: {}\nin_flight: 1\nmetrics_listen: \"127.0.0.1:0\"\nsources:\n  - {{type: containers, root: {}}}\n",
        server.url(),
        directory.path().join("state").display(),
        directory.path().join("pods").display()
    );
    let mut collector = Collector::start(directory.path(), &config)?;
    let client = server.client();
    let mut wait_for = async |query: &str, count: u64| {
        eventually(Duration::from_secs(60), async || {
            collector.process().check_alive()?;
            let found = client.count(query).await?;
            anyhow::ensure!(found >= count, "{query}: {found}:\n{}", collector.process().output());
            Ok(())
        })
        .await
    };
    // The noise is under way before the line is written.
    wait_for("kubernetes.pod.name:noisy", 1).await?;
    append(&log("quiet"), "needle")?;
    wait_for("kubernetes.pod.name:quiet", 2).await?;
    let noise = client.count("kubernetes.pod.name:noisy").await?;
    assert!(noise < lines / 2, "{noise} of {lines} noisy lines came before the quiet one");
    collector.check_conservation().await
}

/// How many lines were written.
fn write_noise(log: &Path) -> anyhow::Result<u64> {
    std::fs::create_dir_all(log.parent().unwrap())?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(log)?);
    let (mut bytes, mut lines) = (0, 0);
    while bytes < NOISY_BYTES {
        let line = format!("{LINE}noise {lines} {}\n", "x".repeat(900));
        file.write_all(line.as_bytes())?;
        bytes += line.len();
        lines += 1;
    }
    file.flush()?;
    Ok(lines)
}

fn append(log: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(log.parent().unwrap())?;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    file.write_all(format!("{LINE}{text}\n").as_bytes())?;
    Ok(())
}
