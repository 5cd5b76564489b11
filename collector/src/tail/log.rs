//! [`Log`]: the generations of one log, oldest first, and what to do next with them.
//!
//! One task owns a log at a time, so it never has two batches on their way and needs no locks. Does not know shipping.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::content::Content;
use super::generation::{Generation, Record};
use super::read::Job;
use super::turn::{TRUNCATED_GRACES, Turn};
use crate::checkpoint::Change;
use crate::frame::{Carried, Frontier};
use crate::metrics::{Metrics, count};
use crate::settings::Limits;
use crate::source::Origin;

/// The generations of one log.
#[derive(Debug)]
pub(crate) struct Log {
    /// Directory and name.
    pub(crate) log: PathBuf,
    /// Labels and format.
    pub(crate) origin: Arc<Origin>,
    /// Oldest first.
    pub(crate) generations: Vec<Generation>,
    /// Changes of the state that are not written yet.
    pub(crate) changes: Vec<Change>,
    /// Something vanished or was truncated: its bytes may be under another name.
    pub(crate) search: bool,
    /// It goes on from a state, and was not searched yet: generations may have come and been renamed while no collector ran.
    pub(crate) resumed: bool,
    /// Bytes of deleted files that it holds open, as they are counted.
    held_bytes: u64,
    /// Rotated names that appeared just now: perhaps copies that are still being written. Held open, for they may be deleted.
    pub(crate) deferred: Vec<Deferred>,
}

/// A file that is not believed yet.
#[derive(Debug)]
pub(crate) struct Deferred {
    /// Where it was found.
    pub(crate) path: PathBuf,
    /// Its bytes.
    pub(crate) content: Content,
    /// When it is believed.
    pub(crate) until: Instant,
}

/// What to do next with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing to read.
    Idle,
    /// There is something that will be worth a batch then.
    At(Instant),
    /// Read a batch of this generation now.
    Read {
        /// Index among the generations.
        index: usize,
        /// How.
        job: Job,
        /// Unread bytes, for fairness.
        bytes: u64,
    },
}

impl Log {
    /// A log without generations.
    pub(crate) fn new(log: PathBuf, origin: Arc<Origin>) -> Self {
        Self {
            log,
            origin,
            generations: Vec::new(),
            changes: Vec::new(),
            search: false,
            resumed: false,
            held_bytes: 0,
            deferred: Vec::new(),
        }
    }

    /// Whether nothing is left to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.generations.is_empty() && self.deferred.is_empty()
    }

    /// Bytes written and not settled.
    pub(crate) fn lag_bytes(&self) -> u64 {
        self.generations.iter().filter(|generation| generation.shadow.is_none()).map(Generation::unread).sum()
    }

    /// Looks at the files and decides. Blocks shortly.
    pub(crate) fn look(&mut self, now: Instant, limits: &Limits, metrics: &Metrics) -> Next {
        self.refresh(now, limits, metrics);
        self.count_held(metrics);
        self.retire(now, limits, metrics);
        self.count_held(metrics);
        let recheck_at = self.deferred.iter().map(|deferred| deferred.until).min();
        match (self.next(now, limits), recheck_at) {
            (Next::Idle, Some(at)) => Next::At(at),
            (Next::At(first), Some(at)) => Next::At(first.min(at)),
            (next, _) => next,
        }
    }

    fn count_held(&mut self, metrics: &Metrics) {
        let held = self.generations.iter().map(Generation::held_bytes).sum::<u64>();
        metrics.held_deleted_bytes.inc_by(held as i64 - self.held_bytes as i64);
        self.held_bytes = held;
    }

    fn refresh(&mut self, now: Instant, limits: &Limits, metrics: &Metrics) {
        for generation in &mut self.generations {
            generation.open_if_needed(&self.origin, metrics);
            generation.detect();
        }
        self.find_truncated(now, limits, metrics, false);
    }

    /// Looks which open files are not what was consumed any more; also those that have grown meanwhile if `thorough`, which the next
    /// read of them would find out as well.
    pub(crate) fn find_truncated(
        &mut self,
        now: Instant,
        limits: &Limits,
        metrics: &Metrics,
        thorough: bool,
    ) {
        let mut index = 0;
        while let Some(generation) = self.generations.get_mut(index) {
            index += 1;
            let stat = generation.content.as_ref().map(Content::stat).and_then(Result::ok);
            let Some(stat) = stat else { continue };
            let size_before = generation.size;
            generation.seen(stat, now);
            if generation.is_truncated() || generation.is_replaced(thorough) {
                generation.size = size_before;
                self.truncated(index - 1, now, limits, metrics);
                index += 1;
            }
        }
    }

    /// The file at `index` is not the one that was read: it goes on as a new generation, from the start, and what was known waits
    /// for the copy that rotation may have made.
    pub(crate) fn truncated(&mut self, index: usize, now: Instant, limits: &Limits, metrics: &Metrics) {
        let Some(old) = self.generations.get_mut(index) else { return };
        count(&metrics.rotations, "truncate", 1);
        tracing::info!(path = %old.record.path.display(), offset = old.record.offset, "truncated");
        let mut new = Generation::new(self.log.clone(), old.record.path.clone(), old.inode());
        new.content = old.content.take();
        new.present = old.present;
        if let Some(stat) = new.content.as_ref().and_then(|content| content.stat().ok()) {
            new.seen(stat, now);
        }
        old.present = false;
        // If they turn up in a copy, they are read anew and counted anew.
        old.uncount(metrics);
        old.lost(now + limits.rotate_grace * TRUNCATED_GRACES);
        self.search = true;
        self.changes.push(Change::File(new.record.clone()));
        self.generations.insert(index + 1, new);
    }

    /// Closes what is finished and forgets what is gone.
    fn retire(&mut self, now: Instant, limits: &Limits, metrics: &Metrics) {
        let newest =
            self.generations.iter().rposition(|generation| generation.shadow.is_none()).unwrap_or_default();
        let mut index = 0;
        let (changes, search, held_bytes) = (&mut self.changes, &mut self.search, &mut self.held_bytes);
        self.generations.retain_mut(|generation| {
            let superseded = index < newest;
            index += 1;
            if generation.close_if_done(superseded, now, limits) {
                changes.push(Change::File(generation.record.clone()));
            }
            let held = generation.held_bytes();
            let keep = generation.worth_keeping(now, limits, metrics, search);
            if !keep {
                generation.uncount(metrics);
                // At once, or more would be given up than must be.
                metrics.held_deleted_bytes.dec_by(held as i64);
                *held_bytes = held_bytes.saturating_sub(held);
                tracing::debug!(path = %generation.record.path.display(), uuid = %generation.record.uuid, "forgotten");
                changes.push(Change::Gone(generation.record.uuid));
            }
            keep
        });
    }

    fn next(&self, now: Instant, limits: &Limits) -> Next {
        let mut wait: Option<Instant> = None;
        for (index, generation) in self.generations.iter().enumerate() {
            if generation.shadow.is_some() || generation.content.is_none() {
                continue;
            }
            let later = self.generations.get(index + 1..).unwrap_or_default();
            let successor = later.iter().find(|next| next.may_succeed());
            let carry = self.origin.enveloped && successor.is_some_and(Generation::is_untouched);
            match generation.next(successor.is_some(), carry, now, limits) {
                // What is not believed yet may be older than this, and take over its unfinished lines.
                Turn::Read(job) if self.is_deferring() && (job.flush || generation.is_untouched()) => {
                    return wait.map_or(Next::Idle, Next::At);
                }
                Turn::Read(job) => return Next::Read { index, job, bytes: generation.unread() },
                Turn::Block(until) => return Next::At(wait.map_or(until, |wait| wait.min(until))),
                Turn::Pass => {}
                Turn::PassUntil(until) => wait = Some(wait.map_or(until, |wait| wait.min(until))),
            }
        }
        wait.map_or(Next::Idle, Next::At)
    }

    fn is_deferring(&self) -> bool {
        !self.deferred.is_empty()
    }

    /// Hands unfinished lines to the generation after `index`.
    pub(crate) fn carry(&mut self, index: usize, carried: Vec<Carried>, metrics: &Metrics) {
        if carried.is_empty() {
            return;
        }
        let successor = self.generations.iter_mut().skip(index + 1).find(|next| next.may_succeed());
        if let Some(successor) = successor.filter(|next| next.record.offset == 0) {
            successor.record.frontier = Frontier::carrying(carried);
            self.changes.push(Change::File(successor.record.clone()));
        } else if let Some(generation) = self.generations.get(index) {
            // It was there when the batch was made, and went away while the collector was down.
            gap(metrics, "deleted", &generation.record, 0);
        }
    }
}

/// Counts bytes that were lost, as far as that is known.
pub(crate) fn gap(metrics: &Metrics, reason: &'static str, record: &Record, bytes: u64) {
    count(&metrics.gaps, reason, 1);
    count(&metrics.gap_bytes, reason, bytes);
    tracing::warn!(path = %record.path.display(), offset = record.offset, bytes, reason, "lines may be lost");
}
