//! A real `locard-collector run`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::process::Command;

use crate::Process;
use crate::process::binary;

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
