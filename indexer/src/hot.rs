//! [`Shelf`]: one tenant's events as they stand. Its hot part (acked, not yet in a split), its splits, and the tap.
//!
//! The two parts change under one lock, so a [`View`] has every acked event exactly once. Does not know the log or the store's
//! catalog: stages tell it what has become true.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use locard_event::{Event, Stream, StreamId, Timestamp};
use locard_store::{BatchRow, IdRow, Split, SplitMeta};
use tokio::sync::{OnceCell, broadcast};
use uuid::Uuid;

use crate::hot_bytes::HotBytes;
use crate::ids::{Named, Place};
use crate::interned::{Held, Interned};
use crate::lock::{read, write};
use crate::mix::MixState;
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
    /// Its streams, each once.
    pub(crate) streams: Arc<[Arc<Stream>]>,
    /// Memory it holds beside its streams, estimated.
    pub(crate) bytes: usize,
    /// Which events have an id from their client.
    pub(crate) ids: Arc<[IdRow]>,
    /// Its name and answer, if the sender named it.
    pub(crate) name: Option<BatchRow>,
}

impl Batch {
    /// A batch of `events`, whose ids are given and which hold so much; `None` if there is none.
    pub(crate) fn new(events: Vec<Event>, held: Held, name: Option<BatchRow>) -> Option<Self> {
        let first = events.first()?;
        let sequence = first.id?.sequence;
        let start = (first.filed(), first.filed());
        let wider = |(low, high): (Timestamp, Timestamp), time| (low.min(time), high.max(time));
        let filed = events.iter().map(Event::filed).fold(start, wider);
        let named = name.as_ref().map_or(0, |row| size_of::<BatchRow>() + row.batch.len() + row.answer.len());
        let Held { streams, bytes, keys } = held;
        let ids: Arc<[IdRow]> =
            keys.into_iter().map(|(place, key)| IdRow { key, sequence: sequence + place as u64 }).collect();
        // Here, and in the table that they are looked up in.
        let bytes = named + bytes + 3 * size_of_val(&*ids);
        Some(Self { events: events.into(), first: sequence, filed, streams, bytes, ids, name })
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
    hot_bytes_everywhere: Arc<HotBytes>,
    /// Its streams: events come here sharing them.
    pub(crate) streams: Interned,
    state: RwLock<State>,
    tap: broadcast::Sender<Arc<[Event]>>,
}

#[derive(Debug, Default)]
struct State {
    hot: VecDeque<Batch>,
    hot_events: usize,
    /// Of the batches, and of their streams.
    hot_bytes: usize,
    /// Sequence numbers of events that have an id from their client, by what stands for it.
    ids: HashMap<u64, u64, MixState>,
    /// In how many batches of the hot part each stream is; it weighs once.
    streams: HashMap<StreamId, usize, MixState>,
    splits: Vec<Split>,
    unreadable: Vec<(SplitMeta, String)>,
}

impl Shelf {
    pub(crate) fn new(tenant: Tenant, hot_bytes_everywhere: Arc<HotBytes>) -> Self {
        Self {
            tenant,
            partition: OnceCell::new(),
            published: AtomicU64::new(0),
            hot_bytes_everywhere,
            streams: Interned::default(),
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
        let bytes = batch.bytes + state.add_streams(&batch.streams);
        state.hot_events += batch.events.len();
        state.hot_bytes += bytes;
        state.ids.extend(batch.ids.iter().map(|row| (row.key, row.sequence)));
        self.hot_bytes_everywhere.add(bytes);
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

    /// What is known of a named batch of the hot part.
    pub(crate) fn hot_batch(&self, name: &str) -> Option<BatchRow> {
        let state = read(&self.state);
        let mut rows = state.hot.iter().rev().filter_map(|batch| batch.name.as_ref());
        rows.find(|row| row.batch == name).cloned()
    }

    /// Documents of the hot part by their ids.
    pub(crate) fn hot_documents(&self, names: &[Named]) -> Vec<Place> {
        let state = read(&self.state);
        let find = |named: &Named| {
            let event = state.ids.get(&named.key).and_then(|sequence| state.event(*sequence));
            event.filter(|event| named.is(event)).cloned()
        };
        names
            .iter()
            .map(|named| find(named).map_or(Place::Nowhere, |event| Place::Here(Box::new(event))))
            .collect()
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

    /// The hot events below `end` are now in `splits`. Gives back their batches: freeing some hundred thousand events takes a while,
    /// and acks and searches wait for this lock meanwhile.
    #[must_use = "to be freed on a blocking thread"]
    pub(crate) fn sealed(&self, end: u64, splits: Vec<Split>) -> Vec<Batch> {
        let mut state = write(&self.state);
        let gone = self.take_hot(&mut state, end);
        state.splits.extend(splits);
        self.set_published(end);
        gone
    }

    fn take_hot(&self, state: &mut State, end: u64) -> Vec<Batch> {
        let mut gone = Vec::new();
        while let Some(batch) = state.hot.pop_front_if(|batch| batch.end() <= end) {
            let bytes = batch.bytes + state.remove_streams(&batch.streams);
            state.hot_events -= batch.events.len();
            state.hot_bytes -= bytes;
            state.forget_ids(&batch.ids);
            self.hot_bytes_everywhere.remove(bytes);
            gone.push(batch);
        }
        gone
    }

    /// Puts a published split, or the reason why it cannot be read, on the shelf when the process starts. In sequence order.
    pub(crate) fn restore_split(&self, meta: SplitMeta, split: Result<Split, String>) {
        let mut state = write(&self.state);
        match split {
            Ok(split) => state.splits.push(split),
            Err(reason) => state.unreadable.push((meta, reason)),
        }
    }

    /// `made` stand for `sources` from now on.
    pub(crate) fn replaced(&self, sources: &[Uuid], made: Vec<Split>) {
        let mut state = write(&self.state);
        state.splits.retain(|split| !sources.contains(&split.meta().id));
        state.splits.extend(made);
        state.splits.sort_by_key(|split| split.meta().sequences.start);
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

impl State {
    /// An id that was free again and given anew stands for a newer event.
    fn forget_ids(&mut self, ids: &[IdRow]) {
        for IdRow { key, sequence } in ids {
            if self.ids.get(key) == Some(sequence) {
                self.ids.remove(key);
            }
        }
    }

    fn event(&self, sequence: u64) -> Option<&Event> {
        let at = self.hot.partition_point(|batch| batch.end() <= sequence);
        let batch = self.hot.get(at)?;
        batch.events.get(usize::try_from(sequence.checked_sub(batch.first)?).ok()?)
    }

    /// Counts a batch's streams; says what those weigh that were not there.
    fn add_streams(&mut self, streams: &[Arc<Stream>]) -> usize {
        let mut bytes = 0;
        for stream in streams {
            let batches = self.streams.entry(stream.id()).or_insert(0);
            bytes += if *batches == 0 { stream.heap_bytes() } else { 0 };
            *batches += 1;
        }
        bytes
    }

    /// Takes a batch's streams off again; says what those weigh that are there no more.
    fn remove_streams(&mut self, streams: &[Arc<Stream>]) -> usize {
        let mut bytes = 0;
        for stream in streams {
            let Entry::Occupied(mut batches) = self.streams.entry(stream.id()) else { continue };
            *batches.get_mut() -= 1;
            if *batches.get() == 0 {
                batches.remove();
                bytes += stream.heap_bytes();
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use locard_event::EventId;

    fn batch(first: u64, hosts: &[&str]) -> Batch {
        let event = |(sequence, host): (u64, &&str)| {
            let stream = Arc::new(Stream::new([("host.name", *host)]));
            let mut event = Event::new(Timestamp::MIN, stream, "x");
            event.id = Some(EventId::new(0, sequence));
            event
        };
        let events: Vec<Event> = (first..).zip(hosts).map(event).collect();
        let held = Held::of(&events);
        Batch::new(events, held, None).unwrap()
    }

    #[test]
    fn a_stream_weighs_once_as_long_as_a_batch_has_it() {
        let everywhere = Arc::new(HotBytes::default());
        let shelf = Shelf::new(Tenant::default(), Arc::clone(&everywhere));
        let (one, two) = (batch(0, &["a", "b", "a"]), batch(3, &["b"]));
        let stream = one.events[0].stream.heap_bytes();
        let (first, second) = (one.bytes, two.bytes);
        shelf.restore(one);
        shelf.restore(two);
        assert_eq!(shelf.hot_size(), (4, first + second + 2 * stream));
        let gone = shelf.take_hot(&mut write(&shelf.state), 3);
        assert_eq!(gone.len(), 1);
        assert_eq!(shelf.hot_size(), (1, second + stream));
        drop(shelf.take_hot(&mut write(&shelf.state), 4));
        assert_eq!((shelf.hot_size(), everywhere.get()), ((0, 0), 0));
    }
}
