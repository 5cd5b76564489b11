//! Opening: the store's shelves first, then the log's frames on top.
//!
//! A frame's events get the sequence numbers that the frame names, whatever is read from its body today. Numbers that no readable
//! frame covers get a placeholder, so that a loss is seen where it happened and no later event changes its id.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use locard_event::{Event, EventId, Stream, Timestamp, name};
use locard_store::{BatchRow, Error as StoreError, Store};
use rustix::fs::{FlockOperation, flock};
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore};

use crate::budget::Budget;
use crate::clock::Clock;
use crate::core::Core;
use crate::dedupe::{Dedupe, KNOWN_FOR};
use crate::delivery::Error;
use crate::hot::{Batch, Shelf};
use crate::ids::{Claims, Filters};
use crate::interned::Held;
use crate::metrics::Metrics;
use crate::policy::Policies;
use crate::receive::{Received, receive};
use crate::resting::Resting;
use crate::seal::Pressure;
use crate::tenants::{Tenants, partition_of};
use crate::wal::{self, Disk, Frame, Ledger, Log, Replay, Start};
use crate::{Settings, Tenant, answer, seal};

/// Placeholders put into one batch.
const PLACEHOLDERS: u64 = 10_000;

/// Opens the store, replays the log, starts its writer.
pub(crate) async fn open(settings: Settings, clock: Clock, disk: Disk) -> Result<Arc<Core>, Error> {
    let wal_directory = settings.directory.join("wal");
    fs::create_dir_all(&wal_directory).map_err(Error::Log)?;
    let guard = Arc::new(take_directory(&settings.directory).map_err(Error::Log)?);
    let directory = settings.directory.join("store");
    let store = Store::open(locard_store::Settings { directory, cache_bytes: settings.cache_bytes }).await?;
    let core =
        Arc::new(new_core(settings, clock, store, guard, Ledger::new(disk.clone(), wal_directory.clone())));
    restore_catalog(&core).await?;
    let last = replay(&core, &wal_directory, &disk).await?;
    let partitions = core.tenants.all();
    let sequences =
        partitions.iter().filter_map(|shelf| Some((*shelf.partition.get()?, shelf.next()))).collect();
    let start = Start {
        disk,
        directory: wal_directory,
        segment_bytes: core.settings.segment_bytes,
        clock: Arc::clone(&core.clock),
        ledger: Arc::clone(&core.ledger),
        metrics: core.metrics.clone(),
        last,
        sequences,
        runtime: tokio::runtime::Handle::current(),
        committed: Arc::clone(&core.committed),
        _guard: Arc::clone(&core.guard),
    };
    let log = Log::start(start).map_err(Error::Log)?;
    if core.log.set(log).is_err() {
        tracing::error!("the log was started twice");
    }
    Ok(core)
}

/// Locks the directory against other processes.
fn take_directory(directory: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(directory.join("lock"))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
        let text = format!("{} is in use by another process", directory.display());
        io::Error::new(io::Error::from(error).kind(), text)
    })?;
    File::open(directory)?.sync_all()?;
    Ok(file)
}

fn new_core(settings: Settings, clock: Clock, store: Store, guard: Arc<File>, ledger: Ledger) -> Core {
    let readers = std::thread::available_parallelism().map_or(2, usize::from);
    Core {
        dedupe: Dedupe::new(settings.dedupe_bytes),
        claims: Claims::default(),
        id_filters: Filters::default(),
        queue: Budget::new(settings.queue_bytes),
        readers: Semaphore::new(readers),
        clock,
        store,
        tenants: Tenants::default(),
        policies: Policies::new(settings.retention.clone()),
        ledger: Arc::new(ledger),
        log: OnceLock::new(),
        metrics: Metrics::default(),
        sealing: AsyncMutex::default(),
        tidying: AsyncMutex::default(),
        dropping: AsyncMutex::default(),
        held: Mutex::default(),
        committed: Arc::new(Notify::new()),
        published: Notify::new(),
        unmergeable: Mutex::default(),
        resting: Resting::default(),
        troubles: Mutex::default(),
        stop: tokio_util::sync::CancellationToken::new(),
        tasks: tokio_util::task::TaskTracker::new(),
        guard,
        settings,
    }
}

/// Partitions, splits and named batches.
async fn restore_catalog(core: &Core) -> Result<(), Error> {
    let catalog = core.store.catalog();
    let mut shelves = HashMap::new();
    for partition in catalog.partitions().await? {
        let unknown = || StoreError::Conflict(format!("`{}` is no tenant name", partition.tenant));
        let tenant = Tenant::parse(&partition.tenant).ok_or_else(unknown)?;
        let shelf = core.tenants.shelf(&tenant);
        shelf.set_published(partition.published);
        // A new cell is empty.
        drop(shelf.partition.set(partition.partition));
        shelves.insert(partition.partition, shelf);
    }
    let mut metas = catalog.splits().await?;
    metas.sort_by_key(|meta| (meta.partition, meta.sequences.start));
    for meta in metas {
        let Some(shelf) = shelves.get(&meta.partition) else { continue };
        let split = core.store.open_split(&meta).await;
        if let Err(error) = &split {
            tracing::error!(split = %meta.id, %error, "a split cannot be read: answers are incomplete");
        }
        shelf.restore_split(meta, split.map_err(|error| error.to_string()));
    }
    let since = (core.clock)().plus_nanos(-KNOWN_FOR);
    catalog.newest_batches(since, |row| remember_older(core, &row)).await?;
    Ok(())
}

/// Newest first, as many as there is room for; the others are looked up when they are asked for.
fn remember_older(core: &Core, row: &BatchRow) -> ControlFlow<()> {
    match (row.batch.parse(), answer::parse(&row.answer)) {
        (Ok(batch), Some(ack)) => core.dedupe.restore_older(row.partition, batch, ack, row.accepted),
        _ => ControlFlow::Continue(()),
    }
}

fn remember(core: &Core, row: &BatchRow) {
    if let (Ok(batch), Some(ack)) = (row.batch.parse(), answer::parse(&row.answer)) {
        core.dedupe.restore(row.partition, batch, ack, row.accepted);
    }
}

/// Puts the log's frames on the shelves; says which segment is the newest and how many of its bytes count.
async fn replay(core: &Core, directory: &Path, disk: &Disk) -> Result<Option<(u64, u64)>, Error> {
    let mut last = None;
    for segment in wal::list(directory).map_err(Error::Log)? {
        let id = segment.id;
        let disk = disk.clone();
        let replay = tokio::task::spawn_blocking(move || segment.replay(&disk))
            .await
            .map_err(|_| Error::Closed)?
            .map_err(Error::Log)?;
        report(core, id, &replay);
        last = Some((id, replay.valid));
        // Open, so that it is not released before its last frame is on its shelf.
        core.ledger.note(id, replay.valid, true);
        for frame in replay.frames() {
            core.ledger.holds(id, frame.partition, frame.end());
            restore(core, frame).await?;
            seal::relieve(core, Pressure::Memory).await?;
        }
        fill_to_end(core, &replay);
        core.ledger.note(id, replay.valid, false);
        seal::relieve(core, Pressure::Any).await?;
    }
    seal::release(core).await?;
    Ok(last)
}

fn report(core: &Core, segment: u64, replay: &Replay) {
    for damage in &replay.damage {
        let wal::Damage { segment, offset, bytes, reason } = damage;
        tracing::error!(segment, offset, bytes, reason, "the log is damaged; this part is skipped");
    }
    if replay.torn > 0 {
        tracing::warn!(segment, bytes = replay.torn, "the log's end is torn; it was never acked");
    }
    core.metrics.wal_damaged.inc_by(replay.damage.len() as u64);
    core.metrics.wal_torn_bytes.inc_by(replay.torn);
    tracing::info!(segment, frames = replay.len(), "wal.replay");
}

/// Placeholders for what was lost behind the last frame that could be read, as far as the end mark says that there was something:
/// no number is given out twice.
fn fill_to_end(core: &Core, replay: &Replay) {
    for (partition, end) in replay.end.iter().flat_map(|end| &end.0) {
        let Some(shelf) = core.tenants.by_partition(*partition) else { continue };
        let next = shelf.next();
        if next < *end {
            fill(core, &shelf, next..*end, *partition, (core.clock)());
        }
    }
}

async fn restore(core: &Core, frame: Frame) -> Result<(), Error> {
    let shelf = shelf_of(core, &frame).await?;
    let next = shelf.next();
    if frame.first > next {
        fill(core, &shelf, next..frame.first, frame.partition, frame.ingested);
    }
    let name = frame.row();
    if frame.end() <= next {
        return Ok(());
    }
    if let Some(row) = &name {
        remember(core, row);
    }
    let core_metrics = core.metrics.clone();
    let streams = Arc::clone(&shelf);
    let work = tokio::task::spawn_blocking(move || {
        let (mut events, keys) = events_of(&frame, next, &core_metrics);
        let held = Held { keys, ..streams.streams.share(&mut events) };
        (events, held)
    });
    let (events, held) =
        work.await.map_err(|_| Error::Log(io::Error::other("a frame of the log cannot be read")))?;
    if let Some(batch) = Batch::new(events, held, name) {
        shelf.restore(batch);
    }
    Ok(())
}

async fn shelf_of(core: &Core, frame: &Frame) -> Result<Arc<Shelf>, Error> {
    let unknown =
        || StoreError::Conflict(format!("the log names `{}`, which is no tenant name", frame.tenant));
    let tenant = Tenant::parse(&frame.tenant).ok_or_else(unknown)?;
    let shelf = core.tenants.shelf(&tenant);
    let partition = partition_of(core.store.catalog(), &shelf).await?;
    if partition != frame.partition {
        let text = format!(
            "the log has partition {} for tenant `{tenant}` and the catalog has {partition}: they do not belong together",
            frame.partition
        );
        return Err(StoreError::Conflict(text).into());
    }
    Ok(shelf)
}

/// The frame's events from sequence number `from` on, with ids; and which of them have one from their client.
fn events_of(frame: &Frame, from: u64, metrics: &Metrics) -> (Vec<Event>, Vec<(usize, u64)>) {
    let read = receive(&frame.door, frame.encoding, &frame.body, frame.ingested, &frame.limits);
    let read = read.unwrap_or_else(|error| {
        tracing::error!(first = frame.first, %error, "a batch in the log cannot be read any more");
        Received::default()
    });
    let (keys, mut events) = (read.keys(), read.events);
    let count = usize::try_from(frame.count).unwrap_or(usize::MAX);
    if events.len() != count {
        let (first, found) = (frame.first, events.len());
        tracing::error!(
            first,
            count,
            found,
            "a batch in the log reads differently now; ids stay as they were"
        );
        metrics.lost.inc_by(count.saturating_sub(found) as u64);
        let reason = "this version of Locard does not find this event in its batch any more";
        events.resize_with(count, || placeholder(frame.ingested, reason));
    }
    let numbered = events.into_iter().zip(frame.first..).map(|(mut event, sequence)| {
        event.id = Some(EventId::new(frame.partition, sequence));
        event
    });
    let events = numbered.skip_while(|event| event.id.is_some_and(|id| id.sequence < from)).collect();
    let skipped = usize::try_from(from.saturating_sub(frame.first)).unwrap_or(usize::MAX);
    let keys = keys.into_iter().filter_map(|(place, key)| Some((place.checked_sub(skipped)?, key)));
    (events, keys.collect())
}

/// Puts placeholders on the shelf for sequence numbers that no frame covers.
fn fill(core: &Core, shelf: &Shelf, lost: std::ops::Range<u64>, partition: u32, ingested: Timestamp) {
    tracing::error!(tenant = %shelf.tenant, first = lost.start, events = lost.end - lost.start, "events are missing in the log");
    core.metrics.lost.inc_by(lost.end - lost.start);
    let mut first = lost.start;
    while first < lost.end {
        let end = lost.end.min(first + PLACEHOLDERS);
        let events = (first..end).map(|sequence| {
            let mut event = placeholder(ingested, "its frame in the write-ahead log was damaged");
            event.id = Some(EventId::new(partition, sequence));
            event
        });
        let events: Vec<Event> = events.collect();
        let held = Held::of(&events);
        if let Some(batch) = Batch::new(events, held, None) {
            shelf.restore(batch);
        }
        first = end;
    }
}

/// Stands where an event was lost.
fn placeholder(ingested: Timestamp, reason: &str) -> Event {
    let stream = Arc::new(Stream::new([(name::DATASET, "locard")]));
    let mut event = Event::new(ingested, stream, "an event was lost here");
    event.ingested = Some(ingested);
    event.fields.set(name::ERROR_MESSAGE, reason);
    event.fields.set(name::FLAGS, "lost");
    event
}
