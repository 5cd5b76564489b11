use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use locard_tests::{Collector, Server, eventually};
use serde_json::{Value, json};

const NAMESPACE: &str = "payments";
const POD: &str = "checkout-7d4b9c-x2x1z";
const UID: &str = "0a1b2c3d-1111-2222-3333-444455556666";
const LINES: usize = 40;

/// What the container writes: numbered short lines on both streams, and every tenth one so long that the runtime splits it.
const SCRIPT: &str = r#"
i=0
while [ $i -lt 40 ]; do
  echo "out line $i"
  echo "err line $i" >&2
  if [ $((i % 10)) -eq 0 ]; then
    (printf "long-out-$i "; head -c 40000 /dev/zero | tr '\0' 'x'; echo " end-out-$i") &
    (printf "long-err-$i " >&2; head -c 30000 /dev/zero | tr '\0' 'y' >&2; echo " end-err-$i" >&2)
    wait
  fi
  i=$((i + 1))
done
"#;

/// Issue test 1: conmon and runc write the log, the collector reads it, the indexer finds it.
#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_real_container_are_found_once_joined_and_labelled() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let pods = directory.path().join("pods");
    let log = pods.join(format!("{NAMESPACE}_{POD}_{UID}/app/0.log"));
    std::fs::create_dir_all(log.parent().unwrap())?;
    let Some(container) = Container::run(directory.path(), &log)? else { return Ok(()) };
    let server = Server::start().await?;
    let config = format!(
        "indexer: {}\nstate: {}\nmetrics_listen: \"127.0.0.1:0\"\nsources:\n  - {{type: containers, root: {}}}\n",
        server.url(),
        directory.path().join("state").display(),
        pods.display()
    );
    let mut collector = Collector::start(directory.path(), &config)?;
    let client = server.client();
    let expected = (2 * LINES + 2 * LINES / 10) as u64;
    eventually(Duration::from_secs(30), async || {
        collector.process().check_alive()?;
        let found = client.count("event.dataset:container").await?;
        anyhow::ensure!(found >= expected, "{found} of {expected}:\n{}", collector.process().output());
        Ok(())
    })
    .await?;
    let events = client.search_all("event.dataset:container").await?;
    drop(container);
    collector.check_conservation().await?;
    check_lines(&events, expected)
}

fn check_lines(events: &[Value], expected: u64) -> anyhow::Result<()> {
    assert_eq!(events.len() as u64, expected);
    let partial = std::fs::read_to_string(events[0]["log.file.path"].as_str().unwrap())
        .map(|text| text.contains(" P "));
    assert!(partial.unwrap_or(true), "the runtime split nothing: the test shows nothing");
    let message = |event: &Value| event["message"].as_str().unwrap().to_owned();
    for (stream, word, filler, count) in [("stdout", "out", "x", 40_000), ("stderr", "err", "y", 30_000)] {
        let of_stream: Vec<_> =
            events.iter().filter(|event| event["log.iostream"] == stream).map(message).collect();
        for line in 0..LINES {
            let wanted = format!("{word} line {line}");
            assert_eq!(of_stream.iter().filter(|text| **text == wanted).count(), 1, "{wanted}");
        }
        for line in (0..LINES).step_by(10) {
            let wanted = format!("long-{word}-{line} {} end-{word}-{line}", filler.repeat(count));
            assert_eq!(of_stream.iter().filter(|text| **text == wanted).count(), 1, "long {word} {line}");
        }
    }
    for event in events {
        assert_eq!(event["kubernetes.namespace"], NAMESPACE, "{event}");
        assert_eq!(event["kubernetes.pod.name"], POD);
        assert_eq!(event["kubernetes.pod.uid"], UID);
        assert_eq!(event["kubernetes.container.name"], "app");
        assert_ne!(event["host.name"], json!(null));
    }
    Ok(())
}

/// A container that conmon supervises and runc runs. Deleted on drop.
struct Container {
    id: String,
}

impl Container {
    /// Starts the script and waits for its end. `None`, said loudly, where the machine forbids containers.
    fn run(directory: &Path, log: &Path) -> anyhow::Result<Option<Self>> {
        let runc = PathBuf::from("/usr/sbin/runc");
        let id = format!("locard-test-{}", std::process::id());
        match Self::create(directory, log, &runc, &id) {
            Ok(container) => Ok(Some(container)),
            Err(error) => {
                eprintln!("SKIPPED: no container can be run here: {error:#}");
                Ok(None)
            }
        }
    }

    fn create(directory: &Path, log: &Path, runc: &Path, id: &str) -> anyhow::Result<Self> {
        let bundle = directory.join("bundle");
        write_bundle(&bundle, runc)?;
        let (sockets, exits) = (directory.join("sockets"), directory.join("exits"));
        std::fs::create_dir_all(&sockets)?;
        std::fs::create_dir_all(&exits)?;
        let conmon = Command::new("conmon")
            .args(["--api-version", "1", "-c", id, "-u", id, "-r"])
            .arg(runc)
            .arg("-b")
            .arg(&bundle)
            .arg("-p")
            .arg(directory.join("pid"))
            .args(["-l", &format!("k8s-file:{}", log.display()), "--socket-dir-path"])
            .arg(&sockets)
            .arg("--exit-dir")
            .arg(&exits)
            .output()?;
        anyhow::ensure!(conmon.status.success(), "conmon: {}", String::from_utf8_lossy(&conmon.stderr));
        let container = Self { id: id.to_owned() };
        wait_for(|| directory.join("pid").exists(), "conmon created no container")?;
        let start = Command::new(runc).args(["start", id]).output()?;
        anyhow::ensure!(start.status.success(), "runc start: {}", String::from_utf8_lossy(&start.stderr));
        wait_for(|| exits.join(id).exists(), "the container did not end")?;
        Ok(container)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ended = Command::new("runc").args(["delete", "--force", &self.id]).output();
    }
}

fn write_bundle(bundle: &Path, runc: &Path) -> anyhow::Result<()> {
    let bin = bundle.join("rootfs/bin");
    std::fs::create_dir_all(&bin)?;
    std::fs::copy("/bin/busybox", bin.join("busybox"))?;
    for applet in ["sh", "head", "tr"] {
        symlink("busybox", bin.join(applet))?;
    }
    let spec = Command::new(runc).arg("spec").current_dir(bundle).output()?;
    anyhow::ensure!(spec.status.success(), "runc spec: {}", String::from_utf8_lossy(&spec.stderr));
    let path = bundle.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["/bin/sh", "-c", SCRIPT]);
    std::fs::write(&path, config.to_string())?;
    Ok(())
}

fn wait_for(holds: impl Fn() -> bool, otherwise: &str) -> anyhow::Result<()> {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !holds() {
        anyhow::ensure!(std::time::Instant::now() < deadline, "{otherwise} within 20 s");
        std::thread::yield_now();
    }
    Ok(())
}
