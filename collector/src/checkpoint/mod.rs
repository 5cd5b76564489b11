//! [`Checkpoints`]: what was read and acknowledged, durable. Several commits that arrive together share one fsync.
//!
//! Does not know files or the network. The format is in `docs/formats/collector-state.md`.

mod log;
pub(crate) mod path;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::metrics::Metrics;
use crate::tail::generation::Record;
use log::Log;

/// How many commits may wait. Each file has at most one, so this is no limit in practice.
const QUEUE: usize = 1024;

/// One change of the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// How far a file was read.
    File(Record),
    /// A file is gone for good.
    Gone(Uuid),
    /// How far a journal was read.
    Journal(JournalRecord),
}

/// How far a journal was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalRecord {
    /// Names the journal in batch ids.
    pub(crate) uuid: Uuid,
    /// Which source of the configuration, by what it reads.
    pub(crate) source: String,
    /// Everything up to this entry is settled; nothing: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
    /// How many entries were settled.
    pub(crate) offset: u64,
    /// The batch that may be on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) in_flight: Option<JournalInFlight>,
}

/// A batch of journal entries that may or may not have arrived: `offset..last`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalInFlight {
    /// One past its last entry.
    pub(crate) last: u64,
    /// The cursor of its last entry.
    pub(crate) cursor: String,
}

/// What a state holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Saved {
    /// By uuid.
    pub(crate) files: BTreeMap<Uuid, Record>,
    /// By uuid.
    pub(crate) journals: BTreeMap<Uuid, JournalRecord>,
}

impl Saved {
    fn apply(&mut self, change: Change) {
        match change {
            Change::File(record) => drop(self.files.insert(record.uuid, record)),
            Change::Gone(uuid) => drop(self.files.remove(&uuid)),
            Change::Journal(record) => drop(self.journals.insert(record.uuid, record)),
        }
    }

    /// Every change that makes this state out of nothing.
    fn changes(&self) -> impl Iterator<Item = Change> {
        let files = self.files.values().cloned().map(Change::File);
        files.chain(self.journals.values().cloned().map(Change::Journal))
    }
}

/// How long another collector's lock is waited for.
const BUSY_FOR: Duration = Duration::from_secs(5);

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another collector uses it.
    #[error("the state directory {0} is in use by another collector")]
    Busy(std::path::PathBuf),
    /// It cannot be read or written.
    #[error("the state directory {path} cannot be used")]
    Io {
        /// Which directory.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A commit failed, or the collector is stopping.
    #[error("the state could not be written")]
    NotWritten,
}

struct Commit {
    changes: Vec<Change>,
    done: Option<oneshot::Sender<bool>>,
}

/// Writes the state. Cheap to clone; the state is closed when the last clone is gone.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    sender: mpsc::Sender<Commit>,
}

impl Checkpoints {
    /// Opens the state in `directory`, which is created, and locked until the returned task ends.
    ///
    /// # Errors
    /// See [`StateError`].
    pub(crate) async fn open(
        directory: &Path,
        metrics: Metrics,
    ) -> Result<(Self, Saved, JoinHandle<()>), StateError> {
        let (log, saved) = open_log(directory).await?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write(log, receiver, metrics));
        Ok((Self { sender }, saved, task))
    }

    /// Returns once the changes are durable.
    ///
    /// # Errors
    /// They are not.
    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<(), StateError> {
        let (done, written) = oneshot::channel();
        let commit = Commit { changes, done: Some(done) };
        self.sender.send(commit).await.map_err(|_| StateError::NotWritten)?;
        if written.await == Ok(true) { Ok(()) } else { Err(StateError::NotWritten) }
    }

    /// Makes the changes durable soon: for what may be forgotten, such as an ack (the batch would be sent again under its id).
    pub(crate) async fn note(&self, changes: Vec<Change>) {
        if self.sender.send(Commit { changes, done: None }).await.is_err() {
            tracing::debug!("the state is closed");
        }
    }
}

/// Waits a little for a collector that was just killed: the kernel lets go of its lock only once the last of its threads is gone.
async fn open_log(directory: &Path) -> Result<(Log, Saved), StateError> {
    let deadline = tokio::time::Instant::now() + BUSY_FOR;
    loop {
        match Log::open(directory) {
            Err(StateError::Busy(_)) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other,
        }
    }
}

async fn write(mut log: Log, mut receiver: mpsc::Receiver<Commit>, metrics: Metrics) {
    while let Some(first) = receiver.recv().await {
        let mut commits = vec![first];
        while let Ok(next) = receiver.try_recv() {
            commits.push(next);
        }
        let changes = commits.iter_mut().map(|commit| std::mem::take(&mut commit.changes)).collect();
        let blocking = tokio::task::spawn_blocking(move || {
            let result = log.append(changes);
            (log, result)
        });
        let Ok((returned, result)) = blocking.await else { return };
        log = returned;
        if let Err(error) = &result {
            metrics.state_errors.inc();
            tracing::error!(%error, "the state was not written");
        }
        for done in commits.into_iter().filter_map(|commit| commit.done) {
            // The waiter may have been stopped; what was written stays written.
            done.send(result.is_ok()).unwrap_or_default();
        }
    }
}
