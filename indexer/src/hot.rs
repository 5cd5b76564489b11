//! [`Shelf`]: one tenant's events as they stand. Its hot part (acked, not yet in a split), its splits, and the tap.
//!
//! The two parts change under one lock, so a [`View`] has every acked event exactly once. Does not know the log or the store's
//! catalog: stages tell it what has become true.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use locard_event::{Event, Timestamp};
use locard_store::{BatchRow, Split, SplitMeta};
use tokio::sync::{OnceCell, broadcast};
use uuid::Uuid;

use crate::lock::{read, write};
use crate::{Tenant, View};

/// Batches a tap's receiver may lag behind before it misses some.
const TAP_BATCHES: usize = 256;

/// One batch in the hot part.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Its events in sequence order, ids given. Never empty.
    pub(crate) events: Arc<[Event]>,
    /// Sequence number of the first.
    pub(crate) first: u64,
    /// Earliest and latest [`Event::filed`].
    pub(crate) filed: (Timestamp, Timestamp),
    /// Memory it holds, estimated.
    pub(crate) bytes: usize,
    /// Its name and answer, if the sender named it.
    pub(crate) name: Option<BatchRow>,
}

impl Batch {
    /// A batch of `events`, whose ids are given; `None` if there is none.
    pub(crate) fn new(events: Vec<Event>, name: Option<BatchRow>) -> Option<Self> {
        let first = events.first()?;
        let sequence = first.id?.sequence;
        let start = (first.filed(), first.filed());
        let wider = |(low, high): (Timestamp, Timestamp), time| (low.min(time), high.max(time));
        let filed = events.iter().map(Event::filed).fold(start, wider);
        let bytes = events.iter().map(Event::heap_bytes).sum();
        Some(Self { events: events.into(), first: sequence, filed, bytes, name })
    }

    /// One past the sequence number of the last event.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }
}

/// One tenant's events.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) tenant: Tenant,
    /// Given by the catalog with the first delivery.
    pub(crate) partition: OnceCell<u32>,
    /// Sequence numbers below this are in splits, or were retained away.
    published: AtomicU64,
    /// Bytes in the hot parts of all shelves.
    hot_bytes_everywhere: Arc<AtomicUsize>,
    state: RwLock<State>,
    tap: broadcast::Sender<Arc<[Event]>>,
}

#[derive(Debug, Default)]
struct State {
    hot: VecDeque<Batch>,
    hot_events: usize,
    hot_bytes: usize,
    splits: Vec<Split>,
    unreadable: Vec<(SplitMeta, String)>,
}

impl Shelf {
    pub(crate) fn new(tenant: Tenant, hot_bytes_everywhere: Arc<AtomicUsize>) -> Self {
        Self {
            tenant,
            partition: OnceCell::new(),
            published: AtomicU64::new(0),
            hot_bytes_everywhere,
            state: RwLock::default(),
            tap: broadcast::channel(TAP_BATCHES).0,
        }
    }

    /// Adds a batch that has become durable, then tells the tap.
    pub(crate) fn push(&self, batch: Batch) {
        let events = Arc::clone(&batch.events);
        self.restore(batch);
        // An error means that nobody listens.
        drop(self.tap.send(events));
    }

    /// Adds a batch that the log held when the process started.
    pub(crate) fn restore(&self, batch: Batch) {
        let mut state = write(&self.state);
        state.hot_events += batch.events.len();
        state.hot_bytes += batch.bytes;
        self.hot_bytes_everywhere.fetch_add(batch.bytes, Ordering::Relaxed);
        state.hot.push_back(batch);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<[Event]>> {
        self.tap.subscribe()
    }

    /// Everything now.
    pub(crate) fn view(&self) -> View {
        let state = read(&self.state);
        View {
            hot: state.hot.iter().map(|batch| Arc::clone(&batch.events)).collect(),
            splits: state.splits.clone(),
            unreadable: state.unreadable.iter().map(|(meta, reason)| (meta.id, reason.clone())).collect(),
        }
    }

    /// Sequence numbers below this are in splits, or were retained away.
    pub(crate) fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    pub(crate) fn set_published(&self, end: u64) {
        self.published.fetch_max(end, Ordering::AcqRel);
    }

    /// One past the newest sequence number.
    pub(crate) fn next(&self) -> u64 {
        let state = read(&self.state);
        state.hot.back().map_or_else(|| self.published(), Batch::end)
    }

    /// Events and bytes in the hot part.
    pub(crate) fn hot_size(&self) -> (usize, usize) {
        let state = read(&self.state);
        (state.hot_events, state.hot_bytes)
    }

    /// The oldest batches, at least `events` events if there are so many.
    pub(crate) fn oldest(&self, events: usize) -> Vec<Batch> {
        let state = read(&self.state);
        let mut taken = 0;
        let enough = |batch: &&Batch| {
            let more = taken < events;
            taken += batch.events.len();
            more
        };
        state.hot.iter().take_while(enough).cloned().collect()
    }

    /// The hot events below `end` are now in `split` (or, if that cannot be read, lost to this node's searches for `reason`).
    pub(crate) fn sealed(&self, end: u64, split: Split) {
        let mut state = write(&self.state);
        self.drop_hot(&mut state, end);
        state.splits.push(split);
        self.set_published(end);
    }

    fn drop_hot(&self, state: &mut State, end: u64) {
        while let Some(batch) = state.hot.pop_front_if(|batch| batch.end() <= end) {
            state.hot_events -= batch.events.len();
            state.hot_bytes -= batch.bytes;
            self.hot_bytes_everywhere.fetch_sub(batch.bytes, Ordering::Relaxed);
        }
    }

    /// Puts a published split, or the reason why it cannot be read, on the shelf when the process starts. In sequence order.
    pub(crate) fn restore_split(&self, meta: SplitMeta, split: Result<Split, String>) {
        let mut state = write(&self.state);
        match split {
            Ok(split) => state.splits.push(split),
            Err(reason) => state.unreadable.push((meta, reason)),
        }
    }

    /// `merged` stands for `sources` from now on.
    pub(crate) fn merged(&self, sources: &[Uuid], merged: Split) {
        let mut state = write(&self.state);
        let at = state.splits.iter().position(|split| sources.contains(&split.meta().id)).unwrap_or(0);
        state.splits.retain(|split| !sources.contains(&split.meta().id));
        let at = at.min(state.splits.len());
        state.splits.insert(at, merged);
    }

    /// Takes splits off the shelf; later views do not have them.
    pub(crate) fn remove(&self, gone: &[Uuid]) {
        let mut state = write(&self.state);
        state.splits.retain(|split| !gone.contains(&split.meta().id));
        state.unreadable.retain(|(meta, _)| !gone.contains(&meta.id));
    }

    /// The splits, and what is known of the unreadable ones.
    pub(crate) fn splits(&self) -> (Vec<Split>, Vec<SplitMeta>) {
        let state = read(&self.state);
        (state.splits.clone(), state.unreadable.iter().map(|(meta, _)| meta.clone()).collect())
    }

    /// Earliest and latest filed time of the hot part.
    pub(crate) fn hot_filed(&self) -> Option<(Timestamp, Timestamp)> {
        let state = read(&self.state);
        let filed = state.hot.iter().map(|batch| batch.filed);
        filed.reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)))
    }
}
