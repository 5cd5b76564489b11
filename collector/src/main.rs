//! The `locard-collector` binary: parse, build, run, wait.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use locard_collector::{Metrics, Settings, run};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Collects logs on one node and ships them to a Locard indexer.
///
/// Nothing is lost or sent twice across restarts of either side: how far each log was read is kept in the state directory.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Collect until SIGTERM or SIGINT.
    ///
    /// LOCARD_LOG sets what is logged to standard error, e.g. `debug` or `locard_collector::ship=debug` (default `info`).
    Run(ConfigFile),
    /// Check a configuration and say everything that is wrong with it.
    Check(ConfigFile),
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration, described in docs/collector.md. Every key but `indexer` and `sources` has a default.
    #[arg(long, value_name = "FILE", default_value = "/etc/locard/collector.yaml")]
    config: PathBuf,
}

/// A configuration or a command line that is wrong.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let (Command::Run(file) | Command::Check(file)) = &cli.command;
    let settings = match load(&file.config) {
        Ok(settings) => settings,
        Err(problem) => return say(&format!("{}: {problem}", file.config.display())),
    };
    if matches!(cli.command, Command::Check(_)) {
        return ExitCode::SUCCESS;
    }
    match collect(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(&format!("{error:#}")),
    }
}

#[expect(clippy::print_stderr, reason = "this is what standard error is for")]
fn say(problem: &str) -> ExitCode {
    eprintln!("locard-collector: {problem}");
    ExitCode::from(EXIT_USAGE)
}

fn load(path: &Path) -> Result<Settings, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    Settings::parse(&text).map_err(|error| match error.0.as_slice() {
        [one] => one.clone(),
        many => format!("{} problems\n  {}", many.len(), many.join("\n  ")),
    })
}

#[tokio::main(worker_threads = 2)]
async fn collect(settings: Settings) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LOCARD_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    raise_file_limit();
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    run(settings, Metrics::default(), shutdown).await.context("cannot collect")
}

/// Every followed file is held open, so that deleting it loses nothing.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
