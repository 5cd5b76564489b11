//! [`run`]: builds the stages from the settings and runs them until told to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{Checkpoints, StateError};
use crate::config::SourceConfig;
use crate::delivery::Delivery;
use crate::discover::watch::watch;
use crate::discover::{Discovery, FileSource, Known};
use crate::metrics::Metrics;
use crate::metrics_page;
use crate::settings::Settings;
use crate::ship::{ShipError, Shipper};
use crate::source::containers::Containers;
use crate::source::file::Files;
use crate::source::journald::Journal;
use crate::tail::Tailer;

/// Batches on their way may still be acknowledged so long after the stop. What is not is sent again after the next start.
const DRAIN: Duration = Duration::from_secs(5);

/// Why a collector does not start, or stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// Certificates, keys or their files cannot be used.
    #[error(transparent)]
    Ship(#[from] ShipError),
    /// A glob is malformed.
    #[error("a glob of a file source is malformed")]
    Glob(#[from] globset::Error),
    /// A part ended by itself, which is a defect: who supervises the collector shall start it again.
    #[error("a part of the collector ended by itself")]
    Died(#[source] Option<tokio::task::JoinError>),
    /// The metrics page cannot listen.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Collects until `shutdown`. Counts in `metrics`, which the caller may register where it likes.
///
/// # Errors
/// It cannot start, or a part of it died. Once it runs it does not give up.
pub async fn run(settings: Settings, metrics: Metrics, shutdown: CancellationToken) -> Result<(), RunError> {
    let Settings { indexer, state, sources, node, metrics_listen, drop: rules, limits } = settings;
    let shipper = Shipper::new(&indexer, &limits, metrics.clone())?;
    let (checkpoints, saved, writer) = Checkpoints::open(&state, metrics.clone()).await?;
    let quarantine = state.join("quarantine");
    let delivery = Arc::new(Delivery {
        shipper,
        checkpoints,
        metrics: metrics.clone(),
        limits,
        drop: rules,
        quarantine,
    });
    let budget = Arc::new(Semaphore::new(limits.concurrency()));
    let mut tasks = JoinSet::new();
    if let Some(address) = metrics_listen {
        let listener =
            metrics_page::listen(address).await.map_err(|source| RunError::Listen { address, source })?;
        tasks.spawn(metrics_page::serve(listener, metrics.clone(), shutdown.clone()));
    }
    let (files, journals) = build(&sources, &node)?;
    for config in journals {
        let journal =
            Journal::new(config, &node, saved.journals.values(), Arc::clone(&delivery), Arc::clone(&budget));
        tasks.spawn(journal.run(shutdown.clone()));
    }
    if !files.is_empty() {
        let known = Known::default();
        let watched = watch()
            .inspect_err(|error| tracing::warn!(%error, "directories are only scanned, not watched"))
            .ok();
        let (watch, events) = watched.unzip();
        let bases = saved.files.values().map(|record| record.log.clone()).collect();
        let discovery = Discovery::new(files, Arc::clone(&known), watch, bases, metrics);
        let tailer =
            Tailer::new(Arc::clone(&delivery), discovery, known, events, saved.files.into_values(), budget);
        tasks.spawn(tailer.run(shutdown.clone()));
    }
    drop(delivery);
    let ended = until_stopped(&mut tasks, &shutdown).await;
    shutdown.cancel();
    if tokio::time::timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tracing::info!("batches are still on their way, they are sent again after the next start");
    }
    tasks.shutdown().await;
    // Ends once the last job has let go of the state.
    if tokio::time::timeout(DRAIN, writer).await.is_err() {
        tracing::warn!("the state is still being written");
    }
    ended
}

/// Waits for the stop, or for a task that ends without one.
async fn until_stopped(tasks: &mut JoinSet<()>, shutdown: &CancellationToken) -> Result<(), RunError> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => Ok(()),
        Some(ended) = tasks.join_next() => {
            tracing::error!(?ended, "a part of the collector ended by itself, stopping");
            Err(RunError::Died(ended.err()))
        }
    }
}

type Sources = (Vec<FileSource>, Vec<crate::config::JournaldConfig>);

fn build(sources: &[SourceConfig], node: &str) -> Result<Sources, globset::Error> {
    let (mut files, mut journals) = (Vec::new(), Vec::new());
    for source in sources {
        match source {
            SourceConfig::Containers(config) => {
                files.push(FileSource::Containers(Containers::new(
                    &config.root,
                    config.follow.as_deref(),
                    node,
                )));
            }
            SourceConfig::File(config) => files.push(FileSource::Files(Files::new(config, node)?)),
            SourceConfig::Journald(config) => journals.push(config.clone()),
        }
    }
    Ok((files, journals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dead_task_is_noticed() {
        let (mut tasks, shutdown) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(std::future::pending());
        tasks.spawn(async { panic!("a defect") });
        assert!(matches!(until_stopped(&mut tasks, &shutdown).await, Err(RunError::Died(Some(_)))));
        shutdown.cancel();
        assert!(until_stopped(&mut tasks, &shutdown).await.is_ok());
    }
}
