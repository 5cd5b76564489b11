//! A child process that dies with the test, and whose output is kept for the failure message.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// The built binary `name`, beside the test binary's own directory.
///
/// # Errors
/// It has not been built.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let mut directory = std::env::current_exe().context("the test's own path")?;
    directory.pop();
    if directory.ends_with("deps") {
        directory.pop();
    }
    let path = directory.join(name);
    anyhow::ensure!(
        path.exists(),
        "{} is missing: run `cargo build --workspace --bins` first",
        path.display()
    );
    Ok(path)
}

/// A running child. Killed with SIGKILL when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts `command`, collecting what it prints.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        if let Some(stdout) = child.stdout.take() {
            collect_lines(stdout, lines.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            collect_lines(stderr, lines.clone());
        }
        Ok(Self { child, lines })
    }

    /// SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// The operating system refused.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("SIGKILL")
    }

    /// SIGTERM, and waits until it has ended by itself.
    ///
    /// # Errors
    /// It could not be signalled or ended with a failure.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("it has ended already")?;
        let signalled = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        anyhow::ensure!(signalled.success(), "kill -TERM {id} failed");
        let status = self.child.wait().await?;
        anyhow::ensure!(status.success(), "ended with {status} after SIGTERM:\n{}", self.output());
        Ok(())
    }

    /// The process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Fails if the process has ended.
    ///
    /// # Errors
    /// It has ended; the message has its output.
    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            anyhow::bail!("ended with {status}:\n{}", self.output());
        }
        Ok(())
    }

    /// What it has printed so far, standard output and error together.
    pub fn output(&self) -> String {
        self.lines.lock().map(|lines| lines.join("\n")).unwrap_or_default()
    }
}

fn collect_lines(pipe: impl AsyncRead + Unpin + Send + 'static, lines: Arc<Mutex<Vec<String>>>) {
    tokio::spawn(async move {
        let mut reader = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = reader.next_line().await {
            if let Ok(mut lines) = lines.lock() {
                lines.push(line);
            }
        }
    });
}
