//! [`Interned`]: one tenant's streams, each once in memory however many batches bring it. Does not keep any alive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use locard_event::{Event, Stream, StreamId};

use crate::lock::lock;
use crate::mix::MixState;

/// Dead entries are swept when there are as many entries as twice those alive after the last sweep, and at least so many.
const SWEEP_AT_LEAST: usize = 1024;

/// Streams by their ids.
#[derive(Debug, Default)]
pub(crate) struct Interned(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    streams: HashMap<StreamId, Weak<Stream>, MixState>,
    sweep_at: usize,
}

/// What a batch of events holds in memory.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its streams, each once.
    pub(crate) streams: Arc<[Arc<Stream>]>,
    /// Bytes beside the streams, estimated.
    pub(crate) bytes: usize,
    /// Places of events that have an id from their client, and what stands for it.
    pub(crate) keys: Vec<(usize, u64)>,
}

impl Held {
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut distinct = Distinct::default();
        for event in events {
            distinct.find(&event.stream, Arc::clone);
        }
        Self::with(distinct, events)
    }

    fn with(distinct: Distinct, events: &[Event]) -> Self {
        let bytes = events.iter().map(Event::heap_bytes).sum();
        Self { streams: distinct.streams.into(), bytes, keys: Vec::new() }
    }

    /// With the streams, as if nothing else had them.
    pub(crate) fn all_bytes(&self) -> usize {
        self.bytes + self.streams.iter().map(|stream| stream.heap_bytes()).sum::<usize>()
    }
}

impl Interned {
    /// Lets the events share one `Arc` a stream, among themselves and with all others that are still held somewhere.
    pub(crate) fn share(&self, events: &mut [Event]) -> Held {
        let mut known = lock(&self.0);
        let mut distinct = Distinct::default();
        for event in &mut *events {
            let shared = distinct.find(&event.stream, |stream| known.shared(stream));
            if let Some(shared) = shared.filter(|shared| !Arc::ptr_eq(shared, &event.stream)) {
                event.stream = Arc::clone(shared);
            }
        }
        Held::with(distinct, events)
    }
}

/// Streams, each once.
#[derive(Default)]
struct Distinct {
    streams: Vec<Arc<Stream>>,
    places: HashMap<StreamId, usize, MixState>,
}

impl Distinct {
    /// The one that stands for an equal stream, `make` of it where it is new.
    fn find(
        &mut self,
        stream: &Arc<Stream>,
        make: impl FnOnce(&Arc<Stream>) -> Arc<Stream>,
    ) -> Option<&Arc<Stream>> {
        let place = *self.places.entry(stream.id()).or_insert_with(|| {
            self.streams.push(make(stream));
            self.streams.len() - 1
        });
        self.streams.get(place)
    }
}

impl Known {
    fn shared(&mut self, stream: &Arc<Stream>) -> Arc<Stream> {
        if let Some(shared) = self.streams.get(&stream.id()).and_then(Weak::upgrade) {
            return shared;
        }
        if self.streams.len() >= self.sweep_at.max(SWEEP_AT_LEAST) {
            self.streams.retain(|_, stream| stream.strong_count() > 0);
            self.sweep_at = 2 * self.streams.len();
        }
        self.streams.insert(stream.id(), Arc::downgrade(stream));
        Arc::clone(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use locard_event::Timestamp;

    fn event(host: usize) -> Event {
        let stream = Arc::new(Stream::new([("host.name", format!("n{host}"))]));
        Event::new(Timestamp::MIN, stream, "x")
    }

    #[test]
    fn equal_streams_are_held_once() {
        let interned = Interned::default();
        let mut events = [event(1), event(1), event(2), event(1)];
        let held = interned.share(&mut events);
        let mut later = [event(2)];
        interned.share(&mut later);
        assert!(Arc::ptr_eq(&events[0].stream, &events[3].stream));
        assert!(Arc::ptr_eq(&events[2].stream, &later[0].stream));
        let alone: usize = events.iter().map(Event::heap_bytes).sum();
        for held in [held, Held::of(&events)] {
            assert_eq!((held.streams.len(), held.bytes), (2, alone));
            assert_eq!(held.all_bytes(), alone + 2 * event(1).stream.heap_bytes());
        }
    }

    #[test]
    fn what_nobody_holds_any_more_is_swept() {
        let interned = Interned::default();
        for host in 0..10 * SWEEP_AT_LEAST {
            interned.share(&mut [event(host)]);
        }
        assert!(lock(&interned.0).streams.len() <= SWEEP_AT_LEAST);
    }
}
