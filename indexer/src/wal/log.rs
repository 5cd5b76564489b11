//! [`Log`]: the handle of the thread that writes the log, and what goes to it.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use locard_event::Event;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::frame::Frame;
use super::writer::Writer;
use super::{Disk, Ledger};
use crate::budget::Permit;
use crate::clock::Clock;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::interned::Held;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::settings::MAX_BODY_BYTES;

/// A batch to be made durable.
pub(crate) struct Append {
    /// The shelf it goes to.
    pub(crate) shelf: Arc<Shelf>,
    /// What to write; its `first` is given by the writer.
    pub(crate) frame: Frame,
    /// Its events; their ids are given by the writer. As many as `frame.count`, at least one.
    pub(crate) events: Vec<Event>,
    /// What they hold.
    pub(crate) held: Held,
    /// Its part of the queue.
    pub(crate) permit: Permit,
    /// Where to answer, with the sequence number of the first event.
    pub(crate) reply: oneshot::Sender<Result<u64, Error>>,
}

/// What the thread is asked to do.
pub(super) enum Command {
    Append(Box<Append>),
    /// End the open segment.
    Rotate(oneshot::Sender<()>),
    /// Try whether the log can be written again, if it could not.
    Probe,
}

/// What the writer begins with.
pub(crate) struct Start {
    pub(crate) disk: Disk,
    pub(crate) directory: PathBuf,
    pub(crate) segment_bytes: u64,
    pub(crate) clock: Clock,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) metrics: Metrics,
    /// The newest segment and how many of its bytes count.
    pub(crate) last: Option<(u64, u64)>,
    /// The next sequence number of each partition that has one above 0.
    pub(crate) sequences: HashMap<u32, u64>,
    /// Where what is done with is freed.
    pub(crate) runtime: Handle,
    /// Told after each group.
    pub(crate) committed: Arc<Notify>,
    /// Held as long as the thread may write: it keeps other processes out of the directory.
    pub(crate) _guard: Arc<File>,
}

/// The handle of the writer's thread.
pub(crate) struct Log {
    sender: Mutex<Option<Sender<Command>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    refusing: Arc<Mutex<Option<Refusal>>>,
}

/// Why the last group was refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    kind: io::ErrorKind,
    pub(super) text: String,
}

impl Log {
    /// Starts the thread.
    pub(crate) fn start(start: Start) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let refusing = Arc::new(Mutex::new(None));
        let writer = Writer::new(start, Arc::clone(&refusing));
        let thread = std::thread::Builder::new().name("wal".into()).spawn(move || writer.run(&receiver))?;
        Ok(Self { sender: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), refusing })
    }

    /// Queues a batch; the answer comes through its `reply`. One that replay would not read is refused: it would be acked and lost.
    pub(crate) fn append(&self, append: Append) -> Result<(), Error> {
        if !append.frame.fits() {
            return Err(Error::TooLong { max_bytes: MAX_BODY_BYTES });
        }
        self.send(Command::Append(Box::new(append)))
    }

    /// Ends the open segment, behind everything queued.
    pub(crate) async fn rotate(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Rotate(reply))?;
        answer.await.map_err(|_| Error::Closed)
    }

    /// Lets the writer find out whether it can write again, if it could not.
    pub(crate) fn probe(&self) {
        if self.refusing().is_some() {
            // A stopped log has nothing to find out.
            drop(self.send(Command::Probe));
        }
    }

    fn send(&self, command: Command) -> Result<(), Error> {
        let sender = lock(&self.sender);
        sender.as_ref().and_then(|sender| sender.send(command).ok()).ok_or(Error::Closed)
    }

    /// Why batches are refused now, if they are.
    pub(crate) fn refusing(&self) -> Option<String> {
        lock(&self.refusing).as_ref().map(|refusal| refusal.text.clone())
    }

    /// Writes what is queued, then ends the thread. Blocks.
    pub(crate) fn stop(&self) {
        lock(&self.sender).take();
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the log's thread panicked");
        }
    }
}

impl Refusal {
    pub(super) fn new(what: &str, error: &io::Error) -> Self {
        Self { kind: error.kind(), text: format!("{what}: {error}") }
    }

    pub(super) fn error(&self) -> Error {
        match self.kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::NoSpace,
            kind => Error::Log(io::Error::new(kind, self.text.clone())),
        }
    }
}
