use locard_tests::Server;
use locard_tests::process::binary;
use tokio::process::Command;

/// Between what is there and what comes nothing is missed and nothing is told twice, though it comes all the while.
#[tokio::test(flavor = "multi_thread")]
async fn follow_prints_what_is_there_and_then_what_comes_each_once() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    let line = |n: u32| format!("{{\"message\":\"beat {n} end\",\"ts\":\"2026-05-28T10:00:00Z\"}}\n");
    client.ingest("", (0..50).map(line).collect::<String>()).await?;
    let mut command = Command::new(binary("locard")?);
    command.args(["search", "beat", "--follow", "--all", "-o", "raw", "--url", server.url()]);
    let process = locard_tests::Process::start(&mut command)?;
    for n in 50..150 {
        client.ingest("", line(n)).await?;
    }
    locard_tests::eventually(std::time::Duration::from_secs(20), async || {
        anyhow::ensure!(process.output().contains("beat 149 end"), "printed: {}", process.output());
        Ok(())
    })
    .await?;
    let output = process.output();
    let printed: Vec<&str> = output.lines().filter(|line| line.contains("beat ")).collect();
    assert_eq!(printed.len(), 150, "{output}");
    for (n, line) in printed.iter().enumerate() {
        assert!(line.contains(&format!("beat {n} end")), "{n}: {line}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_events_can_be_followed() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let mut command = Command::new(binary("locard")?);
    command.args(["search", "beat", "--follow", "-o", "raw", "--url", server.url()]);
    let process = locard_tests::Process::start(&mut command)?;
    locard_tests::eventually(std::time::Duration::from_secs(20), async || {
        server.client().ingest("", "{\"message\":\"beat\"}").await?;
        anyhow::ensure!(process.output().contains("beat"), "printed: {}", process.output());
        Ok(())
    })
    .await
}

/// Whoever has enough closes the pipe; that is no failure, and nothing is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_enough_is_no_error() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let body: String =
        (0..5_000).map(|n| format!("{{\"message\":\"line {n} {}\"}}\n", "x".repeat(100))).collect();
    server.client().ingest("", body).await?;
    let mut command = Command::new(binary("locard")?);
    command.args(["search", "line", "--all", "-o", "raw", "--url", server.url()]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn()?;
    drop(child.stdout.take());
    let output = child.wait_with_output().await?;
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_manual_pages_are_well_formed() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let script = Command::new(binary("locard")?).args(["completions", "bash"]).output().await?;
    assert!(script.status.success());
    let path = directory.path().join("locard.bash");
    std::fs::write(&path, &script.stdout)?;
    let pages = directory.path().join("man1");
    let made = Command::new(binary("locard")?).args(["man", "--dir"]).arg(&pages).output().await?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let page = pages.join("locard-search.1");
    for (program, arguments) in [
        ("bash", vec!["-n".into(), path]),
        ("groff", vec!["-man".into(), "-Tutf8".into(), "-ww".into(), page]),
    ] {
        match Command::new(program).args(&arguments).output().await {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{program}: {said}");
                let is_page = program == "groff";
                assert!(
                    !is_page
                        || String::from_utf8_lossy(&output.stdout)
                            .contains("locard search failed --since 1h "),
                    "the page is empty"
                );
            }
            Err(_) => eprintln!("SKIPPED: {program} is not installed"),
        }
    }
    Ok(())
}
