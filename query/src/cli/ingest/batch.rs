//! [`Batcher`]: events to batches whose names depend on their content and on nothing else.

use locard_event::Event;
use locard_wire::BatchId;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::Sender;

/// A batch is full at this many bytes of messages …
const MAX_BYTES: usize = 1 << 20;
/// … or this many events.
const MAX_EVENTS: usize = 4000;

/// Events to be sent together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: BatchId,
    pub(super) events: Vec<Event>,
}

/// Collects events and hands full batches over, waiting while the receiver is behind.
pub(super) struct Batcher {
    sender: Sender<Batch>,
    events: Vec<Event>,
    bytes: usize,
    hash: Sha256,
    range: Option<(u64, u64)>,
}

impl Batcher {
    /// For a thread that may block.
    pub(super) fn new(sender: Sender<Batch>) -> Self {
        Self { sender, events: Vec::new(), bytes: 0, hash: Sha256::new(), range: None }
    }

    /// Adds the event whose line began at `offset`. False: nobody wants more.
    pub(super) fn push(&mut self, event: Event, offset: u64) -> bool {
        let length = event.message.len();
        // Everything the source said; not the time of reading, which a second run would not repeat.
        self.hash.update(event.stream.id().0.to_le_bytes());
        self.hash.update(offset.to_le_bytes());
        self.hash.update((length as u64).to_le_bytes());
        self.hash.update(&event.message);
        let end = offset + length as u64;
        let (first, last) = self.range.unwrap_or((offset, end));
        self.range = Some((first.min(offset), last.max(end)));
        self.bytes += length;
        self.events.push(event);
        if self.bytes >= MAX_BYTES || self.events.len() >= MAX_EVENTS { self.hand_over() } else { true }
    }

    /// Hands over what is left.
    pub(super) fn finish(mut self) {
        if !self.events.is_empty() {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) -> bool {
        let digest = std::mem::take(&mut self.hash).finalize();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let (first, last) = self.range.take().unwrap_or_default();
        let id = BatchId { source: format!("ingest/{hex}").into(), first, last };
        self.bytes = 0;
        self.sender.blocking_send(Batch { id, events: std::mem::take(&mut self.events) }).is_ok()
    }
}
