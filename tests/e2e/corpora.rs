use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use locard_tests::shared::shared;
use locard_tests::{Client, Collector, Server, eventually};
use serde_json::Value;

/// Issue test 5, first half: every line of every text file of the corpora (auditd aside) comes in once, byte for byte. That the
/// fields are right is shown per format in `collector/parse/tests`.
#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_corpora_is_kept() -> anyhow::Result<()> {
    let Some(corpora) = shared("corpora") else { return Ok(()) };
    let directory = tempfile::tempdir()?;
    let logs = copy_logs(&corpora, &directory.path().join("logs"))?;
    anyhow::ensure!(logs.len() > 250, "only {} log files in {}", logs.len(), corpora.display());
    let server = Server::start().await?;
    let config = format!(
        "indexer: {}\nstate: {}\nmetrics_listen: \"127.0.0.1:0\"\nsources:\n  - {{type: file, paths: [\"{}/*.log\"]}}\n",
        server.url(),
        directory.path().join("state").display(),
        directory.path().join("logs").display()
    );
    let mut collector = Collector::start(directory.path(), &config)?;
    let client = server.client();
    let total: usize = logs.values().map(|lines| lines.values().sum::<usize>()).sum();
    eventually(Duration::from_secs(120), async || {
        collector.process().check_alive()?;
        let found = client.count("log.file.path:*").await?;
        anyhow::ensure!(found >= total as u64, "{found} of {total}");
        Ok(())
    })
    .await?;
    collector.check_conservation().await?;
    compare(&client, &logs).await?;
    assert!(client.post("/api/admin/seal", &[], "").await?.status < 300);
    compare(&client, &logs).await
}

type Lines = BTreeMap<Vec<u8>, usize>;

/// Copies the log files flat into `to`, each ending in a line end (the corpora's authors did not always write one), and answers the
/// lines of each.
fn copy_logs(corpora: &Path, to: &Path) -> anyhow::Result<BTreeMap<PathBuf, Lines>> {
    std::fs::create_dir_all(to)?;
    let mut files = Vec::new();
    list(corpora, &mut files)?;
    let mut logs = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        let mut bytes = std::fs::read(file)?;
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        let path = to.join(format!("{number}.log"));
        std::fs::write(&path, &bytes)?;
        let mut lines = Lines::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                *lines.entry(line.to_vec()).or_default() += 1;
            }
        }
        if !lines.is_empty() {
            logs.insert(path, lines);
        }
    }
    Ok(logs)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let other = ["NOTICE", "README.md", "auditd"].contains(&name.as_str());
        let binary = [".gz", ".parquet", ".assert", ".yaml", ".golden"].iter().any(|end| name.ends_with(end));
        match path.is_dir() {
            _ if other || binary => {}
            true => list(&path, files)?,
            false => files.push(path),
        }
    }
    files.sort();
    Ok(())
}

async fn compare(client: &Client, logs: &BTreeMap<PathBuf, Lines>) -> anyhow::Result<()> {
    let mut found: BTreeMap<PathBuf, Lines> = BTreeMap::new();
    for event in client.search_all("log.file.path:*").await? {
        let path = PathBuf::from(event["log.file.path"].as_str().unwrap());
        let mut bytes = message_bytes(&event);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        if !bytes.is_empty() {
            *found.entry(path).or_default().entry(bytes).or_default() += 1;
        }
    }
    for (path, lines) in logs {
        let here = found.get(path);
        anyhow::ensure!(here == Some(lines), "{}: {}", path.display(), difference(lines, here));
    }
    Ok(())
}

fn message_bytes(event: &Value) -> Vec<u8> {
    match event["message_base64"].as_str() {
        Some(text) => BASE64_STANDARD.decode(text).unwrap(),
        None => event["message"].as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

fn difference(wanted: &Lines, found: Option<&Lines>) -> String {
    let empty = Lines::new();
    let found = found.unwrap_or(&empty);
    let shown = |lines: &Lines, other: &Lines| {
        let odd = lines.iter().filter(|(line, count)| other.get(*line) != Some(count)).take(2);
        odd.map(|(line, count)| format!("{count}x {}", String::from_utf8_lossy(line))).collect::<Vec<_>>()
    };
    format!("wanted {:?}, found {:?}", shown(wanted, found), shown(found, wanted))
}
