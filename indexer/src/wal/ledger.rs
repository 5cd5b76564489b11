//! [`Ledger`]: which segments there are, and up to which sequence numbers they hold each partition.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use super::Disk;
use super::segment;
use crate::lock::lock;

/// The segments. Shared by the writer, which adds, and the sealer, which releases.
pub(crate) struct Ledger {
    disk: Disk,
    directory: PathBuf,
    segments: Mutex<BTreeMap<u64, Segment>>,
}

#[derive(Clone, Debug, Default)]
struct Segment {
    bytes: u64,
    /// Whether the writer may still add to it.
    open: bool,
    /// One past the highest sequence number of each partition in it.
    ends: HashMap<u32, u64>,
}

impl Ledger {
    pub(crate) fn new(disk: Disk, directory: PathBuf) -> Self {
        Self { disk, directory, segments: Mutex::default() }
    }

    /// Notes a segment; an open one is never released.
    pub(crate) fn note(&self, id: u64, bytes: u64, open: bool) {
        let mut segments = lock(&self.segments);
        let segment = segments.entry(id).or_default();
        segment.bytes = bytes;
        segment.open = open;
    }

    /// Notes that a segment holds `partition` up to `end`.
    pub(crate) fn holds(&self, id: u64, partition: u32, end: u64) {
        let mut segments = lock(&self.segments);
        let slot = segments.entry(id).or_default().ends.entry(partition).or_default();
        *slot = end.max(*slot);
    }

    /// How many segments, and how many bytes in them.
    pub(crate) fn size(&self) -> (u64, u64) {
        let segments = lock(&self.segments);
        (segments.len() as u64, segments.values().map(|segment| segment.bytes).sum())
    }

    /// The partitions whose unpublished events keep the oldest segment.
    pub(crate) fn keep_oldest(&self, published: impl Fn(u32) -> u64) -> Vec<u32> {
        let segments = lock(&self.segments);
        let Some((_, oldest)) = segments.first_key_value() else { return Vec::new() };
        let kept = oldest.ends.iter().filter(|(partition, end)| **end > published(**partition));
        kept.map(|(partition, _)| *partition).collect()
    }

    /// Removes the oldest segments that hold nothing unpublished. In order, because a segment's header says how far the one before
    /// it counts. A file that cannot be removed stays noted and is tried again.
    pub(crate) fn release(&self, published: impl Fn(u32) -> u64) -> io::Result<u64> {
        let covered = |segment: &Segment| {
            !segment.open && segment.ends.iter().all(|(partition, end)| *end <= published(*partition))
        };
        let ids: Vec<u64> = {
            let segments = lock(&self.segments);
            segments.iter().take_while(|(_, segment)| covered(segment)).map(|(id, _)| *id).collect()
        };
        for id in &ids {
            let path = segment::path(&self.directory, *id);
            self.disk.remove(&path)?;
            lock(&self.segments).remove(id);
            self.disk.remove(&segment::acceptance(&path))?;
        }
        if !ids.is_empty() {
            self.disk.sync_directory(&self.directory)?;
        }
        Ok(ids.len() as u64)
    }
}
