use std::io::Write as _;
use std::path::Path;
use std::process::Command as Blocking;

use locard_tests::process::binary;
use locard_tests::{Server, ServerOptions};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_syntax_error_has_a_position_and_a_hint() -> anyhow::Result<()> {
    let server = Server::start().await?;
    for (query, start) in
        [("level:error AND (host", 16), ("\"open", 0), ("a | stat count()", 4), ("x:[1 TO", 2)]
    {
        let answer = server
            .client()
            .post("/api/search", &[("content-type", "application/json")], json!({"q": query}).to_string())
            .await?;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let problem = answer.json()?;
        assert_eq!(problem["span"][0], start, "{query}: {problem}");
        assert!(problem["hint"].is_string(), "{query}: {problem}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_names_the_line_and_keeps_the_good_ones() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    let mixed = client
        .post("/ingest/ndjson", &[], "{\"message\":\"good\"}\n{broken\n[1]\n\n{\"message\":\"fine\"}")
        .await?;
    assert_eq!(mixed.status, 200);
    let ack = mixed.json()?;
    assert_eq!(ack["accepted"], 2, "{ack}");
    let lines: Vec<_> = ack["rejected"].as_array().unwrap().iter().map(|r| r["line"].clone()).collect();
    assert_eq!(lines, [json!(2), json!(3)]);
    assert_eq!(client.count("*").await?, 2);

    let unreadable = client.post("/ingest/ndjson", &[], "{nothing good").await?;
    assert_eq!(unreadable.status, 400, "{}", unreadable.text);
    assert_eq!(unreadable.json()?["line"], 1);
    let protobuf =
        client.post("/v1/logs", &[("content-type", "application/x-protobuf")], "\u{1}garbage").await?;
    assert_eq!(protobuf.status, 400, "{}", protobuf.text);
    let encoding = client.post("/ingest/ndjson", &[("content-encoding", "br")], "{}").await?;
    assert_eq!(encoding.status, 415, "{}", encoding.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_costs_memory() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    let wire = client.post("/ingest/ndjson", &[], vec![b'x'; 17 << 20]).await;
    // The server may close the connection while the client still sends.
    if let Ok(answer) = wire {
        assert_eq!(answer.status, 413, "{}", answer.text);
    }
    let bomb = zstd::encode_all(std::io::repeat(0u8).take_bytes(1 << 30), 3)?;
    assert!(bomb.len() < 1 << 20);
    let answer = client.post("/ingest/ndjson", &[("content-encoding", "zstd")], bomb).await?;
    assert_eq!(answer.status, 413, "{}", answer.text);
    assert_eq!(client.count("*").await?, 0);
    Ok(())
}

trait TakeBytes: std::io::Read + Sized {
    fn take_bytes(self, bytes: u64) -> std::io::Take<Self> {
        std::io::Read::take(self, bytes)
    }
}

impl<R: std::io::Read> TakeBytes for R {}

/// The write-ahead log on a file system of 24 MB: full means 507 and nothing acked, and it goes on by itself when there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_recovers() -> anyhow::Result<()> {
    let Some(disk) = SmallDisk::mount("24m")? else { return Ok(()) };
    let options = ServerOptions { data: Some(disk.path().join("data")), ..ServerOptions::default() };
    let mut server = Server::start_with(options).await?;
    let client = server.client();
    let ballast = disk.path().join("ballast");
    let mut acked = 0;
    let mut refused = None;
    for round in 0..400u32 {
        if round == 3 {
            let _full = std::fs::File::create(&ballast)?.write_all(&vec![0; 22 << 20]);
        }
        let noise: String =
            (0..2000).map(|n| format!("{:x} ", (n * 2_654_435_761u64) ^ (u64::from(round) << 40))).collect();
        let body = json!({"name": format!("n{round}"), "message": noise}).to_string();
        let answer = client.post("/ingest/ndjson", &[], body).await?;
        match answer.status {
            200 => acked += 1,
            _ => {
                refused = Some(answer);
                break;
            }
        }
    }
    let refused = refused.expect("the disk never filled");
    assert_eq!(refused.status, 507, "{}", refused.text);
    let status = client.get("/api/status").await?.json()?;
    assert!(status["refusing"].as_str().is_some_and(|why| why.contains("os error 28")), "{status}");
    assert_eq!(client.count("name:*").await?, acked, "searches go on, and show what was acked");

    std::fs::remove_file(&ballast)?;
    locard_tests::eventually(std::time::Duration::from_secs(20), async || {
        let answer = client.post("/ingest/ndjson", &[], "{\"name\":\"after\",\"message\":\"room\"}").await?;
        anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
        Ok(())
    })
    .await?;
    assert_eq!(client.count("name:*").await?, acked + 1);
    assert_eq!(client.get("/api/status").await?.json()?["refusing"], json!(null));
    server.kill().await?;
    server.restart().await?;
    assert_eq!(server.client().count("name:*").await?, acked + 1);
    server.kill().await
}

/// A tmpfs of a given size, unmounted on drop.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> anyhow::Result<Option<Self>> {
        let directory = tempfile::tempdir()?;
        let option = format!("size={size}");
        let status = Blocking::new("mount")
            .args(["-t", "tmpfs", "-o", &option, "tmpfs"])
            .arg(directory.path())
            .status();
        match status {
            Ok(status) if status.success() => Ok(Some(Self(directory))),
            other => {
                eprintln!("SKIPPED: cannot mount a tmpfs here ({other:?}); this test needs root");
                Ok(None)
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ended = Blocking::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn an_unknown_configuration_key_is_named_with_the_nearest_one() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let collector = directory.path().join("collector.yaml");
    std::fs::write(&collector, "indexer: http://127.0.0.1:1\nstate: /tmp/x\nsuorces: []\n")?;
    let run =
        Blocking::new(binary("locard-collector")?).args(["check", "--config"]).arg(&collector).output()?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned() + &String::from_utf8_lossy(&run.stdout);
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("suorces") && said.contains("sources"), "{said}");

    let server = directory.path().join("locard.yaml");
    std::fs::write(&server, "retentoin: {age: 7d}\n")?;
    let run = Blocking::new(binary("locard")?).args(["serve", "--config"]).arg(&server).output()?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("retentoin") && said.contains("retention"), "{said}");
    Ok(())
}

#[test]
fn listening_beyond_loopback_needs_credentials() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let run = Blocking::new(binary("locard")?)
        .args(["serve", "--listen", "0.0.0.0:0", "--data"])
        .arg(directory.path())
        .output()?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("auth"), "{said}");
    Ok(())
}

/// Whoever reads that it listens may search: nothing is said before the data are open.
#[test]
fn a_data_directory_that_cannot_be_used_is_named_with_what_to_do() -> anyhow::Result<()> {
    for command in ["serve", "up"] {
        let run = Blocking::new(binary("locard")?)
            .args([command, "--listen", "127.0.0.1:0", "--data", "/proc/nope"])
            .output()?;
        let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert_eq!(run.status.code(), Some(2), "{err}");
        assert_eq!(out, "", "{command} says that it listens");
        assert!(err.contains("/proc/nope") && err.contains("--data"), "{err}");
    }
    Ok(())
}

#[test]
fn a_configuration_is_checked_as_a_whole() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("locard.yaml");
    let check = |text: Option<&str>| -> anyhow::Result<(Option<i32>, String)> {
        let mut command = Blocking::new(binary("locard")?);
        command.args(["config", "check"]);
        if let Some(text) = text {
            std::fs::write(&path, text)?;
            command.arg(&path);
        }
        let run = command.output()?;
        let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
        Ok((run.status.code(), said))
    };
    let (code, said) =
        check(Some("listen: nowhere\nretentoin: {age: 7d}\nlimits: {connections: some, merge_width: 1}\n"))?;
    assert_eq!(code, Some(2), "{said}");
    for part in ["listen: ", "retentoin: ", "limits.connections: ", "limits.merge_width: ", "locard.yaml"] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
    let (code, said) = check(Some("tls: {cert: /nowhere/tls.crt, key: /nowhere/tls.key}\n"))?;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("/nowhere/tls.crt"), "{said}");
    let (code, said) = check(Some("log: {level: debug}\n"))?;
    assert_eq!((code, said.trim()), (Some(0), format!("ok: {}", path.display()).as_str()));
    let (code, said) = check(None)?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no file was named"), "{said}");
    Ok(())
}

/// A text that JavaScript cut in the middle of a character.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_character_loses_no_line() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    let line = r#"{"message":"cut here: \ud83d","user":"x\ud83dy","n":1}"#;
    let ack = client.ingest("", format!("{line}\n")).await?;
    assert_eq!((&ack["accepted"], &ack["rejected"]), (&json!(1), &json!([])));
    let found = client.search(json!({"q": "n=1"})).await?["events"][0].take();
    assert_eq!(found["message"], line, "the line is the message, as it came");
    assert_eq!(found["user"], "x\u{fffd}y");
    assert!(found["error.message"].as_str().unwrap_or_default().contains("half a character"), "{found}");
    Ok(())
}
