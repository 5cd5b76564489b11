//! Debian's `rsyslog` with `omelasticsearch`, as people run it: what it ships to `/es/_bulk` arrives, each line once, also when the
//! server is killed meanwhile. This rsyslog throws away what is answered with an error as a whole, so a server that is starting lets it wait.

use std::path::Path;
use std::time::Duration;

use locard_tests::{Process, Server, eventually};
use tokio::process::Command;

const RSYSLOGD: &str = "/usr/sbin/rsyslogd";
const MODULES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so",
    "/usr/lib/aarch64-linux-gnu/rsyslog/omelasticsearch.so",
];
const LINES: usize = 4_000;

/// Each line carries an id of its own, so that a batch that rsyslog sends again is not there twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_rsyslog_ships_arrives_once() -> anyhow::Result<()> {
    if !Path::new(RSYSLOGD).exists() || !MODULES.iter().any(|module| Path::new(module).exists()) {
        eprintln!("SKIPPED: no rsyslog with rsyslog-elasticsearch here: no real shipper is tried");
        return Ok(());
    }
    let mut server = Server::start().await?;
    let directory = tempfile::tempdir()?;
    let input = directory.path().join("input.log");
    std::fs::write(&input, "")?;
    let config = directory.path().join("rsyslog.conf");
    std::fs::write(&config, configuration(directory.path(), &server))?;
    let mut command = Command::new(RSYSLOGD);
    command.arg("-n").arg("-f").arg(&config).arg("-i").arg(directory.path().join("pid"));
    let mut shipper = Process::start(&mut command)?;
    append(&input, 0..LINES / 2)?;
    arrived(&server, &mut shipper, LINES / 2).await?;
    append(&input, LINES / 2..LINES)?;
    server.kill().await?;
    server.restart().await?;
    arrived(&server, &mut shipper, LINES).await?;
    let events = server.client().search_all("event.dataset:rsyslog").await?;
    let mut lines: Vec<&str> = events.iter().filter_map(|event| event["message"].as_str()).collect();
    lines.sort_unstable();
    let expected: Vec<String> = (0..LINES).map(line).collect();
    assert_eq!(lines, expected);
    assert!(events.iter().all(|event| event["host.name"].is_string()), "{}", events[0]);
    shipper.kill().await
}

/// Not a line of syslog: what it says must come back as it was written.
fn line(number: usize) -> String {
    format!("line {number:05} \"quoted\" \\ back and ünïcode")
}

fn append(path: &Path, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    use std::io::Write;
    let text: String = numbers.map(|number| line(number) + "\n").collect();
    std::fs::File::options().append(true).open(path)?.write_all(text.as_bytes())?;
    Ok(())
}

async fn arrived(server: &Server, shipper: &mut Process, count: usize) -> anyhow::Result<()> {
    let client = server.client();
    eventually(Duration::from_secs(90), async || {
        shipper.check_alive()?;
        let found = client.count("event.dataset:rsyslog").await?;
        anyhow::ensure!(found >= count as u64, "{found} of {count}:\n{}", shipper.output());
        Ok(())
    })
    .await
}

fn configuration(directory: &Path, server: &Server) -> String {
    let (url, input) = (server.url(), directory.join("input.log"));
    let directory = directory.display();
    format!(
        r#"global(workDirectory="{directory}" maxMessageSize="64k")
module(load="imfile")
module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host.name" name="hostname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
template(name="id" type="list") {{ property(name="msg" position.from="6" position.to="10") }}
input(type="imfile" file="{}" tag="app:" ruleset="ship")
ruleset(name="ship") {{
  action(type="omelasticsearch" server="{url}/es" searchIndex="rsyslog" searchType=""
    template="document" bulkmode="on" bulkid="id" dynbulkid="on" writeoperation="create" maxbytes="64k"
    errorfile="{directory}/errors.json" skipverifyhost="on" usehttps="off" retryfailures="off"
    queue.type="LinkedList" queue.size="10000" queue.dequeuebatchsize="200"
    action.resumeretrycount="-1" action.resumeinterval="1")
}}
"#,
        input.display()
    )
}
