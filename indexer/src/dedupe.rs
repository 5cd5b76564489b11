//! [`Dedupe`]: recognises a batch that was accepted before, and gives the first answer again.
//!
//! A named batch is known for 24 h, or until the answers kept exceed their bound; [`Dedupe::may_have_forgotten`] says whether a name
//! that is not known here is to be looked up elsewhere. While the first of its name is under way, repeats wait for its end: if it was
//! accepted they get its answer, if it failed one of them goes first.
//! The name alone decides; a body is never compared.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry as Slot, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use locard_event::Timestamp;
use locard_wire::{Ack, BatchId};
use tokio::sync::watch;

use crate::lock::lock;

/// How long a repeat is recognised, in nanoseconds.
pub(crate) const KNOWN_FOR: i64 = 24 * 3600 * 1_000_000_000;
/// What an entry costs beside its texts.
const ENTRY_BYTES: usize = 256;

type Key = (u32, BatchId);

/// Batches seen, by partition and name.
#[derive(Debug)]
pub(crate) struct Dedupe {
    max_bytes: usize,
    state: Mutex<State>,
}

/// How full the memory of batches is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Accepted batches known.
    pub(crate) known: usize,
    /// Bytes they hold.
    pub(crate) bytes: usize,
    /// How many went out of memory before their time for lack of room.
    pub(crate) forgotten_early: u64,
}

#[derive(Debug, Default)]
struct State {
    batches: HashMap<Key, Batch>,
    /// Accepted ones in order of acceptance.
    order: VecDeque<(Timestamp, Key)>,
    bytes: usize,
    forgotten_early: u64,
    /// Up to when those were accepted that went out of memory before their time, or never came into it.
    forgotten_until: Option<Timestamp>,
}

#[derive(Debug)]
enum Batch {
    UnderWay(watch::Receiver<()>),
    Accepted { ack: Ack, at: Timestamp },
}

/// What a delivery finds under its name.
pub(crate) enum Found {
    /// Accepted before, with this answer.
    Accepted(Ack),
    /// Another one of this name is under way: wait until the channel closes, then look again.
    UnderWay(watch::Receiver<()>),
    /// Nothing: this delivery goes first.
    First(First),
}

/// The right to be the first of its name. Dropped without [`First::accepted`], the name is free again.
pub(crate) struct First {
    dedupe: Arc<Dedupe>,
    key: Key,
    /// Closing it wakes those who wait.
    _open: watch::Sender<()>,
}

impl Dedupe {
    pub(crate) fn new(max_bytes: usize) -> Arc<Self> {
        Arc::new(Self { max_bytes, state: Mutex::default() })
    }

    /// Looks a name up, and takes it if it is free.
    pub(crate) fn find(self: &Arc<Self>, partition: u32, batch: &BatchId, now: Timestamp) -> Found {
        let mut state = lock(&self.state);
        state.expire(now);
        let key = (partition, batch.clone());
        match state.batches.entry(key.clone()) {
            Slot::Occupied(slot) => match slot.get() {
                Batch::Accepted { ack, .. } => Found::Accepted(ack.clone()),
                Batch::UnderWay(end) => Found::UnderWay(end.clone()),
            },
            Slot::Vacant(slot) => {
                let (open, end) = watch::channel(());
                slot.insert(Batch::UnderWay(end));
                Found::First(First { dedupe: Arc::clone(self), key, _open: open })
            }
        }
    }

    /// Remembers a batch accepted before a restart. Call in order of acceptance.
    pub(crate) fn restore(&self, partition: u32, batch: BatchId, ack: Ack, at: Timestamp) {
        lock(&self.state).accept((partition, batch), ack, at, self.max_bytes);
    }

    /// Remembers a batch accepted before all those remembered, if there is room. Call from the newest to the oldest.
    pub(crate) fn restore_older(
        &self,
        partition: u32,
        batch: BatchId,
        ack: Ack,
        at: Timestamp,
    ) -> ControlFlow<()> {
        let mut state = lock(&self.state);
        let key = (partition, batch);
        let bytes = weight(&key, &ack);
        if state.bytes + bytes > self.max_bytes {
            state.forget_until(at);
            return ControlFlow::Break(());
        }
        state.bytes += bytes;
        state.order.push_front((at, key.clone()));
        state.batches.insert(key, Batch::Accepted { ack, at });
        ControlFlow::Continue(())
    }

    /// Whether a batch of the last day may be unknown here that was accepted.
    pub(crate) fn may_have_forgotten(&self, now: Timestamp) -> bool {
        lock(&self.state).forgotten_until.is_some_and(|until| until.plus_nanos(KNOWN_FOR) >= now)
    }

    pub(crate) fn counts(&self) -> Counts {
        let state = lock(&self.state);
        Counts { known: state.order.len(), bytes: state.bytes, forgotten_early: state.forgotten_early }
    }
}

impl State {
    fn accept(&mut self, key: Key, ack: Ack, at: Timestamp, max_bytes: usize) {
        if let Some(Batch::Accepted { .. }) = self.batches.get(&key) {
            return;
        }
        self.bytes += weight(&key, &ack);
        self.order.push_back((at, key.clone()));
        self.batches.insert(key, Batch::Accepted { ack, at });
        while self.bytes > max_bytes && self.order.len() > 1 {
            if let Some((at, _)) = self.order.front() {
                self.forget_until(*at);
            }
            self.forget_oldest();
            self.forgotten_early += 1;
        }
    }

    fn forget_until(&mut self, at: Timestamp) {
        self.forgotten_until = self.forgotten_until.max(Some(at));
    }

    fn expire(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(at, _)| at.plus_nanos(KNOWN_FOR) < now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((at, key)) = self.order.pop_front() else { return };
        if let Some(Batch::Accepted { ack, at: accepted }) = self.batches.get(&key)
            && *accepted == at
        {
            self.bytes -= weight(&key, ack);
            self.batches.remove(&key);
        }
    }
}

fn weight((_, batch): &Key, ack: &Ack) -> usize {
    let reasons: usize = ack.rejected.iter().map(|r| r.reason.len() + size_of_val(r)).sum();
    ENTRY_BYTES + 2 * batch.source.len() + reasons + size_of_val(ack.conflicts.as_slice())
}

impl First {
    /// The batch is durable and searchable: repeats get this answer from now on.
    pub(crate) fn accepted(self, ack: Ack, at: Timestamp) {
        lock(&self.dedupe.state).accept(self.key.clone(), ack, at, self.dedupe.max_bytes);
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut state = lock(&self.dedupe.state);
        if let Some(Batch::UnderWay(_)) = state.batches.get(&self.key) {
            state.batches.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(last: u64) -> BatchId {
        BatchId { source: "a".into(), first: 0, last }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_seconds(1_764_000_000 + hours * 3600)
    }

    fn ack(accepted: u64) -> Ack {
        Ack { accepted, ..Ack::default() }
    }

    #[track_caller]
    fn first(dedupe: &Arc<Dedupe>, batch: u64, now: Timestamp) -> First {
        match dedupe.find(0, &id(batch), now) {
            Found::First(first) => first,
            _ => panic!("batch {batch} is known"),
        }
    }

    #[test]
    fn a_repeat_within_a_day_gets_the_first_answer() {
        let dedupe = Dedupe::new(1 << 20);
        first(&dedupe, 1, at(0)).accepted(ack(7), at(0));
        assert!(matches!(dedupe.find(0, &id(1), at(24)), Found::Accepted(a) if a == ack(7)));
        assert!(matches!(dedupe.find(1, &id(1), at(24)), Found::First(_)), "another partition");
        first(&dedupe, 1, at(25));
        assert_eq!(dedupe.counts(), Counts::default());
    }

    #[test]
    fn a_failed_first_frees_the_name_and_wakes_those_who_wait() {
        let dedupe = Dedupe::new(1 << 20);
        let leader = first(&dedupe, 1, at(0));
        let Found::UnderWay(end) = dedupe.find(0, &id(1), at(0)) else { panic!("it is under way") };
        assert!(end.has_changed().is_ok());
        drop(leader);
        assert!(end.has_changed().is_err());
        first(&dedupe, 1, at(0));
    }

    #[test]
    fn the_oldest_go_first_when_room_is_short() {
        let dedupe = Dedupe::new(3 * (ENTRY_BYTES + 2));
        for batch in 0..5 {
            first(&dedupe, batch, at(0)).accepted(ack(1), at(0));
        }
        let counts = Counts { known: 3, bytes: 3 * (ENTRY_BYTES + 2), forgotten_early: 2 };
        assert_eq!(dedupe.counts(), counts);
        assert!(matches!(dedupe.find(0, &id(4), at(0)), Found::Accepted(_)));
        first(&dedupe, 1, at(0));
        assert!(dedupe.may_have_forgotten(at(24)));
        assert!(!dedupe.may_have_forgotten(at(25)));
    }

    #[test]
    fn the_newest_of_yesterday_are_remembered_as_far_as_there_is_room() {
        let dedupe = Dedupe::new(3 * (ENTRY_BYTES + 2));
        let kept: Vec<u64> = (0..5)
            .take_while(|batch| {
                dedupe.restore_older(0, id(*batch), ack(1), at(-(*batch as i64))).is_continue()
            })
            .collect();
        assert_eq!(kept, [0, 1, 2]);
        assert!(dedupe.may_have_forgotten(at(21)) && !dedupe.may_have_forgotten(at(22)));
        first(&dedupe, 7, at(0)).accepted(ack(1), at(0));
        assert!(matches!(dedupe.find(0, &id(0), at(0)), Found::Accepted(_)));
        first(&dedupe, 2, at(0));
    }
}
