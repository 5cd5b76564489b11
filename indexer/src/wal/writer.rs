//! [`Writer`]: the one thread that writes the log, and so gives out sequence numbers.
//!
//! 1. Take every batch that waits, up to [`GROUP_BYTES`].
//! 2. Give them sequence numbers, write their frames, fdatasync.
//! 3. Put them into the hot part, tell the tap, answer.
//!
//! A failed write is cut off again; a failed sync, or a failed cut, ends the segment: the header of the next one says how far it
//! counts. Either way nothing of the group is acked and its sequence numbers are given out anew.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use locard_event::{Event, EventId};

use super::frame::{End, Frame};
use super::log::{Append, Command, Refusal, Start};
use super::segment::{self, Header};
use crate::hot::Batch;
use crate::lock::lock;

/// Stop collecting a group at this many bytes.
const GROUP_BYTES: usize = 8 << 20;
/// What is written to find out whether writing works again.
const PROBE_BYTES: usize = 64 << 10;

/// The thread's state.
pub(super) struct Writer {
    start: Start,
    open: Option<Open>,
    next_segment: u64,
    refusing: Arc<Mutex<Option<Refusal>>>,
}

/// The segment being written.
struct Open {
    id: u64,
    file: File,
    nonce: u64,
    /// Its bytes that are durable.
    bytes: u64,
}

impl Writer {
    pub(super) fn new(start: Start, refusing: Arc<Mutex<Option<Refusal>>>) -> Self {
        let next_segment = start.last.map_or(1, |(id, _)| id + 1);
        Self { start, open: None, next_segment, refusing }
    }

    /// Works until every sender is gone.
    pub(super) fn run(mut self, queue: &Receiver<Command>) {
        while let Ok(command) = queue.recv() {
            let (group, other) = collect(command, queue);
            if !group.is_empty() {
                self.commit(group);
            }
            match other {
                Some(Command::Rotate(reply)) => {
                    self.finish();
                    if reply.send(()).is_err() {
                        tracing::debug!("nobody waits for the rotation any more");
                    }
                }
                Some(Command::Probe) => self.probe(),
                Some(Command::Append(_)) | None => {}
            }
        }
        self.finish();
    }

    fn probe(&mut self) {
        if lock(&self.refusing).is_some() {
            let done = self.try_write();
            *lock(&self.refusing) = done.err();
        }
    }

    /// Writes some bytes behind the durable ones and cuts them off again.
    fn try_write(&mut self) -> Result<(), Refusal> {
        let open = self.opened()?;
        let (file, end) = (open.file.try_clone(), open.bytes);
        let disk = &self.start.disk;
        let done = file.and_then(|file| {
            let written = disk.write(&file, &[0; PROBE_BYTES], end);
            disk.truncate(&file, end).and(written)
        });
        done.map_err(|error| Refusal::new("the log cannot be written", &error))
    }

    fn commit(&mut self, mut group: Vec<Append>) {
        let done = self.persist(&mut group);
        *lock(&self.refusing) = done.as_ref().err().cloned();
        match done {
            Ok(()) => self.free(group.into_iter().map(publish).collect::<Vec<_>>()),
            Err(refusal) => {
                tracing::error!(batches = group.len(), error = %refusal.text, "wal.append failed: nothing acked");
                self.start.metrics.wal_failures.inc_by(group.len() as u64);
                self.free(group.into_iter().map(|append| refuse(append, &refusal)).collect::<Vec<_>>());
            }
        }
        self.start.committed.notify_one();
    }

    /// Frees what may be many megabytes elsewhere: every batch waits for this thread.
    fn free<T: Send + 'static>(&self, much: T) {
        drop(self.start.runtime.spawn_blocking(move || drop(much)));
    }

    /// Makes a group durable and gives its events their ids; or changes nothing that a replay or a later group would see.
    fn persist(&mut self, group: &mut [Append]) -> Result<(), Refusal> {
        let open = self.opened()?;
        let (nonce, end) = (open.nonce, open.bytes);
        let mut sequences = self.start.sequences.clone();
        let mut bytes = Vec::new();
        for append in group.iter_mut() {
            number(append, &mut sequences);
            append.frame.encode(nonce, end + bytes.len() as u64, &mut bytes);
        }
        self.write(&bytes)?;
        self.start.sequences = sequences;
        if let Some(open) = &self.open {
            for append in group.iter() {
                self.start.ledger.holds(open.id, append.frame.partition, append.frame.end());
            }
        }
        self.start.metrics.wal_bytes.inc_by(bytes.len() as u64);
        Ok(())
    }

    /// The open segment, a new one if there is none or it is full.
    fn opened(&mut self) -> Result<&Open, Refusal> {
        if self.open.as_ref().is_some_and(|open| open.bytes >= self.start.segment_bytes) {
            self.close();
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => self.begin().map_err(|e| Refusal::new("a segment of the log cannot be made", &e))?,
        };
        Ok(self.open.insert(open))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let disk = &self.start.disk;
        if let Err(error) = disk.write(&open.file, bytes, open.bytes) {
            let refusal = Refusal::new("the log cannot be written", &error);
            if let Err(error) = disk.truncate(&open.file, open.bytes) {
                tracing::error!(segment = open.id, %error, "wal.truncate failed: the segment ends here");
                self.close();
            }
            return Err(refusal);
        }
        let begun = std::time::Instant::now();
        if let Err(error) = disk.sync(&open.file) {
            // What the kernel still holds is unknown, and a second sync may wrongly succeed: the segment is never written again.
            tracing::error!(segment = open.id, %error, "wal.sync failed: the segment ends here");
            self.close();
            return Err(Refusal::new("the log cannot be synced", &error));
        }
        self.start.metrics.wal_sync_seconds.observe(begun.elapsed().as_secs_f64());
        open.bytes += bytes.len() as u64;
        self.start.ledger.note(open.id, open.bytes, true);
        Ok(())
    }

    /// Begins a segment. Its header says how far the one before counts, and is durable before any frame.
    fn begin(&mut self) -> io::Result<Open> {
        let start = &self.start;
        let id = self.next_segment;
        self.next_segment += 1;
        let path = segment::path(&start.directory, id);
        let nonce = uuid::Uuid::new_v4().as_u64_pair().0;
        let header = Header { id, nonce, created: (start.clock)(), previous: start.last }.encode();
        let file = start.disk.create(&path)?;
        let durable = start
            .disk
            .write(&file, &header, 0)
            .and_then(|()| start.disk.sync(&file))
            .and_then(|()| start.disk.sync_directory(&start.directory));
        if let Err(error) = durable {
            // Without frames it does no harm where it cannot be removed.
            drop(std::fs::remove_file(&path));
            return Err(error);
        }
        let bytes = header.len() as u64;
        start.ledger.note(id, bytes, true);
        Ok(Open { id, file, nonce, bytes })
    }

    /// Ends the open segment with the mark that says so. Everything in it is durable; without the mark that is still true.
    fn finish(&mut self) {
        if let Some(open) = &self.open {
            let mut sequences: Vec<_> =
                self.start.sequences.iter().map(|(one, next)| (*one, *next)).collect();
            sequences.sort_unstable();
            let mark = End(sequences).encode(open.nonce, open.bytes);
            let disk = &self.start.disk;
            let written = disk.write(&open.file, &mark, open.bytes).and_then(|()| disk.sync(&open.file));
            if let Err(error) = written {
                tracing::warn!(segment = open.id, %error, "the log's end mark cannot be written");
            }
        }
        self.close();
    }

    /// Ends the open segment where its durable bytes end.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.start.ledger.note(open.id, open.bytes, false);
            self.start.last = Some((open.id, open.bytes));
        }
    }
}

/// Every batch that waits, up to a size or another command.
fn collect(first: Command, queue: &Receiver<Command>) -> (Vec<Append>, Option<Command>) {
    let mut group = Vec::new();
    let mut bytes = 0;
    let mut next = Some(first);
    while let Some(command) = next {
        let Command::Append(append) = command else { return (group, Some(command)) };
        bytes += append.frame.body.len();
        group.push(*append);
        next = if bytes < GROUP_BYTES { queue.try_recv().ok() } else { None };
    }
    (group, None)
}

fn number(append: &mut Append, sequences: &mut HashMap<u32, u64>) {
    let partition = append.frame.partition;
    let next = sequences.entry(partition).or_default();
    append.frame.first = *next;
    for event in &mut append.events {
        event.id = Some(EventId::new(partition, *next));
        *next += 1;
    }
}

/// Nothing of the batch is kept; gives back what is to be freed.
fn refuse(append: Append, refusal: &Refusal) -> (Frame, Vec<Event>) {
    let Append { frame, events, reply, .. } = append;
    drop(reply.send(Err(refusal.error())));
    (frame, events)
}

/// A durable batch becomes searchable, then acked; gives back its body to be freed.
fn publish(append: Append) -> Bytes {
    let Append { shelf, frame, events, held, permit, reply } = append;
    let first = frame.first;
    if let Some(batch) = Batch::new(events, held, frame.row()) {
        shelf.push(batch);
    }
    drop(permit);
    // The sender may have gone; the batch is accepted all the same.
    drop(reply.send(Ok(first)));
    frame.body
}
