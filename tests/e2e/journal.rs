use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use locard_tests::{Collector, Server, eventually};

/// Debian's `systemd-journal-remote`: writes real journal files out of the export format.
const WRITERS: [&str; 2] = ["/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote"];

/// A real journal, read by the real `journalctl`: every entry is found once, also those of files that appear while the collector runs or
/// is down.
#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_real_journal_are_found_once() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let journal = directory.path().join("journal");
    std::fs::create_dir(&journal)?;
    let Some(writer) = writer() else { return Ok(()) };
    write(&writer, &journal, 0..50)?;
    let server = Server::start().await?;
    let config = format!(
        "indexer: {}\nstate: {}\nmetrics_listen: \"127.0.0.1:0\"\nsources:\n  - {{type: journald, directory: {}}}\n",
        server.url(),
        directory.path().join("state").display(),
        journal.display()
    );
    let mut collector = Collector::start(directory.path(), &config)?;
    found(&server, &mut collector, 50).await?;
    write(&writer, &journal, 50..60)?;
    found(&server, &mut collector, 60).await?;
    collector.kill().await?;
    write(&writer, &journal, 60..80)?;
    collector.restart()?;
    found(&server, &mut collector, 80).await?;
    collector.check_conservation().await
}

/// `None`, said loudly, where there is none.
fn writer() -> Option<PathBuf> {
    let runs = Command::new("journalctl").arg("--version").output().is_ok();
    let writer = WRITERS.into_iter().map(PathBuf::from).find(|path| path.exists()).filter(|_| runs);
    if writer.is_none() {
        eprintln!("SKIPPED: no systemd-journal-remote or journalctl here: no real journal is read");
    }
    writer
}

/// A journal file with these entries.
fn write(writer: &Path, journal: &Path, numbers: std::ops::Range<u64>) -> anyhow::Result<()> {
    let file = journal.join(format!("part{}.journal", numbers.start));
    let mut child = Command::new(writer)
        .arg("--output")
        .arg(&file)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let entries: String = numbers.map(entry).collect();
    std::io::Write::write_all(&mut child.stdin.take().context("no stdin")?, entries.as_bytes())?;
    let output = child.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// In the journal export format; every fifth message has two lines, which need its binary form.
fn entry(number: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
    let message = match number % 5 {
        0 => {
            let text = format!("entry {number}\nsecond line");
            let length = (text.len() as u64).to_le_bytes();
            // All lengths here are below 128, and so valid UTF-8.
            format!("MESSAGE\n{}{text}", String::from_utf8(length.to_vec()).unwrap())
        }
        _ => format!("MESSAGE=entry {number}"),
    };
    format!(
        "__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n\
         _HOSTNAME=journal-host\n_SYSTEMD_UNIT=sshd.service\nSYSLOG_IDENTIFIER=sshd\nPRIORITY=6\n{message}\n\n",
        number + 1
    )
}

async fn found(server: &Server, collector: &mut Collector, count: u64) -> anyhow::Result<()> {
    let client = server.client();
    eventually(Duration::from_secs(60), async || {
        collector.process().check_alive()?;
        let found = client.count("event.dataset:journald").await?;
        anyhow::ensure!(found >= count, "{found} of {count}:\n{}", collector.process().output());
        Ok(())
    })
    .await?;
    let events = client.search_all("event.dataset:journald").await?;
    let mut messages: Vec<_> =
        events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect();
    let number = |text: &String| text.split([' ', '\n']).nth(1).and_then(|word| word.parse::<u64>().ok());
    messages.sort_by_key(number);
    let expected: Vec<_> = (0..count)
        .map(|number| match number % 5 {
            0 => format!("entry {number}\nsecond line"),
            _ => format!("entry {number}"),
        })
        .collect();
    assert_eq!(messages, expected);
    for event in &events {
        assert_eq!(event["host.name"], "journal-host", "{event}");
    }
    Ok(())
}
