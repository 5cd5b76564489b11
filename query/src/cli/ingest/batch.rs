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
    /// How many events.
    pub(super) events: u64,
    /// The events, as OTLP.
    pub(super) body: Vec<u8>,
}

/// Collects events and hands full batches over, waiting while the receiver is behind.
pub(super) struct Batcher {
    sender: Sender<Batch>,
    events: Vec<Event>,
    bytes: usize,
    range: Option<(u64, u64)>,
}

impl Batcher {
    /// For a thread that may block.
    pub(super) fn new(sender: Sender<Batch>) -> Self {
        Self { sender, events: Vec::new(), bytes: 0, range: None }
    }

    /// Adds the event whose line began at `offset`. False: nobody wants more.
    pub(super) fn push(&mut self, event: Event, offset: u64) -> bool {
        let length = event.message.len();
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
        let events = std::mem::take(&mut self.events);
        let body = locard_wire::encode(&events);
        // All that is sent, so that nothing that differs is taken for a repeat; the time of reading is not in it.
        let digest = Sha256::digest(&body);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let (first, last) = self.range.take().unwrap_or_default();
        let id = BatchId { source: format!("ingest/{hex}").into(), first, last };
        self.bytes = 0;
        self.sender.blocking_send(Batch { id, events: events.len() as u64, body }).is_ok()
    }
}
