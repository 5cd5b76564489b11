//! A real `locard-collector run`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::process::Command;

use crate::client::sum_metric;
use crate::process::binary;
use crate::{Client, Process};

/// A running collector with its configuration file and state below one directory.
#[derive(Debug)]
pub struct Collector {
    process: Process,
    config: PathBuf,
}

impl Collector {
    /// Starts a collector with this configuration text, kept at `directory/collector.yaml`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(directory: &Path, config: &str) -> anyhow::Result<Self> {
        let path = directory.join("collector.yaml");
        std::fs::write(&path, config).context("writing the collector's configuration")?;
        Ok(Self { process: spawn(&path)?, config: path })
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// The operating system refused.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().await
    }

    /// Conservation: everything read is shipped, dropped for a reason, or in flight. Asked at the end of every test.
    ///
    /// # Errors
    /// It is not so, or there is no metrics page (`metrics_listen: "127.0.0.1:0"`).
    pub async fn check_conservation(&self) -> anyhow::Result<()> {
        let output = self.process.output();
        let page = output.lines().find(|line| line.contains("metrics") && line.contains("127.0.0.1:"));
        let page = page.with_context(|| format!("no metrics page in:\n{output}"))?;
        let port: String = page
            .rsplit("127.0.0.1:")
            .next()
            .unwrap_or_default()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let text = Client::plain().at(&format!("http://127.0.0.1:{port}")).get("/metrics").await?.text;
        let sum = |name: &str| sum_metric(&text, &format!("locard_collector_{name}"), "");
        let (read, shipped) = (sum("read_events_total")?, sum("shipped_events_total")?);
        let (dropped, in_flight) = (sum("dropped_events_total").unwrap_or(0.0), sum("in_flight_events")?);
        anyhow::ensure!(read > 0.0, "nothing read:\n{text}");
        anyhow::ensure!(
            read == shipped + dropped + in_flight,
            "read {read}, shipped {shipped}, dropped {dropped}, in flight {in_flight}"
        );
        Ok(())
    }

    /// Starts it again on the same state.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process = spawn(&self.config)?;
        Ok(())
    }
}

fn spawn(config: &Path) -> anyhow::Result<Process> {
    Process::start(Command::new(binary("locard-collector")?).arg("run").arg("--config").arg(config))
}
