//! A real `locard serve` (or `up`) on a free port.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::binary;
use crate::{Client, Process, eventually};

/// How a server is started.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// `serve` or `up`.
    pub command: &'static str,
    /// Further arguments.
    pub arguments: Vec<String>,
    /// The configuration file's text, if there is one.
    pub config: Option<String>,
    /// Where the data goes; a temporary directory if not given.
    pub data: Option<PathBuf>,
    /// How to talk to it.
    pub client: Client,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { command: "serve", arguments: Vec::new(), config: None, data: None, client: Client::plain() }
    }
}

/// A running server. Killed when dropped; its temporary data go too.
#[derive(Debug)]
pub struct Server {
    process: Process,
    options: ServerOptions,
    directory: TempDir,
    url: String,
}

impl Server {
    /// Starts `locard serve` with defaults and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(ServerOptions::default()).await
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn start_with(options: ServerOptions) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let process = spawn(&options, directory.path(), "127.0.0.1:0")?;
        let mut server = Self { process, options, directory, url: String::new() };
        server.url = eventually(Duration::from_secs(30), async || {
            server.process.check_alive()?;
            find_url(&server.process.output()).context("no URL printed yet")
        })
        .await?;
        server.wait_ready().await?;
        Ok(server)
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.options.data.clone().unwrap_or_else(|| self.directory.path().join("data"))
    }

    /// A client for it.
    pub fn client(&self) -> Client {
        self.options.client.at(&self.url)
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

    /// Starts it again on the same data and port, and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let address = self.url.split("://").nth(1).context("a URL has a scheme")?.to_owned();
        self.process = spawn(&self.options, self.directory.path(), &address)?;
        self.wait_ready().await
    }

    async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let client = self.client();
        eventually(Duration::from_secs(60), async || {
            self.process.check_alive()?;
            let status = client.get_status("/health/ready").await?;
            anyhow::ensure!(status == 200, "/health/ready answers {status}");
            Ok(())
        })
        .await
    }
}

fn spawn(options: &ServerOptions, directory: &Path, listen: &str) -> anyhow::Result<Process> {
    let mut command = Command::new(binary("locard")?);
    command.arg(options.command).args(["--listen", listen]);
    // As people start it: where they stand, with a name that says nothing of where that is.
    command.current_dir(directory);
    command.arg("--data").arg(options.data.as_deref().unwrap_or(Path::new("data")));
    if let Some(config) = &options.config {
        let path = directory.join("locard.yaml");
        std::fs::write(&path, config)?;
        command.arg("--config").arg(path);
    }
    command.args(&options.arguments);
    Process::start(&mut command)
}

/// The first loopback URL with a port in what a server printed.
fn find_url(output: &str) -> Option<String> {
    let start = output.find("://127.0.0.1:")?;
    let scheme = if output.get(..start)?.ends_with("https") { "https" } else { "http" };
    let address: String = output
        .get(start + 3..)?
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':'))
        .collect();
    Some(format!("{scheme}://{address}"))
}
