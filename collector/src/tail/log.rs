//! [`Log`]: the generations of one log, oldest first, and what to do next with them.
//!
//! One task owns a log at a time, so it never has two batches on their way and needs no locks. Does not know shipping.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::content::{Content, Stat};
use super::generation::{Generation, Record};
use super::read::Job;
use crate::checkpoint::Change;
use crate::frame::{Carried, Frontier};
use crate::metrics::{Metrics, count};
use crate::settings::Limits;
use crate::source::Origin;

/// A deleted file is watched so many graces after it was quiet: its writer may still have it open.
const DELETED_GRACES: u32 = 10;
/// A renamed file likewise: daemons write on until they are told to reopen.
const RENAMED_GRACES: u32 = 300;
/// A truncated file's place is kept so many graces, for the copy that rotation made of it may be found late.
const TRUNCATED_GRACES: u32 = 30;

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
        self.retire(now, limits, metrics);
        let recheck_at = self.deferred.iter().map(|deferred| deferred.until).min();
        match (self.next(now, limits), recheck_at) {
            (Next::Idle, Some(at)) => Next::At(at),
            (Next::At(first), Some(at)) => Next::At(first.min(at)),
            (next, _) => next,
        }
    }

    fn refresh(&mut self, now: Instant, limits: &Limits, metrics: &Metrics) {
        let mut index = 0;
        while let Some(generation) = self.generations.get_mut(index) {
            generation.open_if_needed(&self.origin, metrics);
            generation.detect();
            let stat = generation.content.as_ref().map(Content::stat).and_then(Result::ok);
            if let Some(stat) = stat {
                let size_before = generation.size;
                generation.seen(stat, now);
                if generation.is_truncated() || generation.is_replaced() {
                    generation.size = size_before;
                    self.truncated(index, now, limits, metrics);
                    index += 1;
                }
            }
            index += 1;
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
        let (changes, search) = (&mut self.changes, &mut self.search);
        self.generations.retain_mut(|generation| {
            let superseded = index < newest;
            index += 1;
            if generation.close_if_done(superseded, now, limits) {
                changes.push(Change::File(generation.record.clone()));
            }
            let keep = generation.worth_keeping(now, limits, metrics, search);
            if !keep {
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

/// What a generation asks for.
enum Turn {
    Read(Job),
    /// It must be finished before a newer one may be read.
    Block(Instant),
    /// Nothing to do; the next one may be read.
    Pass,
    PassUntil(Instant),
}

impl Generation {
    fn open_if_needed(&mut self, origin: &Origin, metrics: &Metrics) {
        let done = self.record.finished && self.is_settled();
        if self.content.is_some() || !self.present || self.shadow.is_some() || done {
            return;
        }
        let opened = origin.fence.open(&self.record.path).and_then(|file| {
            let stat = Stat::of(&file.metadata()?);
            // Someone else's file under this name will be found by the next scan.
            if stat.inode == self.inode() { Content::new(file).map(Some) } else { Ok(None) }
        });
        match opened {
            Ok(content) => self.content = content,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                metrics.read_errors.inc();
                tracing::debug!(path = %self.record.path.display(), %error, "not opened");
            }
        }
    }

    /// A file that was empty when it was opened may turn out to be compressed.
    fn detect(&mut self) {
        let untouched = self.is_untouched();
        if let Some(Err(error)) = self.content.as_mut().filter(|_| untouched).map(Content::detect) {
            tracing::debug!(path = %self.record.path.display(), %error, "not read");
        }
    }

    /// Whether everything that was seen of it is settled.
    fn is_settled(&self) -> bool {
        self.record.in_flight.is_none() && self.modified == self.record.modified
    }

    /// Takes note of the file as it is now.
    pub(crate) fn seen(&mut self, stat: Stat, now: Instant) {
        if stat.size != self.size || stat.modified != self.modified {
            self.quiet_since = now;
        }
        if stat.size > self.size && !self.content.as_ref().is_some_and(Content::is_gzip) {
            self.record.finished = false;
        }
        self.size = stat.size;
        self.modified = stat.modified;
        if stat.links == 0 {
            self.deleted_since.get_or_insert(now);
            self.present = false;
        }
        if self.unread() == 0 {
            self.waiting_since = None;
        } else if self.fruitless_at != Some(self.size) {
            self.waiting_since.get_or_insert(now);
        }
    }

    fn is_truncated(&self) -> bool {
        self.content.as_ref().is_some_and(|content| !content.is_gzip()) && self.size < self.record.offset
    }

    /// Written to, though nothing was appended: perhaps truncated and filled again to the same size.
    fn is_replaced(&mut self) -> bool {
        let Some(content) = self.content.as_mut().filter(|content| !content.is_gzip()) else { return false };
        if self.size != self.record.offset || self.modified == self.verified {
            return false;
        }
        match self.record.fingerprint.matches(content, self.record.offset) {
            Ok(true) => self.verified = self.modified,
            Ok(false) => return true,
            // The next read will say it.
            Err(_) => {}
        }
        false
    }

    /// What follows in the log. A file that was empty to its end holds nothing that could follow.
    fn may_succeed(&self) -> bool {
        let was_empty = self.record.finished && self.record.offset == 0;
        let readable = self.present || self.content.is_some();
        self.shadow.is_none() && readable && !was_empty
    }

    /// Nothing was read of it yet.
    fn is_untouched(&self) -> bool {
        let Record { offset, frontier, in_flight, .. } = &self.record;
        *offset == 0 && frontier.is_clean() && in_flight.is_none()
    }

    fn next(&self, superseded: bool, carry: bool, now: Instant, limits: &Limits) -> Turn {
        let job = Job { max_lines: usize::MAX, flush: false, carry: false };
        let unread = self.unread();
        if let Some(at) = self.retry_at.filter(|at| now < *at) {
            return Turn::PassUntil(at);
        }
        if self.record.in_flight.is_some() {
            return Turn::Read(job);
        }
        let is_gzip = self.content.as_ref().is_some_and(Content::is_gzip);
        let closing = is_gzip || superseded || !self.present;
        let unfinished = !self.record.frontier.is_clean();
        if unread == 0 && !(closing && unfinished) {
            return Turn::Pass;
        }
        // The generation that goes on with an unfinished line may not be found yet.
        let graces = if unfinished && !superseded { DELETED_GRACES } else { 1 };
        let quiet_at = self.quiet_since + limits.rotate_grace * graces;
        let fruitless = unread == 0 || self.fruitless_at == Some(self.size);
        match (fruitless, closing) {
            // The end of a file that will not grow any more.
            (true, true) if now >= quiet_at => Turn::Read(Job { flush: true, carry, ..job }),
            (true, true) => Turn::Block(quiet_at),
            (true, false) => Turn::Pass,
            (false, _) => {
                let full_at = self.waiting_since.unwrap_or(now) + limits.flush_after;
                let full = unread >= limits.batch_bytes as u64 || now >= full_at || closing;
                if full { Turn::Read(job) } else { Turn::Block(full_at) }
            }
        }
    }

    /// Its bytes are lost unless they turn up under another name until then.
    fn lost(&mut self, until: Instant) {
        self.content = None;
        self.deleted_since = None;
        self.lost_until = Some(until);
    }

    /// Answers whether the record changed.
    fn close_if_done(&mut self, superseded: bool, now: Instant, limits: &Limits) -> bool {
        if self.content.is_none()
            || self.unread() > 0
            || self.record.in_flight.is_some()
            || !self.record.frontier.is_clean()
        {
            return false;
        }
        let quiet = now.saturating_duration_since(self.quiet_since);
        let graces = match (self.deleted_since.is_some(), self.present) {
            (true, _) => DELETED_GRACES,
            (false, false) => RENAMED_GRACES,
            (false, true) if superseded || self.exhausted => 1,
            (false, true) => return false,
        };
        let done = quiet >= limits.rotate_grace * graces;
        if done {
            self.content = None;
            self.record.finished = true;
            self.record.modified = self.modified;
        }
        done
    }

    /// `false` once it is gone. Says what was lost with it.
    fn worth_keeping(&mut self, now: Instant, limits: &Limits, metrics: &Metrics, search: &mut bool) -> bool {
        if self.present {
            return true;
        }
        if self.content.is_some() {
            let held =
                self.deleted_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            if held < limits.hold_deleted {
                return true;
            }
            gap(metrics, "deleted", &self.record, self.unread());
            return false;
        }
        if self.record.finished && self.record.in_flight.is_none() {
            // Kept a while for its compressed copy to be recognised.
            let until = *self.lost_until.get_or_insert(now + limits.rotate_grace * TRUNCATED_GRACES);
            return now < until;
        }
        let until = match self.lost_until {
            Some(until) => until,
            None => {
                *search = true;
                let until = now + limits.rotate_grace * TRUNCATED_GRACES;
                self.lost_until = Some(until);
                until
            }
        };
        let was_empty = self.size == 0 && self.record.offset == 0;
        if now >= until && !was_empty {
            gap(metrics, "truncated", &self.record, self.size.saturating_sub(self.record.offset));
        }
        now < until
    }
}

/// Counts bytes that were lost, as far as that is known.
pub(crate) fn gap(metrics: &Metrics, reason: &'static str, record: &Record, bytes: u64) {
    count(&metrics.gaps, reason, 1);
    count(&metrics.gap_bytes, reason, bytes);
    tracing::warn!(path = %record.path.display(), offset = record.offset, bytes, reason, "lines may be lost");
}
