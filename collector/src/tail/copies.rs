//! Copies of generations: rotation compresses files, and `copytruncate` copies them. A copy must not be read again, and when its
//! original is gone it is where what was unread goes on.

use super::content::Content;
use super::generation::{Generation, Record};
use super::log::Log;
use super::reconcile::{Candidate, Moment, age};
use crate::checkpoint::Change;
use crate::metrics::count;

/// So many bytes in common are no accident. Files that are the same only in fewer may just begin with the same lines: they are taken for
/// copies only if they are the same in length, too. When in doubt a file is read: lines that come twice are better than lines that are lost.
const MIN_COPY_BYTES: u64 = 1024;
/// Compared at once.
const CHUNK_BYTES: usize = 64 << 10;

impl Log {
    /// The generation that the candidate is a copy of.
    pub(super) fn original_of(&mut self, candidate: &mut Candidate) -> Option<usize> {
        (0..self.generations.len()).find(|index| {
            let present = self.generations.get(*index).is_some_and(|generation| generation.present);
            if present { self.contains(*index, candidate) } else { self.goes_on_in(*index, candidate) }
        })
    }

    /// Whether everything in the candidate is in this generation, so that nothing is lost if it is not read.
    fn contains(&mut self, index: usize, candidate: &mut Candidate) -> bool {
        let fence = &self.origin.fence;
        let Some(generation) =
            self.generations.get_mut(index).filter(|generation| generation.shadow.is_none())
        else {
            return false;
        };
        let mut opened = None;
        let content = match (&mut generation.content, &generation.record.path) {
            (Some(content), _) => content,
            (None, path) => match fence.open(path).and_then(Content::new) {
                Ok(content) => opened.insert(content),
                Err(_) => return false,
            },
        };
        contains(content, generation.size, generation.record.finished, candidate)
    }

    /// Whether the candidate holds everything of a vanished generation that is known: what was consumed, or else all there is, for a
    /// file may be compressed before its turn comes.
    fn goes_on_in(&mut self, index: usize, candidate: &mut Candidate) -> bool {
        let Some(generation) =
            self.generations.get_mut(index).filter(|generation| generation.shadow.is_none())
        else {
            return false;
        };
        if generation.is_begun() {
            return generation.goes_on_in(candidate);
        }
        let size = generation.size;
        match &mut generation.content {
            Some(content) if size > 0 => same_until(content, &mut candidate.content, size),
            _ => false,
        }
    }

    /// The generation at `index` goes on in this file.
    pub(super) fn adopt(&mut self, index: usize, mut candidate: Candidate, moment: Moment<'_>) {
        // It need not be believed any more, even if this generation moves on to yet another copy.
        let inode = candidate.stat.inode;
        self.deferred.retain(|deferred| deferred.content.stat().is_ok_and(|stat| stat.inode != inode));
        let Some(generation) = self.generations.get_mut(index) else { return };
        tracing::debug!(uuid = %generation.record.uuid, from = %generation.record.path.display(), to = %candidate.path.display(), "goes on in a copy");
        count(&moment.metrics.rotations, "copy", 1);
        generation.record.path = candidate.path;
        (generation.record.device, generation.record.inode) = candidate.stat.inode;
        generation.present = true;
        generation.lost_until = None;
        generation.deleted_since = None;
        generation.retry_at = None;
        if generation.record.finished && candidate.content.ends_at(generation.record.offset) {
            // Read to its end; only the name and the inode are new.
            generation.content = None;
            generation.size = candidate.stat.size;
            generation.modified = candidate.stat.modified;
            generation.record.modified = candidate.stat.modified;
        } else {
            generation.record.finished = false;
            generation.exhausted = false;
            generation.sample = None;
            generation.fruitless_at = None;
            generation.content = Some(candidate.content);
            generation.seen(candidate.stat, moment.now);
        }
        self.changes.push(Change::File(generation.record.clone()));
    }

    /// Copies whose original is gone take its place; those that turn out to be something else are read.
    pub(super) fn settle_shadows(&mut self, moment: Moment<'_>) {
        let mut index = 0;
        while let Some(shadow) = self.generations.get(index) {
            index += 1;
            let (Some(of), true) = (shadow.shadow, shadow.present) else { continue };
            let Some(original) = self.generations.iter().position(|other| other.record.uuid == of) else {
                continue;
            };
            let is_present = self.generations.get(original).is_some_and(|original| original.present);
            // One that is still being written is compared when it is done: comparing takes as long as copying.
            let is_fresh = age(shadow.modified) < moment.limits.rotate_grace;
            if is_present && (is_fresh || shadow.verified == shadow.modified) {
                continue;
            }
            let path = shadow.record.path.clone();
            let Some(mut candidate) = self.open(path, None, moment) else { continue };
            if is_present {
                let contained = self.contains(original, &mut candidate);
                self.keep_shadow(index - 1, contained);
            } else if self.goes_on_in(original, &mut candidate) {
                self.adopt(original, candidate, moment);
                index -= 1;
                self.generations.remove(index);
            }
        }
    }

    fn keep_shadow(&mut self, index: usize, contained: bool) {
        let Some(shadow) = self.generations.get_mut(index) else { return };
        shadow.verified = shadow.modified;
        if !contained {
            tracing::debug!(path = %shadow.record.path.display(), uuid = %shadow.record.uuid, "is no copy after all");
            shadow.shadow = None;
            self.changes.push(Change::File(shadow.record.clone()));
        }
    }
}

impl Generation {
    /// Whether `content` holds everything that was consumed of this generation, and what may be on its way. What cannot be read
    /// does not.
    pub(super) fn matches(&self, content: &mut Content) -> bool {
        let Record { fingerprint, offset, in_flight, .. } = &self.record;
        let consumed = fingerprint.matches(content, *offset).unwrap_or(false);
        consumed && in_flight.as_ref().is_none_or(|again| again.is_in(content, *offset).unwrap_or(false))
    }

    /// Whether this file holds what was consumed of this vanished generation: it is a copy of it, or it itself. One that was read to its
    /// end shares more with its copy than a short beginning.
    pub(super) fn goes_on_in(&self, candidate: &mut Candidate) -> bool {
        let offset = self.record.offset;
        let tells = !self.record.finished || offset >= MIN_COPY_BYTES || candidate.content.ends_at(offset);
        tells && self.matches(&mut candidate.content)
    }

    /// Something of it was consumed or may be on its way, so that a copy of it can be told.
    pub(super) fn is_begun(&self) -> bool {
        self.record.offset > 0 || self.record.in_flight.is_some()
    }
}

/// `size` is that of the original on disk; it may still grow unless it is `finished`. An empty file is no copy of anything.
fn contains(original: &mut Content, size: u64, finished: bool, candidate: &mut Candidate) -> bool {
    let length = candidate.stat.size;
    match (original.is_gzip(), candidate.content.is_gzip()) {
        (false, false) => {
            let is_part = !finished && (MIN_COPY_BYTES..size).contains(&length);
            let is_all = length > 0 && length == size;
            (is_part || is_all) && same_until(original, &mut candidate.content, length)
        }
        // A copy that was compressed before it was believed: its original went on in the compressed one.
        (true, false) => {
            length > 0 && same_until(original, &mut candidate.content, length) && original.ends_at(length)
        }
        // Decompressing tells the length: it must be the original's.
        (false, true) => {
            size > 0 && same_until(original, &mut candidate.content, size) && candidate.content.ends_at(size)
        }
        // Nobody compresses a generation twice.
        (true, true) => false,
    }
}

/// Whether the first `length` bytes are there in both, and the same, every one of them.
fn same_until(a: &mut Content, b: &mut Content, length: u64) -> bool {
    let (mut of_a, mut of_b, mut at) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES], 0);
    while at < length {
        let wanted = usize::try_from(length - at).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        let (Some(of_a), Some(of_b)) = (of_a.get_mut(..wanted), of_b.get_mut(..wanted)) else { return false };
        let is_full = |content: &mut Content, buffer: &mut [u8]| {
            content.read_at(at, buffer).is_ok_and(|read| read == wanted)
        };
        if !is_full(a, of_a) || !is_full(b, of_b) || of_a != of_b {
            return false;
        }
        at += wanted as u64;
    }
    true
}
