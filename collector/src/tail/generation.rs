//! [`Generation`]: one file of a log, how far it was read, and its record in the state.

use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::content::Content;
use super::identity::{Fingerprint, Sample};
use crate::frame::Frontier;
use crate::metrics::{Metrics, count};

/// What the state keeps of one file. Its JSON is a format on disk, described in `docs/formats/collector-state.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Names the file in batch ids, whatever its path and inode become.
    pub(crate) uuid: Uuid,
    /// Directory and name of its log: what rotated siblings share.
    #[serde(with = "crate::checkpoint::path")]
    pub(crate) log: PathBuf,
    /// Where it was seen last.
    #[serde(with = "crate::checkpoint::path")]
    pub(crate) path: PathBuf,
    /// Device.
    pub(crate) device: u64,
    /// Inode.
    pub(crate) inode: u64,
    /// Everything before is acknowledged or settled.
    pub(crate) offset: u64,
    /// What is unfinished there.
    #[serde(default, skip_serializing_if = "Frontier::is_clean")]
    pub(crate) frontier: Frontier,
    /// What was consumed.
    pub(crate) fingerprint: Fingerprint,
    /// The batch that may be on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) in_flight: Option<InFlight>,
    /// Time of the last write when it was read last, nanoseconds since the epoch.
    #[serde(default)]
    pub(crate) modified: i64,
    /// It was read to its end after a newer generation or its deletion was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) finished: bool,
}

/// A batch that may or may not have arrived: `offset..last` under the id `uuid/offset-last`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InFlight {
    /// One past its last byte.
    pub(crate) last: u64,
    /// CRC-32C of its raw bytes: if they have changed, it cannot be sent again as the same batch.
    pub(crate) crc: u32,
    /// It ends the file: an unended line is a line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) flush: bool,
    /// Unfinished lines go to the next generation rather than into this batch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) carry: bool,
    /// Nothing followed its unended line for long: what there is of it is an event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) partial: bool,
}

impl InFlight {
    /// Whether the bytes from `offset` on are still those of the batch.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn is_in(&self, content: &mut Content, offset: u64) -> std::io::Result<bool> {
        let mut bytes = vec![0; usize::try_from(self.last.saturating_sub(offset)).unwrap_or_default()];
        let count = content.read_at(offset, &mut bytes)?;
        Ok(count == bytes.len() && self.is(&bytes))
    }

    /// Whether these are the bytes of the batch.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        crc32c::crc32c(bytes) == self.crc
    }
}

/// One file of a log.
#[derive(Debug)]
pub(crate) struct Generation {
    /// What the state keeps.
    pub(crate) record: Record,
    /// Open while there is something to read, or a deletion to outlive.
    pub(crate) content: Option<Content>,
    /// Size when it was looked at last; for gzip the compressed size.
    pub(crate) size: u64,
    /// Last change of its content.
    pub(crate) modified: i64,
    /// The time of the last write up to which the content was found to be what was consumed.
    pub(crate) verified: i64,
    /// In the directory at the last scan, under this name.
    pub(crate) present: bool,
    /// Since when nothing was appended.
    pub(crate) quiet_since: Instant,
    /// Since when there are bytes that wait for a batch.
    pub(crate) waiting_since: Option<Instant>,
    /// At this size there was no whole line; not worth another look before it grows.
    pub(crate) fruitless_at: Option<u64>,
    /// At this size an unended line was sent as far as it went, or there was none to send.
    pub(crate) partial_at: Option<u64>,
    /// The last batch was full of lines, and there may be more.
    pub(crate) has_more: bool,
    /// Since when it has no name any more.
    pub(crate) deleted_since: Option<Instant>,
    /// Its bytes are gone, unless they turn up under another name until then.
    pub(crate) lost_until: Option<Instant>,
    /// After an error, not before then.
    pub(crate) retry_at: Option<Instant>,
    /// Its batch on its way was given up for now, and waits for `retry_at`.
    pub(crate) put_aside: bool,
    /// A copy of this other generation, which is read itself: not read.
    pub(crate) shadow: Option<Uuid>,
    /// Events that are counted as read and not settled yet (a refused batch is split and read again).
    pub(crate) counted: u64,
    /// What the fingerprint hashes, for gzip, in which one cannot go back.
    pub(crate) sample: Option<Sample>,
    /// The gzip stream was read to its end.
    pub(crate) exhausted: bool,
}

impl Generation {
    /// A generation never seen before.
    pub(crate) fn new(log: PathBuf, path: PathBuf, inode: (u64, u64)) -> Self {
        Self::resume(Record {
            uuid: Uuid::new_v4(),
            log,
            path,
            device: inode.0,
            inode: inode.1,
            offset: 0,
            frontier: Frontier::default(),
            fingerprint: Fingerprint::default(),
            in_flight: None,
            modified: 0,
            finished: false,
        })
    }

    /// A generation from the state.
    pub(crate) fn resume(record: Record) -> Self {
        Self {
            record,
            content: None,
            size: 0,
            modified: 0,
            verified: 0,
            present: false,
            quiet_since: Instant::now(),
            waiting_since: None,
            fruitless_at: None,
            partial_at: None,
            has_more: false,
            deleted_since: None,
            lost_until: None,
            retry_at: None,
            put_aside: false,
            shadow: None,
            counted: 0,
            sample: None,
            exhausted: false,
        }
    }

    /// What was read and cannot be sent any more, for the bytes are gone or others.
    pub(crate) fn uncount(&mut self, metrics: &Metrics) {
        let counted = std::mem::take(&mut self.counted);
        metrics.in_flight_events.dec_by(i64::try_from(counted).unwrap_or_default());
        count(&metrics.dropped_events, "changed", counted);
    }

    /// Device and inode.
    pub(crate) fn inode(&self) -> (u64, u64) {
        (self.record.device, self.record.inode)
    }

    /// Bytes that were written and not settled. For gzip that is not known: 1 until its end was seen.
    pub(crate) fn unread(&self) -> u64 {
        match &self.content {
            Some(content) if content.is_gzip() => u64::from(!self.exhausted),
            _ => self.size.saturating_sub(self.record.offset),
        }
    }
}
