//! Sealing: the oldest hot batches of one tenant become a split, or one for each retention class that is among them.
//!
//! 1. Write them as splits and open these, so that what is published can be read.
//! 2. Publish it in the catalog, with the names of its batches: from then on the log need not hold them.
//! 3. Put it on the shelf in their place, in one step.
//! 4. Release the segments of the log that nothing needs any more.

use std::sync::Arc;

use locard_event::Event;
use locard_store::{Publication, Split, SplitMeta};

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::{Batch, Shelf};

/// The stage's name.
pub(crate) const STAGE: &str = "seal";

/// What may press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// Events in memory.
    Memory,
    /// Those, or the size of the log.
    Any,
}

/// Seals what presses: a tenant with enough events, the largest one when memory is short, whoever keeps the oldest segment when the
/// log is large. A tenant with which that fails rests for a while, so that the others go on. A stop is noticed between any two splits.
pub(crate) async fn relieve(core: &Core, pressure: Pressure) -> Result<(), Error> {
    let _turn = core.sealing.lock().await;
    let mut outcome = Ok(());
    while let Some(shelf) = pressing(core, pressure).await? {
        match seal_oldest(core, &shelf).await {
            Ok(true) => {
                core.resting.succeeded(STAGE, &shelf.tenant);
                release(core).await?;
            }
            Ok(false) => break,
            Err(error) => {
                core.resting.failed(STAGE, &shelf.tenant);
                outcome = outcome.and(Err(error));
            }
        }
    }
    outcome
}

async fn pressing(core: &Core, pressure: Pressure) -> Result<Option<Arc<Shelf>>, Error> {
    if core.stop.is_cancelled() {
        return Ok(None);
    }
    let mut shelves = core.tenants.all();
    shelves.retain(|shelf| !core.resting.rests(STAGE, &shelf.tenant));
    let full = shelves.iter().find(|shelf| shelf.hot_size().0 >= core.settings.seal_events);
    if full.is_some() {
        return Ok(full.cloned());
    }
    if core.tenants.hot_bytes() > core.settings.hot_bytes {
        return Ok(shelves.into_iter().max_by_key(|shelf| shelf.hot_size().1));
    }
    if pressure == Pressure::Any { holder_of_oldest(core).await } else { Ok(None) }
}

async fn holder_of_oldest(core: &Core) -> Result<Option<Arc<Shelf>>, Error> {
    if core.ledger.size().1 <= core.settings.max_wal_bytes {
        return Ok(None);
    }
    if let Some(log) = core.log.get()
        && core.ledger.size().0 == 1
    {
        log.rotate().await?;
    }
    release(core).await?;
    if core.ledger.size().1 <= core.settings.max_wal_bytes {
        return Ok(None);
    }
    let published = core.published();
    let keep = core.ledger.keep_oldest(|partition| published.get(&partition).copied().unwrap_or(0));
    let mut keepers = keep.into_iter().filter_map(|partition| core.tenants.by_partition(partition));
    Ok(keepers.find(|shelf| !core.resting.rests(STAGE, &shelf.tenant)))
}

/// Seals everything acked before the call.
pub(crate) async fn seal_everything(core: &Core) -> Result<(), Error> {
    core.log()?.rotate().await?;
    let targets: Vec<_> = core.tenants.all().into_iter().map(|shelf| (shelf.next(), shelf)).collect();
    let _turn = core.sealing.lock().await;
    let mut outcome = Ok(());
    for (target, shelf) in targets {
        outcome = outcome.and(seal_to(core, &shelf, target).await);
    }
    release(core).await?;
    outcome
}

/// Seals a shelf's hot events below `target`.
pub(crate) async fn seal_to(core: &Core, shelf: &Shelf, target: u64) -> Result<(), Error> {
    while shelf.published() < target {
        if !seal_oldest(core, shelf).await? {
            break;
        }
        core.resting.succeeded(STAGE, &shelf.tenant);
    }
    Ok(())
}

/// Makes splits of the oldest hot batches; `false` if there are none. The caller holds `core.sealing`.
async fn seal_oldest(core: &Core, shelf: &Shelf) -> Result<bool, Error> {
    core.go_on()?;
    let batches = shelf.oldest(core.settings.seal_events);
    let Some(end) = batches.last().map(Batch::end) else { return Ok(false) };
    let events: Vec<_> = batches.iter().map(|batch| Arc::clone(&batch.events)).collect();
    let mut splits = Vec::new();
    let written = write_classes(core, shelf, &events, &mut splits).await;
    if let Err(error) = written.and_then(|()| core.go_on()) {
        splits.iter().for_each(|split| core.store.discard(split));
        return Err(error);
    }
    let ids = batches.iter().flat_map(|batch| batch.ids.iter().copied()).collect();
    let batches = batches.into_iter().filter_map(|batch| batch.name).collect();
    let publication =
        Publication { splits: splits.iter().map(|split| split.meta().clone()).collect(), batches, ids };
    if let Err(error) = core.store.catalog().publish(&publication).await {
        return after_failure(core, shelf, &splits, error.into()).await;
    }
    for SplitMeta { id, events, bytes, class, .. } in &publication.splits {
        tracing::info!(tenant = %shelf.tenant, split = %id, events, bytes, rule = &*class.rule, "split.publish");
    }
    published(core, splits.len());
    free(shelf.sealed(end, splits));
    Ok(true)
}

/// Writes a split for each class among the events.
async fn write_classes(
    core: &Core,
    shelf: &Shelf,
    events: &[Arc<[Event]>],
    splits: &mut Vec<Split>,
) -> Result<(), Error> {
    let (policy, sorted) = (core.policies.of(&shelf.tenant), events.to_vec());
    let sort = tokio::task::spawn_blocking(move || policy.sort(&sorted));
    for (class, places) in sort.await.map_err(|_| Error::Closed)? {
        let meta = core.store.write_class(events.to_vec(), places, class, (core.clock)()).await?;
        splits.push(open_written(core, &meta).await?);
    }
    Ok(())
}

/// Frees what may be much where waiting does not hold up others.
fn free<T: Send + 'static>(much: T) {
    drop(tokio::task::spawn_blocking(move || drop(much)));
}

/// Opens a split that was just written and is not published; one that cannot be opened leaves nothing behind.
pub(crate) async fn open_written(core: &Core, meta: &SplitMeta) -> Result<Split, Error> {
    let opened = core.store.open_split(meta).await;
    if opened.is_err() {
        core.store.forget(meta).await;
    }
    Ok(opened?)
}

/// A failed transaction may have been committed all the same; the catalog decides.
async fn after_failure(core: &Core, shelf: &Shelf, splits: &[Split], error: Error) -> Result<bool, Error> {
    let known = core.store.catalog().splits().await?;
    let is_known = |split: &&Split| known.iter().any(|meta| meta.id == split.meta().id);
    splits.iter().filter(|split| !is_known(split)).for_each(|split| core.store.discard(split));
    if adopt(core, shelf, known).await? { Ok(true) } else { Err(error) }
}

/// Puts splits on the shelf that the catalog has and the shelf has not, all in one step; says whether there were any.
async fn adopt(core: &Core, shelf: &Shelf, known: Vec<SplitMeta>) -> Result<bool, Error> {
    let partition = shelf.partition.get().copied();
    let is_new =
        |meta: &SplitMeta| Some(meta.partition) == partition && meta.sequences.start >= shelf.published();
    let mut new: Vec<_> = known.into_iter().filter(is_new).collect();
    new.sort_by_key(|meta| meta.sequences.start);
    let Some(end) = new.iter().map(|meta| meta.sequences.end).max() else { return Ok(false) };
    let mut splits = Vec::with_capacity(new.len());
    for meta in &new {
        splits.push(core.store.open_split(meta).await?);
    }
    published(core, splits.len());
    free(shelf.sealed(end, splits));
    Ok(true)
}

fn published(core: &Core, splits: usize) {
    core.metrics.sealed.inc_by(splits as u64);
    core.published.notify_one();
}

/// Removes segments of the log that hold nothing unpublished.
pub(crate) async fn release(core: &Core) -> Result<(), Error> {
    let published = core.published();
    let ledger = Arc::clone(&core.ledger);
    let work = move || ledger.release(|partition| published.get(&partition).copied().unwrap_or(0));
    let released = tokio::task::spawn_blocking(work).await.map_err(|_| Error::Closed)?;
    let segments = released.map_err(Error::Log)?;
    if segments > 0 {
        tracing::debug!(segments, "wal.release");
    }
    Ok(())
}
