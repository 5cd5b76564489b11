//! The systemd journal, through a `journalctl` process: isolated from its crashes, hangs and rotations (systemd #36247, #40053).
//!
//! A batch is a range of entries counted from the first one ever read; the state holds the cursors before it and at its end, so
//! that it can be read again and sent under the same id. Does not know the journal's file format.

mod entry;
mod process;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use locard_event::{Event, Stream};
use locard_wire::BatchId;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::batch::{Batch, drop_matching};
use crate::checkpoint::{Change, JournalInFlight, JournalRecord};
use crate::config::JournaldConfig;
use crate::delivery::{Delivered, Delivery, Outcome};
use crate::metrics::count;
use entry::Entry;
use process::{Line, Process};

/// Pauses between two starts of `journalctl`.
const RESTART_MIN: Duration = Duration::from_secs(1);
const RESTART_MAX: Duration = Duration::from_secs(30);
/// A silent `journalctl` is started anew: some versions hang after a rotation.
const SILENCE: Duration = Duration::from_secs(600);
/// A batch that may be on its way is in the journal already; so long may `journalctl` take to show it.
const AGAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// After so many starts in vain the cursor is taken to be unknown to the journal.
const CURSOR_LOST_AFTER: u32 = 3;
/// Streams remembered; there is one per host and unit kind in a journal.
const MAX_STREAMS: usize = 256;

type Labels = Vec<(&'static str, Box<str>)>;

/// One `type: journald` source.
#[derive(Debug)]
pub(crate) struct Journal {
    config: JournaldConfig,
    node: String,
    record: JournalRecord,
    delivery: Arc<Delivery>,
    budget: Arc<Semaphore>,
    streams: HashMap<Labels, Arc<Stream>>,
    failures: u32,
    /// Events that are counted as read and not settled yet.
    counted: u64,
    /// The batch on its way was given up for so long: it is read again then.
    put_aside: Option<Duration>,
}

/// Why a session with `journalctl` ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// It said something first.
    AfterEntries,
    /// It said nothing at all and failed.
    InVain,
    /// It was silent, which is no failure.
    Silent,
    /// The batch on its way must wait.
    Stuck(Duration),
}

/// What became of a batch that may be on its way.
#[derive(Debug, PartialEq, Eq)]
enum Resent {
    /// Sent again, or given up for its entries are gone. There may have been none.
    Settled,
    /// Too little was read to say. Nothing has changed.
    TooShort,
}

impl Journal {
    /// Goes on from the record of this source, if there is one.
    pub(crate) fn new<'a>(
        config: JournaldConfig,
        node: &str,
        mut records: impl Iterator<Item = &'a JournalRecord>,
        delivery: Arc<Delivery>,
        budget: Arc<Semaphore>,
    ) -> Self {
        let source = process::source(&config);
        let record = records.find(|record| record.source == source).cloned().unwrap_or_else(|| {
            JournalRecord { uuid: Uuid::new_v4(), source, cursor: None, offset: 0, in_flight: None }
        });
        Self {
            config,
            node: node.to_owned(),
            record,
            delivery,
            budget,
            streams: HashMap::new(),
            failures: 0,
            counted: 0,
            put_aside: None,
        }
    }

    /// Runs until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut pause = RESTART_MIN;
        while !shutdown.is_cancelled() {
            let mut wait = pause;
            pause = (pause * 2).min(RESTART_MAX);
            match self.session(&shutdown).await {
                Ok(Ended::InVain) => self.failures += 1,
                Ok(Ended::Stuck(until)) => wait = until,
                Ok(Ended::AfterEntries | Ended::Silent) => {
                    self.failures = 0;
                    (wait, pause) = (RESTART_MIN, RESTART_MIN * 2);
                }
                Err(error) => {
                    self.delivery.metrics.read_errors.inc();
                    tracing::warn!(%error, "journalctl cannot be read, starting it again");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn session(&mut self, shutdown: &CancellationToken) -> std::io::Result<Ended> {
        let lost = self.failures >= CURSOR_LOST_AFTER && self.record.cursor.is_some();
        if lost {
            count(&self.delivery.metrics.gaps, "journal", 1);
            tracing::warn!(
                "the journal does not know the cursor any more, going on by its time: entries may come twice"
            );
        }
        let max_line_bytes = self.delivery.limits.max_line_bytes;
        let mut process = Process::start(&self.config, self.record.cursor.as_deref(), lost, max_line_bytes)?;
        if self.record.in_flight.is_some() && self.resend(&mut process).await? == Resent::TooShort {
            process.report().await;
            return Ok(Ended::InVain);
        }
        let mut any = false;
        loop {
            if let Some(wait) = self.put_aside.filter(|_| self.record.in_flight.is_some()) {
                return Ok(Ended::Stuck(wait));
            }
            let first = tokio::select! {
                () = shutdown.cancelled() => return Ok(Ended::Silent),
                line = tokio::time::timeout(SILENCE, process.next()) => line,
            };
            let Ok(first) = first else { return Ok(Ended::Silent) };
            let Some(first) = first? else {
                process.report().await;
                return Ok(if any { Ended::AfterEntries } else { Ended::InVain });
            };
            any = true;
            self.batch(first, &mut process).await?;
        }
    }

    /// Fills a batch that begins with `first`, and ships it.
    async fn batch(&mut self, first: Line, process: &mut Process) -> std::io::Result<()> {
        // The room is taken when there is something to put in it, or an idle journal would hold it for ever.
        let budget = Arc::clone(&self.budget);
        let Ok(_permit) = budget.acquire_owned().await else { return Ok(()) };
        let limits = self.delivery.limits;
        let deadline = Instant::now() + limits.flush_after;
        let (mut entries, mut bytes) = (Vec::new(), first.bytes.len());
        entries.extend(self.entry(first));
        while bytes < limits.batch_bytes {
            match tokio::time::timeout_at(deadline, process.next()).await {
                Ok(Ok(Some(line))) => {
                    bytes += line.bytes.len();
                    entries.extend(self.entry(line));
                }
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(error)) => return Err(error),
            }
        }
        self.delivery.metrics.read_bytes.inc_by(bytes as u64);
        self.ship(entries).await;
        Ok(())
    }

    fn entry(&mut self, line: Line) -> Option<Entry> {
        let entry = if line.too_long { None } else { Entry::parse(&line.bytes) };
        if entry.is_none() {
            count(&self.delivery.metrics.gaps, "journal", 1);
            count(&self.delivery.metrics.gap_bytes, "journal", line.bytes.len() as u64);
            tracing::warn!(bytes = line.bytes.len(), "journalctl said something that is no entry");
        }
        entry
    }

    /// Reads the batch that may be on its way again, and sends it under its id.
    async fn resend(&mut self, process: &mut Process) -> std::io::Result<Resent> {
        let Some(again) = self.record.in_flight.clone() else { return Ok(Resent::Settled) };
        let wanted = usize::try_from(again.last.saturating_sub(self.record.offset)).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        let deadline = Instant::now() + AGAIN_TIMEOUT;
        while entries.len() < wanted {
            match tokio::time::timeout_at(deadline, process.next()).await {
                Ok(Ok(Some(line))) => entries.extend(self.entry(line)),
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(error)) => return Err(error),
            }
        }
        let end = entries.iter().position(|entry| entry.cursor == again.cursor).map(|index| index + 1);
        if end.is_none() && entries.len() < wanted && self.failures < CURSOR_LOST_AFTER {
            // It may have failed or been slow: only a whole reading shows that the entries of the batch are gone.
            return Ok(Resent::TooShort);
        }
        if end != Some(wanted) {
            count(&self.delivery.metrics.gaps, "journal", 1);
            tracing::warn!(wanted, found = entries.len(), "entries of a batch on its way were vacuumed");
            self.uncount();
        }
        self.record.in_flight = None;
        // Taken now that there is something to put in it: a stuck batch must not take memory beyond the budget either.
        let budget = Arc::clone(&self.budget);
        let Ok(_permit) = budget.acquire_owned().await else { return Ok(Resent::Settled) };
        let Some(end) = end else {
            // Nothing says that these are the entries that were sent: they go out under a new id.
            self.record.offset = again.last;
            self.ship(entries).await;
            return Ok(Resent::Settled);
        };
        let after = entries.split_off(end);
        self.ship_range(entries, again.last).await;
        if !after.is_empty() && self.record.in_flight.is_none() {
            self.ship(after).await;
        }
        Ok(Resent::Settled)
    }

    /// What was read and cannot be sent any more.
    fn uncount(&mut self) {
        let counted = std::mem::take(&mut self.counted);
        self.delivery.metrics.in_flight_events.dec_by(i64::try_from(counted).unwrap_or_default());
        count(&self.delivery.metrics.dropped_events, "changed", counted);
    }

    async fn ship(&mut self, entries: Vec<Entry>) {
        let last = self.record.offset + entries.len() as u64;
        self.ship_range(entries, last).await;
    }

    /// Ships entries as the range up to `last`; in halves as long as they are refused. When stuck, `in_flight` stays, and what comes
    /// after it is read again.
    async fn ship_range(&mut self, entries: Vec<Entry>, last: u64) {
        let mut parts = vec![(entries, last)];
        while let Some((mut entries, last)) = parts.pop() {
            let Some(cursor) = entries.last().map(|entry| entry.cursor.clone()) else { continue };
            let (events, batch, dropped) = until_done(RESTART_MIN, || self.encode(&entries, last)).await;
            self.delivery.read(events.saturating_sub(self.counted));
            self.counted = self.counted.max(events);
            let mut sent = Outcome::TAKEN;
            if let Some(batch) = batch {
                let in_flight = Some(JournalInFlight { last, cursor: cursor.clone() });
                let sending = JournalRecord { in_flight, ..self.record.clone() };
                let changes = vec![Change::Journal(sending.clone())];
                match self.delivery.deliver(&batch, changes, self.put_aside.is_some()).await {
                    Delivered::Settled(taken) => sent = taken,
                    Delivered::Stuck(wait) => {
                        self.record = sending;
                        self.put_aside = Some(wait);
                        return;
                    }
                    Delivered::Refused(_) if entries.len() > 1 => {
                        let second = entries.split_off(entries.len() / 2);
                        let middle = last - second.len() as u64;
                        parts.push((second, last));
                        parts.push((entries, middle));
                        continue;
                    }
                    Delivered::Refused(why) => {
                        sent = Outcome::Refused;
                        self.delivery.quarantine(&batch, &why).await;
                    }
                }
            }
            self.delivery.settle(events, dropped, sent);
            self.counted = self.counted.saturating_sub(events);
            self.put_aside = None;
            self.record =
                JournalRecord { cursor: Some(cursor), offset: last, in_flight: None, ..self.record.clone() };
            self.delivery.checkpoints.note(vec![Change::Journal(self.record.clone())]).await;
        }
    }

    fn encode(&mut self, entries: &[Entry], last: u64) -> std::io::Result<(u64, Option<Batch>, u64)> {
        let max = self.delivery.limits.max_line_bytes;
        let mut events: Vec<Event> =
            entries.iter().flat_map(|entry| entry.events(self.stream(entry), max)).collect();
        let total = events.len() as u64;
        let dropped = drop_matching(&mut events, &self.delivery.drop);
        let id = BatchId { source: self.record.uuid.to_string().into(), first: self.record.offset, last };
        let batch = Batch::new(id, &events)?;
        Ok((total, Some(batch).filter(|batch| batch.events > 0), dropped))
    }

    fn stream(&mut self, entry: &Entry) -> Arc<Stream> {
        if self.streams.len() > MAX_STREAMS {
            self.streams.clear();
        }
        let node = &self.node;
        let stream = self.streams.entry(entry.labels.clone()).or_insert_with_key(|labels| {
            let own = labels.iter().map(|(name, value)| (*name, value.to_string()));
            // A journal entry without a host name comes from this machine.
            Arc::new(Stream::new(std::iter::once((locard_event::name::HOST, node.clone())).chain(own)))
        });
        Arc::clone(stream)
    }
}

/// Tries again what only a lack of memory can fail: the entries are neither lost nor given another id.
async fn until_done<T>(pause: Duration, mut attempt: impl FnMut() -> std::io::Result<T>) -> T {
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(error) => tracing::error!(%error, "a batch cannot be compressed, trying again"),
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_could_not_be_compressed_is_tried_again() {
        let mut left = 3;
        let attempt = || {
            left -= 1;
            if left > 0 { Err(std::io::ErrorKind::OutOfMemory.into()) } else { Ok("done") }
        };
        assert_eq!(until_done(Duration::ZERO, attempt).await, "done");
        assert_eq!(left, 0);
    }
}
