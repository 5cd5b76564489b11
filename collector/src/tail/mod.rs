//! [`Tailer`]: follows all logs of all file sources. Keeps what is known, and hands out the work: who is looked at, who is read.
//!
//! Touches no file itself: that is done by jobs ([`job`]), each of which owns its logs while it lasts. A batch is read only when
//! there is room for it, so memory is bounded by the number of batches, not by how much is written.

pub(crate) mod content;
mod copies;
pub(crate) mod generation;
pub(crate) mod identity;
mod job;
mod log;
pub(crate) mod open;
mod read;
mod reconcile;
pub(crate) mod rotation;
mod turn;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::delivery::Delivery;
use crate::discover::watch::{Changes, Events};
use crate::discover::{Discovery, Known};
use crate::schedule::Rounds;
use crate::source::{FoundFile, FoundLog};
use content::Content;
use generation::{Generation, Record};
use job::Work;
use log::{Log, Next};

/// Logs without news are looked at this often: inotify can lose events and does not exist everywhere.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Names may change all the time in a busy directory.
const SCAN_GAP: Duration = Duration::from_millis(50);
/// Logs looked at in one go.
const LOOK_GROUP: usize = 64;

/// By inode: the log, and whether it is certain that the file is still the log's, for it is held open or was compared.
type Owners = HashMap<(u64, u64), (PathBuf, bool)>;

/// What a scan found.
#[derive(Debug)]
struct Scanned {
    discovery: Discovery,
    logs: Vec<FoundLog>,
    /// Files of logs that the state knows under other names.
    renamed: Owners,
}

/// One log, here or out with a job.
#[derive(Debug)]
struct Slot {
    log: Option<Log>,
    next: Next,
    look_at: Instant,
    found: Option<Vec<FoundFile>>,
    lag_bytes: u64,
    inodes: Vec<(u64, u64)>,
    held: Vec<(u64, u64)>,
}

/// Follows all logs.
#[derive(Debug)]
pub(crate) struct Tailer {
    delivery: Arc<Delivery>,
    discovery: Option<Discovery>,
    scan: Option<JoinHandle<Scanned>>,
    scan_at: Instant,
    scanned_at: Instant,
    events: Option<Events>,
    known: Known,
    slots: HashMap<PathBuf, Slot>,
    records: HashMap<PathBuf, Vec<Record>>,
    rounds: Rounds<PathBuf>,
    budget: Arc<Semaphore>,
    jobs: JoinSet<Vec<(Log, Next)>>,
}

impl Tailer {
    /// Follows what `discovery` finds, from where `records` say.
    pub(crate) fn new(
        delivery: Arc<Delivery>,
        discovery: Discovery,
        known: Known,
        events: Option<Events>,
        records: impl IntoIterator<Item = Record>,
        budget: Arc<Semaphore>,
    ) -> Self {
        let mut by_log = HashMap::<PathBuf, Vec<Record>>::new();
        for record in records {
            by_log.entry(record.log.clone()).or_default().push(record);
        }
        let quantum = delivery.limits.batch_bytes as u64 / 4;
        Self {
            delivery,
            discovery: Some(discovery),
            scan: None,
            scan_at: Instant::now(),
            scanned_at: Instant::now(),
            events,
            known,
            slots: HashMap::new(),
            records: by_log,
            rounds: Rounds::new(quantum),
            budget,
            jobs: JoinSet::new(),
        }
    }

    /// Runs until `shutdown`, then until the batches on their way are settled. The caller bounds that by dropping the future.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            self.start_scan();
            self.start_looks();
            self.start_batches();
            let wake = tokio::time::Instant::from_std(self.wake_at());
            tokio::select! {
                () = shutdown.cancelled() => {}
                Some(done) = self.jobs.join_next(), if !self.jobs.is_empty() => self.done(done),
                found = join(&mut self.scan), if self.scan.is_some() => self.scanned(found),
                changes = next(&mut self.events), if self.events.is_some() => self.changed(changes),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        while self.jobs.join_next().await.is_some() {}
    }

    fn start_scan(&mut self) {
        if Instant::now() < self.scan_at {
            return;
        }
        let Some(mut discovery) = self.discovery.take() else { return };
        self.scan_at = Instant::now() + self.delivery.limits.scan_every;
        let records: Vec<_> = self.records.values().flatten().cloned().collect();
        self.scan = Some(tokio::task::spawn_blocking(move || {
            let logs = discovery.scan();
            let renamed = renamed(&discovery, &logs, &records);
            Scanned { discovery, logs, renamed }
        }));
    }

    fn scanned(&mut self, found: Option<Scanned>) {
        self.scan = None;
        self.scanned_at = Instant::now();
        let Some(Scanned { discovery, logs, renamed }) = found else { return };
        let mut owners = self.owners();
        owners.extend(renamed);
        // Logs of which nothing was found hear of that, too, unless nothing could be found.
        let seen = self.slots.keys().filter(|log| !discovery.is_hidden(log));
        let mut files: HashMap<PathBuf, Vec<FoundFile>> = seen.map(|log| (log.clone(), Vec::new())).collect();
        for found in logs {
            for file in found.files {
                let log = owner(&owners, &found.log, file.stat.inode).unwrap_or_else(|| found.log.clone());
                files.entry(log).or_default().push(file);
            }
            let log = found.log;
            self.slots.entry(log.clone()).or_insert_with(|| Slot::new(Log::new(log, found.origin)));
        }
        self.adopt_records(&discovery);
        for (log, files) in files {
            self.found(&log, files);
        }
        self.discovery = Some(discovery);
    }

    /// Whose an inode is, and whether its file is held open.
    fn owners(&self) -> Owners {
        let mut owners = HashMap::new();
        for (log, records) in &self.records {
            owners.extend(records.iter().map(|record| ((record.device, record.inode), (log.clone(), false))));
        }
        for (log, slot) in &self.slots {
            owners.extend(slot.inodes.iter().map(|inode| (*inode, (log.clone(), slot.held.contains(inode)))));
        }
        owners
    }

    fn found(&mut self, log: &Path, mut found: Vec<FoundFile>) {
        let Some(slot) = self.slots.get_mut(log) else { return };
        slot.look_at = Instant::now();
        // A file that was opened when it was found stays open until its log is back, even if it has gone meanwhile.
        for earlier in slot.found.take().into_iter().flatten().filter(|file| file.file.is_some()) {
            match found.iter_mut().find(|file| file.stat.inode == earlier.stat.inode) {
                Some(file) => file.file = file.file.take().or(earlier.file),
                None => found.push(earlier),
            }
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(found.iter().map(|file| file.stat.inode));
        slot.found = Some(found);
    }

    /// Gives the logs what the state says of them. Where nothing was found, a source may still ask for the log: rotation may have given
    /// its files other names.
    fn adopt_records(&mut self, discovery: &Discovery) {
        for (name, records) in std::mem::take(&mut self.records) {
            if discovery.is_hidden(&name) {
                self.records.insert(name, records);
                continue;
            }
            if !self.slots.contains_key(&name) {
                let Some(origin) = discovery.origin(&name) else {
                    tracing::info!(log = %name.display(), "known from before, not asked for by any source");
                    continue;
                };
                let mut slot = Slot::new(Log::new(name.clone(), origin));
                slot.found = Some(Vec::new());
                self.slots.insert(name.clone(), slot);
            }
            if let Some(log) = self.slots.get_mut(&name).and_then(|slot| slot.log.as_mut()) {
                log.resumed = true;
                log.generations.extend(records.into_iter().map(Generation::resume));
            }
        }
    }

    fn changed(&mut self, changes: std::io::Result<Changes>) {
        let now = Instant::now();
        match changes {
            Ok(changes) => {
                if changes.names {
                    self.scan_at = self.scan_at.min(self.scanned_at + SCAN_GAP);
                }
                if changes.written.is_empty() {
                    return;
                }
                for (log, slot) in &mut self.slots {
                    if log.parent().is_some_and(|directory| changes.written.contains(directory)) {
                        slot.look_at = now;
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "directories are not watched any more, only scanned");
                self.events = None;
            }
        }
    }

    fn start_looks(&mut self) {
        let now = Instant::now();
        let mut group = Vec::new();
        for (name, slot) in &mut self.slots {
            let due = slot.look_at <= now || matches!(slot.next, Next::At(at) if at <= now);
            if !due || slot.log.is_none() {
                continue;
            }
            self.rounds.withdraw(name);
            group.extend(slot.log.take().map(|log| Work { log, found: slot.found.take() }));
            if group.len() >= LOOK_GROUP {
                self.jobs.spawn(job::look(std::mem::take(&mut group), Arc::clone(&self.delivery)));
            }
        }
        if !group.is_empty() {
            self.jobs.spawn(job::look(group, Arc::clone(&self.delivery)));
        }
    }

    /// Starts as many batches as there is room for.
    fn start_batches(&mut self) {
        while !self.rounds.is_empty() {
            let Ok(permit) = Arc::clone(&self.budget).try_acquire_owned() else { return };
            let Some(name) = self.rounds.take() else { break };
            let Some(slot) = self.slots.get_mut(&name) else { continue };
            if let (Next::Read { index, job, .. }, Some(log)) = (slot.next, slot.log.take()) {
                self.jobs.spawn(ship(permit, log, index, job, Arc::clone(&self.delivery)));
            }
        }
    }

    fn done(&mut self, logs: Result<Vec<(Log, Next)>, JoinError>) {
        let logs = logs
            .inspect_err(|error| tracing::error!(%error, "a log is not followed any more"))
            .unwrap_or_default();
        for (log, next) in logs {
            self.returned(log, next);
        }
    }

    fn returned(&mut self, log: Log, next: Next) {
        let Some(slot) = self.slots.get_mut(&log.log) else { return };
        let metrics = &self.delivery.metrics;
        metrics.lag_bytes.inc_by(log.lag_bytes() as i64 - slot.lag_bytes as i64);
        metrics.files.inc_by(log.generations.len() as i64 - slot.inodes.len() as i64);
        slot.lag_bytes = log.lag_bytes();
        slot.next = next;
        slot.look_at = Instant::now() + LOOK_EVERY;
        let inodes: Vec<_> = log.generations.iter().map(Generation::inode).collect();
        let is_held = |generation: &&Generation| generation.content.is_some();
        slot.held = log.generations.iter().filter(is_held).map(Generation::inode).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for inode in slot.inodes.iter().filter(|inode| !inodes.contains(inode)) {
            known.remove(inode);
        }
        known.extend(&inodes);
        drop(known);
        slot.inodes = inodes;
        let name = log.log.clone();
        if let Next::Read { bytes, .. } = next {
            self.rounds.offer(name.clone(), bytes.min(self.delivery.limits.batch_bytes as u64));
        }
        let forget = log.is_empty() && slot.found.is_none();
        slot.log = Some(log);
        if forget {
            self.slots.remove(&name);
        }
    }

    fn wake_at(&self) -> Instant {
        let slots = self.slots.values().filter(|slot| slot.log.is_some()).map(|slot| match slot.next {
            Next::At(at) => at.min(slot.look_at),
            _ => slot.look_at,
        });
        let scan_at = self.discovery.as_ref().map(|_| self.scan_at);
        slots.chain(scan_at).min().unwrap_or_else(|| Instant::now() + LOOK_EVERY)
    }
}

/// The log that a found file belongs to, if not to the one it was found for. An inode that is not held may have been given to a new
/// file: only within one log's family is that looked into.
fn owner(owners: &Owners, log: &Path, inode: (u64, u64)) -> Option<PathBuf> {
    let (owner, held) = owners.get(&inode)?;
    let base =
        |path: &Path| path.file_name().and_then(OsStr::to_str).map(rotation::base_name).map(str::to_owned);
    let is_family = owner.parent() == log.parent() && base(owner) == base(log);
    (owner != log && (*held || is_family)).then(|| owner.clone())
}

/// Which files are known from before, were renamed since to what looks like another log, and still hold what was read of them: an inode
/// alone may have been given to a new file. Only where the log is still asked for. Blocks.
fn renamed(discovery: &Discovery, found: &[FoundLog], records: &[Record]) -> Owners {
    let by_inode: HashMap<_, _> =
        records.iter().map(|record| ((record.device, record.inode), record)).collect();
    let mut owners = Owners::new();
    for (log, file) in found.iter().flat_map(|found| found.files.iter().map(move |file| (&found.log, file))) {
        let Some(record) = by_inode.get(&file.stat.inode).filter(|record| record.log != *log) else {
            continue;
        };
        let opened = file.file.as_ref().and_then(|file| Content::new(file.try_clone().ok()?).ok());
        let generation = Generation::resume((*record).clone());
        let same =
            generation.is_begun() && opened.is_some_and(|mut content| generation.matches(&mut content));
        if same && discovery.origin(&record.log).is_some() {
            owners.insert(file.stat.inode, (record.log.clone(), true));
        }
    }
    owners
}

impl Slot {
    fn new(log: Log) -> Self {
        Self {
            log: Some(log),
            next: Next::Idle,
            look_at: Instant::now(),
            found: None,
            lag_bytes: 0,
            inodes: Vec::new(),
            held: Vec::new(),
        }
    }
}

async fn ship(
    permit: OwnedSemaphorePermit,
    log: Log,
    index: usize,
    job: read::Job,
    delivery: Arc<Delivery>,
) -> Vec<(Log, Next)> {
    let done = job::ship(log, index, job, delivery).await;
    drop(permit);
    done
}

/// The end of a scan that is under way.
async fn join<T>(handle: &mut Option<JoinHandle<T>>) -> Option<T> {
    match handle {
        Some(handle) => handle.await.inspect_err(|error| tracing::error!(%error, "a scan failed")).ok(),
        None => std::future::pending().await,
    }
}

async fn next(events: &mut Option<Events>) -> std::io::Result<Changes> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}
