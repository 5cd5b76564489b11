//! A collector in this process that can be stopped and killed, on a directory that stays.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use locard_collector::{Metrics, RunError, Settings, StateError, run};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::indexer::Indexer;

const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Node {
    pub dir: TempDir,
    config: String,
    pub metrics: Metrics,
    running: Option<(JoinHandle<Result<(), RunError>>, CancellationToken)>,
}

impl Node {
    /// `sources` and other keys of the configuration, with `DIR` for the directory.
    pub fn new(indexer: &Indexer, keys: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        let config = format!(
            "indexer: {{urls: ['{}']}}\nstate: {root}/state\nnode: n1\nflush_after: 10ms\nscan_every: 500ms\n\
             rotate_grace: 100ms\nretry_max: 50ms\n{}\n",
            indexer.url(),
            keys.replace("DIR", root),
        );
        Self { dir, config, metrics: Metrics::default(), running: None }
    }

    /// One `file` source on `app.log` in the directory.
    pub fn on_app_log(indexer: &Indexer) -> Self {
        Self::new(indexer, "sources: [{type: file, paths: ['DIR/app.log']}]")
    }

    pub fn config(&mut self, change: impl FnOnce(&str) -> String) {
        self.config = change(&self.config);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts it; waits for a killed one to let go of the state.
    pub async fn start(&mut self) {
        assert!(self.running.is_none());
        let stop = CancellationToken::new();
        let started = locard_tests::eventually(DEADLINE, async || {
            let metrics = Metrics::default();
            let settings = Settings::parse(&self.config).unwrap();
            let mut task = tokio::spawn(run(settings, metrics.clone(), stop.clone()));
            match tokio::time::timeout(Duration::from_millis(20), &mut task).await {
                Err(_) => Ok((task, metrics)),
                Ok(Ok(Err(error @ RunError::State(StateError::Busy(_))))) => Err(error.into()),
                Ok(ended) => panic!("{ended:?}"),
            }
        });
        let (task, metrics) = started.await.unwrap();
        self.metrics = metrics;
        self.running = Some((task, stop));
    }

    /// As by SIGTERM.
    pub async fn stop(&mut self) {
        if let Some((task, stop)) = self.running.take() {
            stop.cancel();
            task.await.unwrap().unwrap();
        }
    }

    /// As by SIGKILL, at whatever it is waiting for.
    pub async fn kill(&mut self) {
        if let Some((task, _)) = self.running.take() {
            task.abort();
            assert!(task.await.is_err());
        }
    }

    pub fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        append(&self.path(name), text);
    }

    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// As `logrotate` with `copytruncate`.
    pub fn copy_truncate(&self, from: &str, to: &str) {
        std::fs::copy(self.path(from), self.path(to)).unwrap();
        std::fs::OpenOptions::new().write(true).truncate(true).open(self.path(from)).unwrap();
    }

    /// As kubelet compresses a rotated file.
    pub fn gzip(&self, name: &str) {
        let plain = std::fs::read(self.path(name)).unwrap();
        let temporary = self.path(&format!("{name}.tmp"));
        let mut encoder = flate2::write::GzEncoder::new(
            std::fs::File::create(&temporary).unwrap(),
            flate2::Compression::fast(),
        );
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap();
        std::fs::rename(temporary, self.path(&format!("{name}.gz"))).unwrap();
        self.remove(name);
    }

    /// Nothing is between reading and shipping, and nothing went missing between them.
    pub async fn check_conservation(&self) {
        let metrics = &self.metrics;
        eventually("nothing is in flight", || metrics.in_flight_events.get() == 0).await;
        let dropped: u64 = ["rule", "refused", "rejected", "changed"]
            .map(|reason| locard_collector::metrics::value(&metrics.dropped_events, reason))
            .iter()
            .sum();
        assert_eq!(metrics.read_events.get(), metrics.shipped_events.get() + dropped);
    }

    /// Waits for exactly these lines, in any order.
    pub async fn check_lines(&self, indexer: &Indexer, mut expected: Vec<String>) {
        expected.sort();
        // What is missing is said below.
        let enough = async || match indexer.lines().len() {
            lines if lines < expected.len() => Err(anyhow::anyhow!("{lines} lines")),
            _ => Ok(()),
        };
        let _too_few = locard_tests::eventually(DEADLINE, enough).await;
        let mut lines = indexer.lines();
        lines.sort();
        let missing: Vec<_> =
            expected.iter().filter(|line| lines.binary_search(line).is_err()).take(5).collect();
        let repeated: Vec<_> = lines
            .windows(2)
            .filter(|pair| matches!(pair, [a, b] if a == b && !a.is_empty()))
            .take(5)
            .collect();
        assert!(
            lines == expected,
            "{} lines for {}; missing {missing:?}; twice {repeated:?}",
            lines.len(),
            expected.len()
        );
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some((task, _)) = &self.running {
            task.abort();
        }
    }
}

pub fn append(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

/// Lines `first..last`, numbered.
pub fn numbered(range: std::ops::Range<usize>) -> String {
    range.map(|number| format!("line {number} of a test, padded to be like one\n")).collect()
}

pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Polls until it holds.
pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let probe = async || if holds() { Ok(()) } else { Err(anyhow::anyhow!("never: {what}")) };
    locard_tests::eventually(DEADLINE, probe).await.unwrap();
}
