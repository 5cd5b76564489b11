//! [`Interned`]: one tenant's streams, each once in memory however many batches bring it. Does not keep any alive.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, Weak};

use locard_event::{Event, Stream, StreamId};

use crate::lock::lock;

/// Dead entries are swept when there are as many entries as twice those alive after the last sweep, and at least so many.
const SWEEP_AT_LEAST: usize = 1024;

/// Streams by their ids.
#[derive(Debug, Default)]
pub(crate) struct Interned(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    streams: HashMap<StreamId, Weak<Stream>>,
    sweep_at: usize,
}

impl Interned {
    /// Lets the events share one `Arc` a stream, among themselves and with all others that are still held somewhere.
    pub(crate) fn share(&self, events: &mut [Event]) {
        let mut known = lock(&self.0);
        let mut last: Option<(Arc<Stream>, Arc<Stream>)> = None;
        for event in events {
            let (_, shared) = match last.take() {
                Some((had, shared)) if Arc::ptr_eq(&had, &event.stream) => last.insert((had, shared)),
                _ => {
                    let shared = known.shared(&event.stream);
                    last.insert((Arc::clone(&event.stream), shared))
                }
            };
            event.stream = Arc::clone(shared);
        }
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

/// The streams of these events, each once.
pub(crate) fn distinct(events: &[Event]) -> Vec<Arc<Stream>> {
    let mut seen = HashSet::new();
    let mut streams: Vec<Arc<Stream>> = Vec::new();
    let mut last: Option<&Arc<Stream>> = None;
    for Event { stream, .. } in events {
        let again = last.is_some_and(|last| Arc::ptr_eq(last, stream));
        last = Some(stream);
        if !again && seen.insert(stream.id()) {
            streams.push(Arc::clone(stream));
        }
    }
    streams
}

/// Memory that events hold with their streams, estimated.
pub(crate) fn held_bytes(events: &[Event]) -> usize {
    let streams: usize = distinct(events).iter().map(|stream| stream.heap_bytes()).sum();
    streams + events.iter().map(Event::heap_bytes).sum::<usize>()
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
        interned.share(&mut events);
        let mut later = [event(2)];
        interned.share(&mut later);
        assert!(Arc::ptr_eq(&events[0].stream, &events[3].stream));
        assert!(Arc::ptr_eq(&events[2].stream, &later[0].stream));
        assert_eq!(distinct(&events).len(), 2);
        let alone: usize = events.iter().map(Event::heap_bytes).sum();
        assert_eq!(held_bytes(&events), alone + 2 * event(1).stream.heap_bytes());
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
