//! [`Core`]: what the stages share.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};

use locard_store::{Control, Error as StoreError, Store};
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::Settings;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::dedupe::Dedupe;
use crate::delivery::Error;
use crate::ids::{Claims, Filters};
use crate::metrics::Metrics;
use crate::policy::Policies;
use crate::resting::Resting;
use crate::tenants::Tenants;
use crate::wal::{Ledger, Log};

/// What the stages share.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) tenants: Tenants,
    pub(crate) policies: Policies,
    pub(crate) dedupe: Arc<Dedupe>,
    /// Ids of documents on their way into the log.
    pub(crate) claims: Claims,
    /// What says which ids are not in a range of the catalog.
    pub(crate) id_filters: Filters,
    pub(crate) ledger: Arc<Ledger>,
    /// Set once the log is replayed.
    pub(crate) log: OnceLock<Log>,
    pub(crate) metrics: Metrics,
    /// Bytes of batches between the door and the log.
    pub(crate) queue: Arc<Budget>,
    /// Bounds how many bodies are read at once.
    pub(crate) readers: Semaphore,
    /// One seals at a time.
    pub(crate) sealing: AsyncMutex<()>,
    /// One merges, classifies or retains at a time.
    pub(crate) tidying: AsyncMutex<()>,
    /// Held while events are dropped, and while a legal hold is placed: once that is answered, nothing that it covers goes.
    pub(crate) dropping: AsyncMutex<()>,
    /// Splits that holds cover wholly, and the names of those holds: they need not be asked again.
    pub(crate) held: Mutex<HashSet<(Uuid, String)>>,
    /// Told when a group is committed.
    pub(crate) committed: Arc<Notify>,
    /// Told when a split is published.
    pub(crate) published: Notify,
    /// Splits that turned out to be corrupt when they were to be merged.
    pub(crate) unmergeable: Mutex<HashSet<Uuid>>,
    /// Tenants that a stage leaves alone for a while.
    pub(crate) resting: Resting,
    /// What each background stage last failed with, until it succeeds.
    pub(crate) troubles: Mutex<HashMap<&'static str, String>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// The locked file that keeps other processes out of the directory.
    pub(crate) guard: Arc<File>,
}

impl Core {
    /// The log, once it is replayed.
    pub(crate) fn log(&self) -> Result<&Log, Error> {
        self.log.get().ok_or(Error::Closed)
    }

    /// Everything is to stop, splits that are being written among it: they are written after the next start.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.store.stop();
    }

    /// An error once everything is to stop. The stages ask between their steps, where nothing is half done.
    pub(crate) fn go_on(&self) -> Result<(), Error> {
        if self.stop.is_cancelled() { Err(Error::Closed) } else { Ok(()) }
    }

    /// Waits for work that looks at `control`, which is told to stop once everything is to stop.
    pub(crate) async fn stoppable<T>(
        &self,
        control: &Control,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::pin!(work);
        let done = tokio::select! {
            done = &mut work => done,
            () = self.stop.cancelled() => {
                control.cancel();
                work.await
            }
        };
        match done {
            Err(Error::Store(StoreError::Stopped(_))) => Err(Error::Closed),
            other => other,
        }
    }

    /// Up to where each partition is published.
    pub(crate) fn published(&self) -> HashMap<u32, u64> {
        let shelves = self.tenants.all();
        shelves.iter().filter_map(|shelf| Some((*shelf.partition.get()?, shelf.published()))).collect()
    }
}
