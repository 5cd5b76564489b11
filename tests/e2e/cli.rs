use std::io::Write as _;
use std::path::Path;

use locard_tests::process::binary;
use locard_tests::{Server, ServerOptions};
use tokio::process::Command;

pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) async fn locard(server: &Server, arguments: &[&str]) -> anyhow::Result<Run> {
    let output =
        Command::new(binary("locard")?).args(arguments).args(["--url", server.url()]).output().await?;
    Ok(Run {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn search_answers_in_every_format_and_tells_by_its_exit_code() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let body = "{\"message\":\"red \\u001b[31m alarm\",\"user\":\"=cmd\"}\n{\"message\":\"blue\",\"user\":\"bob\"}\n";
    server.client().ingest("", body).await?;
    let found = locard(&server, &["search", "alarm"]).await?;
    assert_eq!(found.code, Some(0), "{}", found.err);
    let event: serde_json::Value = serde_json::from_str(found.out.trim())?;
    assert_eq!(event["user"], "=cmd");
    assert_eq!(locard(&server, &["search", "green"]).await?.code, Some(1));
    let wrong = locard(&server, &["search", "a AND (b"]).await?;
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains('^'), "{}", wrong.err);

    let raw = locard(&server, &["search", "alarm", "-o", "raw"]).await?;
    assert!(raw.out.contains("alarm"), "{}", raw.out);
    let csv = locard(&server, &["search", "*", "-o", "csv"]).await?;
    assert!(csv.out.contains("'=cmd"), "a formula must not survive: {}", csv.out);
    let table = locard(&server, &["search", "*", "-o", "table"]).await?;
    assert!(
        !table.out.contains("\u{1b}[31m alarm"),
        "escape sequences of log lines must not reach a terminal: {:?}",
        table.out
    );
    let stats = locard(&server, &["search", "* | stats count() by user", "-o", "json"]).await?;
    assert!(stats.out.contains("bob"), "{}", stats.out);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_may_be_several_words_and_begin_with_a_dash() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let body = "{\"message\":\"red one\",\"name\":\"a\",\"ts\":\"2026-05-28T10:00:00Z\"}\n\
                {\"message\":\"red two\",\"name\":\"b\",\"ts\":\"2026-05-29T10:00:00Z\"}\n";
    server.client().ingest("", body).await?;
    for (arguments, expected) in [
        (&["search", "-name:a", "-o", "raw"][..], "red two\n"),
        (&["search", "red", "-name:b", "-o", "raw", "-n5"], "red one\n"),
        (&["search", "-o", "raw", "red", "one"], "red one\n"),
        (&["search", "-o", "raw", "red", "--", "-one"], "red two\n"),
        (&["search", "red", "--start", "2026-05-29", "-o", "raw"], "red two\n"),
        (&["search", "red", "--end", "2026-05-29", "-o", "raw"], "red one\n"),
        (&["search", "red", "--start", "1h", "-o", "raw"], ""),
        (&["search", "red", "--start", "now-9999d", "--end", "1779962401", "-o", "raw"], "red one\n"),
    ] {
        let mut arguments = arguments.to_vec();
        // What follows `--` would take the URL too.
        let url = ["--url", server.url()];
        arguments.splice(1..1, url);
        let output = Command::new(binary("locard")?).args(&arguments).output().await?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(out, expected, "{arguments:?}: {err}");
    }
    let reversed =
        locard(&server, &["search", "red", "--start", "2026-05-29", "--end", "2026-05-28"]).await?;
    assert_eq!(reversed.code, Some(2));
    assert!(
        reversed.err.contains("`start` is 2026-05-29") && reversed.err.contains("`end` is"),
        "{}",
        reversed.err
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_imported_once_plain_and_compressed() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let directory = tempfile::tempdir()?;
    let files = write_files(directory.path())?;
    let names: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    for again in [false, true] {
        let mut arguments = vec!["ingest"];
        arguments.extend(&names);
        let run = locard(&server, &arguments).await?;
        assert_eq!(run.code, Some(0), "{}", run.err);
        let known = run.err.matches("all of them were known already, nothing was added").count();
        assert_eq!(known, if again { names.len() } else { 0 }, "{}", run.err);
        let client = server.client();
        for (query, count) in [
            ("*", 8),
            ("source.ip=203.0.113.77 event.outcome:failure", 2),
            ("log.iostream:stderr \"joined in the middle\"", 1),
            ("http.response.status_code=404", 1),
            ("kubernetes.audit.verb:get kubernetes.audit.objectRef.resource:secrets user.name:alice", 1),
            ("log.level:error", 2),
            ("event.dataset=syslog", 2),
            ("event.dataset=web.access", 1),
            ("event.dataset=k8s.audit", 1),
            ("event.dataset=container", 2),
        ] {
            assert_eq!(client.count(query).await?, count, "{query}");
        }
    }
    Ok(())
}

fn write_files(directory: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let auth = "Nov 24 08:00:00 node-1 sshd[1]: Failed password for root from 203.0.113.77 port 4 ssh2\n\
                Nov 24 08:00:01 node-1 sshd[1]: Failed password for invalid user bob from 203.0.113.77 port 5 ssh2\n";
    let cri = "2026-11-24T08:00:00.1Z stderr P joined in \n2026-11-24T08:00:00.2Z stdout F {\"level\":\"error\",\"msg\":\"x\"}\n\
               2026-11-24T08:00:00.3Z stderr F the middle\n";
    let access =
        "198.51.100.9 - - [24/Nov/2026:08:00:00 +0000] \"GET /nope HTTP/1.1\" 404 153 \"-\" \"curl/8\"\n";
    let audit = "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"a-1\",\
                 \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/namespaces/payments/secrets/db\",\"verb\":\"get\",\
                 \"user\":{\"username\":\"alice\"},\"sourceIPs\":[\"198.51.100.4\"],\"objectRef\":{\"resource\":\"secrets\",\
                 \"namespace\":\"payments\",\"name\":\"db\"},\"responseStatus\":{\"code\":200},\
                 \"requestReceivedTimestamp\":\"2026-11-24T08:00:00.000000Z\",\"stageTimestamp\":\"2026-11-24T08:00:00.001000Z\"}\n";
    let klog = "E1124 08:00:00.123456       1 reflector.go:12] failed to list *v1.Pod\nI1124 08:00:01.123456       1 main.go:3] started\n";
    let path = |name: &str| directory.join(name);
    std::fs::write(path("auth.log"), auth)?;
    std::fs::write(path("0.log"), cri)?;
    let mut gz = flate2::write::GzEncoder::new(
        std::fs::File::create(path("access.log.gz"))?,
        flate2::Compression::default(),
    );
    gz.write_all(access.as_bytes())?;
    gz.finish()?;
    std::fs::write(path("audit.log.zst"), zstd::encode_all(audit.as_bytes(), 3)?)?;
    std::fs::write(path("kubelet.log"), klog)?;
    Ok(["auth.log", "0.log", "access.log.gz", "audit.log.zst", "kubelet.log"].map(path).into())
}

/// Nothing of a long line is lost: it becomes several events.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_is_imported_whole() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("long.log");
    let line = format!("head {} middle {} tail", "a".repeat(1 << 20), "b".repeat(5 << 20));
    std::fs::write(&path, format!("{line}\nnext\n"))?;
    let run = locard(&server, &["ingest", path.to_str().unwrap()]).await?;
    assert_eq!(run.code, Some(0), "{}", run.err);
    let mut events = server.client().search_all("log.offset:*").await?;
    events.sort_by_key(|event| event["log.offset"].as_i64());
    let text: String = events.iter().filter_map(|event| event["message"].as_str()).collect();
    assert_eq!(text, format!("{line}next"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_prints_what_comes() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let mut command = Command::new(binary("locard")?);
    command.args(["tail", "breach", "-o", "raw", "--url", server.url()]);
    let process = locard_tests::Process::start(&mut command)?;
    let client = server.client();
    locard_tests::eventually(std::time::Duration::from_secs(20), async || {
        client.ingest("", "{\"message\":\"a breach in the wall\"}\n{\"message\":\"calm\"}").await?;
        anyhow::ensure!(process.output().contains("a breach in the wall"), "printed: {}", process.output());
        Ok(())
    })
    .await?;
    assert!(!process.output().contains("calm"));
    Ok(())
}

/// There are more than the server gives in a page, and than it once cut what is sorted to.
#[tokio::test(flavor = "multi_thread")]
async fn a_sorted_search_prints_as_much_as_is_asked_for() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let body: String = (0..1_200).map(|n| format!("{{\"message\":\"m\",\"n\":{n}}}\n")).collect();
    server.client().ingest("", body).await?;
    for limit in [&["--all"][..], &["-n", "1150"]] {
        let run = locard(&server, &[&["search", "m | sort -n", "-o", "json"], limit].concat()).await?;
        let lines: Vec<&str> = run.out.lines().collect();
        let first: serde_json::Value = serde_json::from_str(lines[0])?;
        assert_eq!(first["n"], 1_199);
        assert_eq!(lines.len(), if limit.len() == 1 { 1_200 } else { 1_150 }, "{}", run.err);
        assert_eq!(run.err.contains("incomplete"), limit.len() > 1, "{}", run.err);
    }
    Ok(())
}

/// The incident of yesterday is not one of the last hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_played_again_says_where_it_is() -> anyhow::Result<()> {
    let options = ServerOptions {
        command: "up",
        arguments: vec!["--demo".into()],
        config: Some("collector: {enabled: false}\n".into()),
        ..ServerOptions::default()
    };
    let mut server = Server::start_with(options).await?;
    let said = async |server: &mut Server, text: &str| {
        locard_tests::eventually(std::time::Duration::from_secs(30), async || {
            let output = server.process().output();
            anyhow::ensure!(output.contains(text), "{output}");
            Ok(output)
        })
        .await
    };
    said(&mut server, "in the last hour").await?;
    let all = server.client().count("*").await?;
    server.process().stop().await?;
    server.restart().await?;
    let output = said(&mut server, "/?start=").await?;
    let range = output.split_once("/?start=").and_then(|(_, rest)| rest.split_whitespace().next());
    let (start, end) = range.and_then(|range| range.split_once("&end=")).unwrap();
    let found = server.client().search(serde_json::json!({"q": "*", "start": start, "end": end})).await?;
    assert_eq!(found["matched"]["value"], all, "{start} to {end}");
    Ok(())
}

/// Nobody believes an import whose events were refused.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_refused_fails_and_says_why() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("app.log");
    std::fs::write(&path, "one\ntwo\n")?;
    let run = locard(&server, &["ingest", path.to_str().unwrap(), "--label", "event.dataset=My App"]).await?;
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains("2 of ") && run.err.contains("lower case"), "{}", run.err);
    assert_eq!(server.client().count("*").await?, 0);
    Ok(())
}

/// What a torn archive still holds is evidence, and so is that it is torn.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_archive_is_imported_up_to_where_it_is_torn() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("app.log.gz");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for n in 0..500_u64 {
        writeln!(gz, "line {n} {:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))?;
    }
    let whole = gz.finish()?;
    std::fs::write(&path, &whole[..whole.len() / 2])?;
    let run = locard(&server, &["ingest", path.to_str().unwrap()]).await?;
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains("events, 1 batch") && run.err.contains("cannot read"), "{}", run.err);
    let count = server.client().count("line").await?;
    assert!((100..500).contains(&count), "{count} events");
    Ok(())
}
