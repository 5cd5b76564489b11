//! Accepting one delivery.
//!
//! 1. Refuse it if too much is under way: [`reserve`], before its body is read, so that no crowd of senders fills the memory.
//! 2. If it is named and was accepted before, give the first answer again.
//! 3. Read it, on a blocking thread.
//! 4. Hand it to the log, which makes it durable and searchable.
//! 5. Remember its answer.

use std::sync::Arc;
use std::time::Duration;

use locard_event::Timestamp;
use locard_store::BatchRow;
use locard_wire::{Ack, BatchId};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::budget::Permit;
use crate::core::Core;
use crate::dedupe::{First, Found, KNOWN_FOR};
use crate::delivery::{Delivery, Door, Error, Marks};
use crate::hot::Shelf;
use crate::ids::{self, Claim};
use crate::interned::Held;
use crate::metrics::Metrics;
use crate::receive::{Cuts, Item, Received, expand, read_plain};
use crate::tenants::partition_of;
use crate::wal::{Append, Frame, Named, ReadLimits};
use crate::{Settings, Tenant, answer, seal};

/// Accepts a delivery for which `permit` has room. Must run to its end even if nobody waits for it any more: run it in a task of its
/// own.
pub(crate) async fn accept(
    core: Arc<Core>,
    tenant: Tenant,
    delivery: Delivery,
    permit: Permit,
) -> Result<Accepted, Error> {
    let done = try_accept(&core, &tenant, delivery, permit).await;
    if let Err(error) = &done {
        count_refusal(&core, error);
    }
    done
}

/// The longest that a sender waits for sealing to catch up. Senders give up after 10 s at the earliest.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Room for a body of `bytes`, to be taken before it is read. Waits for it a while where sealing lags.
pub(crate) async fn reserve(core: &Core, bytes: usize) -> Result<Permit, Error> {
    if core.stop.is_cancelled() {
        return Err(Error::Closed);
    }
    keep_pace(core).await;
    let sealing_keeps_up = core.tenants.hot_bytes() < core.settings.hot_bytes.saturating_mul(2);
    let permit = if sealing_keeps_up { core.queue.admit(bytes) } else { None };
    permit.ok_or_else(|| busy(core))
}

/// Senders that bring more than is sealed meanwhile are slowed down once the hot parts are as large as they should be, or memory
/// would grow until they are refused. Nobody waits where sealing fails: what comes is kept as long as it can be.
async fn keep_pace(core: &Core) {
    let limit = core.settings.hot_bytes;
    let hot = core.tenants.hot_bytes();
    if hot <= limit || hot >= limit.saturating_mul(2) || core.resting.any(seal::STAGE) {
        return;
    }
    core.metrics.slowed.inc();
    // Whoever waited long enough is let in, or refused if it has come to that.
    drop(timeout(LONGEST_WAIT, core.tenants.hot_bytes_at_most(limit)).await);
}

/// There is no room for a body, or for the rest of it.
pub(crate) fn busy(core: &Core) -> Error {
    count_refusal(core, &Error::BUSY);
    Error::BUSY
}

fn count_refusal(core: &Core, error: &Error) {
    core.metrics.refused.get_or_create(&Metrics::reason(reason(error))).inc();
}

async fn try_accept(
    core: &Arc<Core>,
    tenant: &Tenant,
    delivery: Delivery,
    permit: Permit,
) -> Result<Accepted, Error> {
    let received = (core.clock)();
    let shelf = core.tenants.shelf(tenant);
    let partition = partition_of(core.store.catalog(), &shelf).await?;
    let first = match &delivery.batch {
        Some(batch) => match turn(core, &shelf, partition, batch, received).await? {
            Turn::First(first) => Some(first),
            Turn::Repeat(ack) => {
                core.metrics.repeats.inc();
                let items = again(core, shelf, delivery, permit, &ack, received).await?;
                return Ok(Accepted { ack: Ack { repeated: true, ..ack }, items });
            }
        },
        None => None,
    };
    let (mut delivery, mut ready) = read(core, Arc::clone(&shelf), delivery, permit, received).await?;
    let claim = settle(core, &shelf, partition, &mut delivery, &mut ready).await?;
    let counted = Counted::of(&delivery, &ready.read);
    let mut ack = ready.read.ack.clone();
    let items = std::mem::take(&mut ready.read.items);
    if !ready.read.events.is_empty() {
        ack.first = Some(append(core, shelf, partition, delivery, ready, received).await?);
    }
    drop(claim);
    counted.add_to(&core.metrics);
    // A body of which nothing was accepted is refused: its sender may correct it under the same name.
    let refused = counted.accepted == 0 && counted.rejected > 0;
    if let Some(first) = first.filter(|_| !refused) {
        first.accepted(ack.clone(), received);
    }
    Ok(Accepted { ack, items })
}

/// What became of a delivery, and of each document where it holds documents.
pub(crate) struct Accepted {
    pub(crate) ack: Ack,
    pub(crate) items: Vec<Item>,
}

/// What became of each document of a batch that was accepted before: its body is read again.
async fn again(
    core: &Core,
    shelf: Arc<Shelf>,
    mut delivery: Delivery,
    permit: Permit,
    ack: &Ack,
    received: Timestamp,
) -> Result<Vec<Item>, Error> {
    let Door::Documents(bulk) = &mut delivery.door else { return Ok(Vec::new()) };
    bulk.conflicts = Marks(ack.conflicts.clone());
    let (_, ready) = read(core, shelf, delivery, permit, received).await?;
    Ok(ready.read.items)
}

/// Refuses documents that are there already, and notes in the door which, so that the log reads the same again. Until the claim is
/// dropped nobody else brings their ids.
async fn settle<'a>(
    core: &'a Core,
    shelf: &Arc<Shelf>,
    partition: u32,
    delivery: &mut Delivery,
    ready: &mut Ready,
) -> Result<Option<Claim<'a>>, Error> {
    let Door::Documents(bulk) = &mut delivery.door else { return Ok(None) };
    let claim = ids::settle(core, shelf, partition, &mut ready.read).await?;
    if !ready.read.ack.conflicts.is_empty() {
        bulk.conflicts = Marks(ready.read.ack.conflicts.clone());
        ready.held = Held::of(&ready.read.events);
    }
    ready.held.keys = ready.read.keys();
    Ok(claim)
}

/// What a named batch is.
enum Turn {
    /// The first of its name, with the right to be so.
    First(First),
    /// A repeat, with the answer that the first got.
    Repeat(Ack),
}

async fn turn(
    core: &Core,
    shelf: &Shelf,
    partition: u32,
    batch: &BatchId,
    now: Timestamp,
) -> Result<Turn, Error> {
    loop {
        match core.dedupe.find(partition, batch, now) {
            Found::First(first) => {
                let recalled = recall(core, shelf, partition, batch, now).await?;
                return Ok(recalled.map_or(Turn::First(first), Turn::Repeat));
            }
            Found::Accepted(ack) => return Ok(Turn::Repeat(ack)),
            // An error is what ends it: the first one has dropped its end.
            Found::UnderWay(mut end) => drop(end.changed().await),
        }
    }
}

/// The answer of a batch of the last day that went out of memory: it is in the hot part or in the catalog.
async fn recall(
    core: &Core,
    shelf: &Shelf,
    partition: u32,
    batch: &BatchId,
    now: Timestamp,
) -> Result<Option<Ack>, Error> {
    if !core.dedupe.may_have_forgotten(now) {
        return Ok(None);
    }
    let row = recorded(core, shelf, partition, &batch.to_string()).await?;
    let known = row.filter(|row| row.accepted.plus_nanos(KNOWN_FOR) >= now);
    Ok(known.and_then(|row| answer::parse(&row.answer)))
}

/// What is written down of a named batch: it is in the hot part or in the catalog.
pub(crate) async fn recorded(
    core: &Core,
    shelf: &Shelf,
    partition: u32,
    name: &str,
) -> Result<Option<BatchRow>, Error> {
    // In this order: what is sealed meanwhile is in the catalog before it leaves the hot part.
    match shelf.hot_batch(name) {
        Some(row) => Ok(Some(row)),
        None => Ok(core.store.catalog().batch(partition, name).await?),
    }
}

/// The limits that shape how a body is read.
pub(crate) fn limits(settings: &Settings) -> ReadLimits {
    ReadLimits {
        max_decompressed_bytes: settings.max_decompressed_bytes,
        max_events: settings.max_batch_events,
        max_line_bytes: settings.max_line_bytes,
        max_fields: settings.max_fields,
        max_name_bytes: settings.max_name_bytes,
        max_labels: settings.max_labels,
        max_label_bytes: settings.max_label_bytes,
    }
}

/// A body that was read, with its part of the queue.
struct Ready {
    read: Received,
    held: Held,
    permit: Permit,
}

/// Expands and reads a body. The permit grows with what it becomes, before it becomes so where that is known.
async fn read(
    core: &Core,
    shelf: Arc<Shelf>,
    delivery: Delivery,
    mut permit: Permit,
    received: Timestamp,
) -> Result<(Delivery, Ready), Error> {
    let _turn = core.readers.acquire().await.map_err(|_| Error::Closed)?;
    let limits = limits(&core.settings);
    let work = tokio::task::spawn_blocking(move || {
        let Delivery { door, encoding, body, .. } = &delivery;
        let plain = expand(body, *encoding, &limits, |bytes| permit.resize(body.len() + bytes))?;
        let mut read = read_plain(door, &plain, received, &limits)?;
        drop(plain);
        let held = shelf.streams.share(&mut read.events);
        if !permit.resize(body.len() + held.all_bytes()) {
            return Err(Error::BUSY);
        }
        Ok((delivery, Ready { read, held, permit }))
    });
    // A panic is a defect in a parser; the sender is told that this body cannot be read, and the rest goes on.
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "reading a body panicked");
        Err(Error::Malformed { line: None, reason: "the body cannot be read".into() })
    })
}

/// Gives back the sequence number of the first event.
async fn append(
    core: &Core,
    shelf: Arc<Shelf>,
    partition: u32,
    delivery: Delivery,
    ready: Ready,
    received: Timestamp,
) -> Result<u64, Error> {
    let Ready { read, held, permit } = ready;
    let answer = || answer::keep(&read.ack);
    let frame = Frame {
        partition,
        tenant: shelf.tenant.as_str().to_owned(),
        first: 0,
        count: u32::try_from(read.events.len()).unwrap_or(u32::MAX),
        ingested: received,
        limits: limits(&core.settings),
        named: delivery.batch.map(|batch| Named { batch: batch.to_string(), answer: answer() }),
        door: delivery.door,
        encoding: delivery.encoding,
        body: delivery.body,
    };
    let (reply, answered) = oneshot::channel();
    core.log()?.append(Append { shelf, frame, events: read.events, held, permit, reply })?;
    answered.await.map_err(|_| Error::Closed)?
}

/// What is counted of a body once it is accepted.
struct Counted {
    door: &'static str,
    bytes: u64,
    accepted: u64,
    rejected: u64,
    cuts: Cuts,
}

impl Counted {
    fn of(delivery: &Delivery, read: &Received) -> Self {
        Self {
            door: delivery.door.name(),
            bytes: delivery.body.len() as u64,
            accepted: read.ack.accepted,
            rejected: read.ack.rejected_count,
            cuts: read.cuts,
        }
    }

    fn add_to(&self, metrics: &Metrics) {
        let door = Metrics::door(self.door);
        metrics.received_bytes.get_or_create(&door).inc_by(self.bytes);
        metrics.accepted.get_or_create(&door).inc_by(self.accepted);
        metrics.rejected.get_or_create(&door).inc_by(self.rejected);
        metrics.cut_values.inc_by(self.cuts.values);
        metrics.left_out_fields.inc_by(self.cuts.fields);
    }
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::Malformed { .. } | Error::BadEvent { .. } => "malformed",
        Error::TooLarge { .. } | Error::TooLong { .. } | Error::TooMany { .. } => "too_large",
        Error::Busy { .. } => "busy",
        Error::NoSpace => "no_space",
        Error::Log(_) => "log",
        Error::Store(_) => "store",
        Error::Closed => "closed",
    }
}
