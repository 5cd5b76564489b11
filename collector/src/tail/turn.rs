//! What one generation asks for: to be read, to be waited for, to be closed, to be forgotten.

use std::time::{Duration, Instant};

use super::content::{Content, Stat};
use super::generation::{Generation, Record};
use super::log::gap;
use super::read::Job;
use crate::metrics::Metrics;
use crate::settings::Limits;
use crate::source::Origin;

/// A deleted file is watched so many graces after it was quiet: its writer may still have it open.
const DELETED_GRACES: u32 = 10;
/// A renamed file likewise: daemons write on until they are told to reopen.
const RENAMED_GRACES: u32 = 300;
/// A truncated file's place is kept so many graces, for the copy that rotation made of it may be found late.
pub(super) const TRUNCATED_GRACES: u32 = 30;

/// What a generation asks for.
pub(super) enum Turn {
    Read(Job),
    /// It must be finished before a newer one may be read.
    Block(Instant),
    /// Nothing to do; the next one may be read.
    Pass,
    PassUntil(Instant),
}

impl Generation {
    pub(super) fn open_if_needed(&mut self, origin: &Origin, metrics: &Metrics) {
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
    pub(super) fn detect(&mut self) {
        let untouched = self.is_untouched();
        if let Some(Err(error)) = self.content.as_mut().filter(|_| untouched).map(Content::detect) {
            tracing::debug!(path = %self.record.path.display(), %error, "not read");
        }
    }

    /// Whether everything that was seen of it is settled.
    pub(super) fn is_settled(&self) -> bool {
        self.record.in_flight.is_none() && self.modified == self.record.modified
    }

    /// Takes note of the file as it is now.
    pub(super) fn seen(&mut self, stat: Stat, now: Instant) {
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

    pub(super) fn is_truncated(&self) -> bool {
        let known = self.record.in_flight.as_ref().map_or(self.record.offset, |again| again.last);
        self.content.as_ref().is_some_and(|content| !content.is_gzip()) && self.size < known
    }

    /// Written to, though nothing was appended: perhaps truncated and filled again to the same size.
    pub(super) fn is_replaced(&mut self, thorough: bool) -> bool {
        let has_grown = self.size > self.record.offset;
        if self.modified == self.verified || (has_grown && !thorough) {
            return false;
        }
        let Some(mut content) = self.content.take() else { return false };
        let same = content.is_gzip() || self.matches(&mut content);
        self.content = Some(content);
        if same {
            self.verified = self.modified;
        }
        !same
    }

    /// What follows in the log. A file that was empty to its end holds nothing that could follow.
    pub(super) fn may_succeed(&self) -> bool {
        let was_empty = self.record.finished && self.record.offset == 0;
        let readable = self.present || self.content.is_some();
        self.shadow.is_none() && readable && !was_empty
    }

    /// Nothing was read of it yet.
    pub(super) fn is_untouched(&self) -> bool {
        let Record { offset, frontier, in_flight, .. } = &self.record;
        *offset == 0 && frontier.is_clean() && in_flight.is_none()
    }

    pub(super) fn next(&self, superseded: bool, carry: bool, now: Instant, limits: &Limits) -> Turn {
        let job = Job { max_lines: limits.batch_lines(), flush: false, carry: false, partial: false };
        let unread = self.unread();
        if let Some(at) = self.retry_at.filter(|at| now < *at) {
            return if self.put_aside { Turn::Block(at) } else { Turn::PassUntil(at) };
        }
        if self.record.in_flight.is_some() {
            return Turn::Read(job);
        }
        let is_gzip = self.content.as_ref().is_some_and(Content::is_gzip);
        let closing = is_gzip || superseded || !self.present;
        let unfinished = !self.record.frontier.is_clean();
        if unread == 0 && !(closing && unfinished) && !self.record.frontier.has_parts() {
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
            (true, false) => self.next_partial(job, now, limits),
            (false, _) => {
                let full_at = self.waiting_since.unwrap_or(now) + limits.flush_after;
                let full = unread >= limits.batch_bytes as u64 || self.has_more || now >= full_at || closing;
                if full { Turn::Read(job) } else { Turn::Block(full_at) }
            }
        }
    }

    /// An unended line is waited for, but not for ever.
    fn next_partial(&self, job: Job, now: Instant, limits: &Limits) -> Turn {
        if self.partial_at == Some(self.size) {
            return Turn::Pass;
        }
        match self.quiet_since + limits.partial_after {
            at if now >= at => Turn::Read(Job { partial: true, ..job }),
            at => Turn::PassUntil(at),
        }
    }

    /// Its bytes are lost unless they turn up under another name until then.
    pub(super) fn lost(&mut self, until: Instant) {
        self.content = None;
        self.deleted_since = None;
        self.put_aside = false;
        self.lost_until = Some(until);
    }

    /// Bytes on disk that only this open file keeps there.
    pub(super) fn held_bytes(&self) -> u64 {
        let held = self.deleted_since.is_some() && self.content.is_some();
        if held { self.size } else { 0 }
    }

    /// Answers whether the record changed.
    pub(super) fn close_if_done(&mut self, superseded: bool, now: Instant, limits: &Limits) -> bool {
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
    pub(super) fn worth_keeping(
        &mut self,
        now: Instant,
        limits: &Limits,
        metrics: &Metrics,
        search: &mut bool,
    ) -> bool {
        if self.present {
            return true;
        }
        if self.content.is_some() {
            let held =
                self.deleted_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            let too_many = metrics.held_deleted_bytes.get() > limits.hold_deleted_bytes as i64;
            if held < limits.hold_deleted && !(too_many && self.held_bytes() > 0) {
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
