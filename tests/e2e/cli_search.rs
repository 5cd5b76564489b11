use locard_tests::Server;
use locard_tests::process::binary;
use tokio::process::Command;

use crate::cli::locard;

/// Lines of two streams, a second between two.
fn lines_of_streams() -> String {
    let line = |n: u32, host: &str, text: &str| {
        format!(
            "{{\"message\":\"{text}\",\"host.name\":\"{host}\",\"n\":{n},\"ts\":\"2026-05-28T10:00:{n:02}Z\"}}\n"
        )
    };
    let quiet = |n: u32| line(n, if n.is_multiple_of(2) { "web" } else { "db" }, &format!("quiet {n}"));
    let said = |n: u32| match n {
        6 | 8 | 16 => line(n, "web", &format!("alarm {n}")),
        n => quiet(n),
    };
    (0..20).map(said).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn context_is_what_is_around_a_match_in_its_stream() -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.client().ingest("", lines_of_streams()).await?;
    for (flags, expected) in [
        // 6 and 8 are neighbours on their host; between 10 and 14 there is a gap.
        (&["-C1", "-r"][..], "quiet 4\nalarm 6\nalarm 8\nquiet 10\n--\nquiet 14\nalarm 16\nquiet 18\n"),
        (&["-C", "1"], "quiet 18\nalarm 16\nquiet 14\n--\nquiet 10\nalarm 8\nalarm 6\nquiet 4\n"),
        (&["-B1", "-n", "1"], "alarm 16\nquiet 14\n"),
        (&["-A2", "-n1"], "quiet 18\nalarm 16\n"),
        // 10 to 12 and 14 to 16 touch.
        (
            &["-B1", "-A2", "-r"],
            "quiet 4\nalarm 6\nalarm 8\nquiet 10\nquiet 12\nquiet 14\nalarm 16\nquiet 18\n",
        ),
        (&["-B1", "-n1", "--context-by", "event.dataset"], "alarm 16\nquiet 15\n"),
    ] {
        let run = locard(&server, &[&["search", "alarm", "-o", "raw"], flags].concat()).await?;
        assert_eq!(run.out, expected, "{flags:?}: {}", run.err);
    }
    let table = locard(&server, &["search", "alarm", "-n1", "-B1", "-o", "table"]).await?;
    let leads: Vec<&str> = table.out.lines().map(|line| &line[..2]).collect();
    assert_eq!(leads, ["> ", "  "], "{}", table.out);
    let json = locard(&server, &["search", "alarm", "-n1", "-B1", "-f", "message"]).await?;
    let expected = "{\"message\":\"alarm 16\",\"_match\":true,\"_group\":0}\n{\"message\":\"quiet 14\",\"_match\":false,\"_group\":0}\n";
    assert_eq!(json.out, expected);
    let rows = locard(&server, &["search", "alarm | stats count()", "-C1"]).await?;
    assert_eq!(rows.code, Some(2), "{}", rows.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_explains_itself() -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.client().ingest("", lines_of_streams()).await?;
    let run =
        locard(&server, &["search", "--explain", "alarm | where n>7 | stats count() by host.name"]).await?;
    assert_eq!(run.code, Some(0), "{}", run.err);
    let explained: serde_json::Value = serde_json::from_str(&run.out)?;
    assert_eq!(explained["filter"], "alarm n>7", "{explained}");
    assert_eq!(explained["pipes"][0]["pipe"], "stats", "{explained}");
    assert!(explained["pipes"][0]["runs"].is_string(), "{explained}");
    let bad = locard(&server, &["search", "--explain", "alarm | stts"]).await?;
    assert_eq!((bad.code, bad.err.contains("stats")), (Some(2), true), "{}", bad.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_columns_and_times_are_in_the_zone_that_is_named() -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.client().ingest("", lines_of_streams()).await?;
    for (flags, expected) in [
        (
            &["-f", "host.name,n,message", "-o", "table"][..],
            "host.name   n  message\nweb        16  alarm 16\nweb         8  alarm 8\nweb         6  alarm 6\n",
        ),
        (&["-f", "n,none,host.name", "-o", "raw", "-n1"], "16\t\tweb\n"),
        (&["-f", "n,none", "-n1"], "{\"n\":16}\n"),
        (&["--columns", "n", "-o", "csv", "--no-header", "-n1"], "\"16\"\n"),
        (
            &["-f", "@timestamp", "-o", "csv", "--no-header", "-n1", "--tz", "Asia/Tokyo"],
            "\"2026-05-28T19:00:16.000+09:00\"\n",
        ),
        (&["-o", "raw", "--tz", "+02:00", "--since", "2026-05-28T12:00:16"], "alarm 16\n"),
        (&["-o", "raw", "--until", "2026-05-28T10:00:08Z"], "alarm 6\n"),
    ] {
        let run = locard(&server, &[&["search", "alarm"], flags].concat()).await?;
        assert_eq!(run.out, expected, "{flags:?}: {}", run.err);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn matches_are_marked_for_people_and_nothing_of_a_line_has_power() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let body = "{\"message\":\"red \\u001b]0;x\\u0007 alarm \\u202eno\",\"user\\u001b[2J\":\"bob\"}\n";
    server.client().ingest("", body).await?;
    let always = locard(&server, &["search", "alarm", "-o", "raw", "--color", "always"]).await?;
    assert_eq!(always.out, "red ␛]0;x␇ \u{1b}[31;1malarm\u{1b}[0m <U+202E>no\n");
    for format in ["table", "csv", "json"] {
        let shown = locard(&server, &["search", "alarm", "-o", format, "--color", "always"]).await?;
        let stray = shown.out.replace("\u{1b}[", "").contains(['\u{1b}', '\u{7}', '\u{202e}']);
        assert!(!stray && !shown.out.contains("\u{1b}[2J"), "{format}: {:?}", shown.out);
    }
    let exact = locard(&server, &["search", "alarm", "-o", "raw"]).await?;
    assert_eq!(exact.out, "red \u{1b}]0;x\u{7} alarm \u{202e}no\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_and_counts_tell_what_is_there() -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.client().ingest("", lines_of_streams()).await?;
    for (arguments, out, code) in [
        (&["alarm", "-c"][..], "3\n", 0),
        (&["alarm", "--count", "-o", "json"], "{\"count\":3}\n", 0),
        (&["* | stats count() by host.name", "-c"], "2\n", 0),
        (&["absent", "-c"], "0\n", 1),
        (&["alarm", "-q"], "", 0),
        (&["absent", "-q"], "", 1),
        (&["(alarm", "-q"], "", 2),
        (&["quiet", "-n", "0", "-c"], "", 2),
        (&["alarm", "-n", "0", "-o", "raw", "--oldest-first"], "alarm 6\nalarm 8\nalarm 16\n", 0),
    ] {
        let run = locard(&server, &[&["search"], arguments].concat()).await?;
        assert_eq!((run.out.as_str(), run.code), (out, Some(code)), "{arguments:?}: {}", run.err);
    }
    let stats = locard(&server, &["search", "alarm", "-n1", "--stats"]).await?;
    assert!(stats.err.contains("3 events matched, 1 printed"), "{}", stats.err);
    let warned = locard(&server, &["search", "hst.name:web"]).await?;
    assert_eq!(warned.code, Some(1));
    assert!(warned.err.contains("did you mean `host.name`?\n  try: host.name:web"), "{}", warned.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_comes_from_a_file_standard_input_or_what_was_kept() -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.client().ingest("", lines_of_streams()).await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("query");
    std::fs::write(&path, "alarm\n  n<8\n")?;
    let file = locard(&server, &["search", "--query-file", path.to_str().unwrap(), "-o", "raw"]).await?;
    assert_eq!(file.out, "alarm 6\n", "{}", file.err);
    let mut command = Command::new(binary("locard")?);
    command.args(["search", "-", "-o", "raw", "--url", server.url()]);
    command.stdin(std::fs::File::open(&path)?);
    assert_eq!(String::from_utf8(command.output().await?.stdout)?, "alarm 6\n");

    let name = "night watch";
    let put =
        locard(&server, &["saved", "put", name, "alarm", "-n:6", "--until", "2026-05-28T10:00:16Z"]).await?;
    assert_eq!((put.code, put.out.as_str()), (Some(0), ""), "{}", put.err);
    let saved = locard(&server, &["search", "--saved", name, "-o", "raw"]).await?;
    assert_eq!(saved.out, "alarm 8\n", "{}", saved.err);
    let other_times =
        locard(&server, &["search", "--saved", name, "-o", "raw", "--since", "2026-05-28"]).await?;
    assert_eq!(other_times.out, "alarm 16\nalarm 8\n", "{}", other_times.err);
    let list = locard(&server, &["saved", "list", "-f", "name,q", "-o", "raw"]).await?;
    assert_eq!(list.out, "night watch\talarm -n:6\n", "{}", list.err);
    let shown = locard(&server, &["saved", "show", name]).await?;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&shown.out)?["q"], "alarm -n:6");
    assert_eq!(locard(&server, &["saved", "put", name, "*", "--new"]).await?.code, Some(2));
    let wrong = locard(&server, &["saved", "put", "wrong", "(a"]).await?;
    assert!(wrong.code == Some(2) && wrong.err.contains('^'), "{}", wrong.err);
    for code in [0, 1] {
        assert_eq!(locard(&server, &["saved", "delete", name]).await?.code, Some(code));
    }
    assert_eq!(locard(&server, &["saved", "list"]).await?.code, Some(1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lookup_tables_are_put_used_and_read_back() -> anyhow::Result<()> {
    let server = Server::start().await?;
    server.client().ingest("", lines_of_streams()).await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("owners.csv");
    let table = "host.name,owner\nweb,alice\ndb,bob\n";
    std::fs::write(&path, table)?;
    let put = locard(&server, &["lookup", "put", "owners", path.to_str().unwrap()]).await?;
    assert_eq!(put.code, Some(0), "{}", put.err);
    assert_eq!(locard(&server, &["lookup", "get", "owners"]).await?.out, table);
    let used =
        locard(&server, &["search", "alarm | lookup owners host.name | top owner", "-o", "raw"]).await?;
    assert!(used.out.starts_with("alice\t3"), "{}{}", used.out, used.err);
    let list = locard(&server, &["lookup", "list", "-f", "name", "-o", "raw"]).await?;
    assert_eq!(list.out, "owners\n", "{}", list.err);
    for code in [0, 1] {
        assert_eq!(locard(&server, &["lookup", "delete", "owners"]).await?.code, Some(code));
    }
    Ok(())
}
