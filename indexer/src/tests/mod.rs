//! The pipeline as a whole: what is acked is durable, searchable, there once, whatever fails. Each file is one kind of trouble.

mod classes;
mod dedupe;
mod documents;
mod durability;
mod faults;
mod full_disk;
mod holds;
mod races;
mod retention;
mod stages;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use locard_event::{Event, Timestamp};
use locard_filter::Filter;
use locard_store::{Control, Request};
use locard_tests::eventually;
use locard_wire::{Ack, Encoding};

use crate::wal::{Append, Disk, Frame};
use crate::{Clock, Delivery, Door, Error, Indexer, Principal, Retention, Settings, Tenant, View};

/// 2026-11-24T08:00:00Z.
const NOW: i64 = 1_795_507_200;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    fn clock(&self) -> Clock {
        let hand = self.clone();
        Arc::new(move || Timestamp::from_seconds(hand.0.load(Ordering::Relaxed)))
    }

    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// Small limits; nothing is sealed or merged unless a test asks.
fn settings(directory: &Path) -> Settings {
    Settings { segment_bytes: 4096, ..Settings::at(directory) }
}

async fn open(directory: &Path) -> Arc<Indexer> {
    open_with(settings(directory), Disk::default()).await
}

/// Opens, waiting for the previous holder of the directory to be gone.
async fn open_with(settings: Settings, disk: Disk) -> Arc<Indexer> {
    try_open(settings, disk).await.unwrap()
}

/// As [`open_with`], where opening may fail.
async fn try_open(settings: Settings, disk: Disk) -> Result<Arc<Indexer>, Error> {
    let opened = eventually(PATIENCE, async || {
        match Indexer::open_on(settings.clone(), Hand::new().clock(), disk.clone()).await {
            Err(Error::Log(error)) if in_use(&error) => Err(error.into()),
            other => Ok(other),
        }
    });
    opened.await.unwrap()
}

/// Polls until `holds`, or fails.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let held = eventually(PATIENCE, async || {
        anyhow::ensure!(holds(), "{what}");
        Ok(())
    });
    held.await.unwrap();
}

fn in_use(error: &std::io::Error) -> bool {
    error.to_string().contains("in use")
}

/// A body of one line for each message.
fn body(messages: &[&str]) -> Bytes {
    let line = |message: &&str| format!("{{\"ts\":{NOW},\"msg\":\"{message}\"}}\n");
    messages.iter().map(line).collect::<String>().into()
}

async fn ingest(indexer: &Indexer, body: impl Into<Bytes>, batch: Option<&str>) -> Result<Ack, Error> {
    let batch = batch.map(|text| text.parse().unwrap());
    let delivery = Delivery { door: Door::ndjson(), encoding: Encoding::Identity, batch, body: body.into() };
    indexer.ingest(&Principal::loopback(), delivery).await
}

async fn send(indexer: &Indexer, messages: &[&str]) -> Result<Ack, Error> {
    ingest(indexer, body(messages), None).await
}

/// Every event of a view: splits, then hot.
fn events(view: &View) -> Vec<Event> {
    assert_eq!(view.unreadable, []);
    let request = Request { filter: Filter::All, filed: Timestamp::MIN..Timestamp::MAX };
    let mut all = Vec::new();
    for split in &view.splits {
        let mut visit = |event| {
            all.push(event);
            ControlFlow::Continue(())
        };
        split.each(&request, &Control::default(), &mut visit).unwrap();
    }
    all.extend(view.hot.iter().flat_map(|batch| batch.iter().cloned()));
    all
}

fn everything(indexer: &Indexer) -> Vec<Event> {
    events(&indexer.view(&Tenant::default()))
}

fn messages(indexer: &Indexer) -> Vec<String> {
    everything(indexer).iter().map(|event| String::from_utf8_lossy(&event.message).into_owned()).collect()
}

/// Sequence numbers are 0, 1, 2, … in order.
#[track_caller]
fn assert_gapless(events: &[Event]) {
    let sequences: Vec<u64> = events.iter().map(|event| event.id.unwrap().sequence).collect();
    assert_eq!(sequences, (0..events.len() as u64).collect::<Vec<_>>());
}

/// The log's files in order.
fn segments(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory.join("wal")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
