//! Copies of generations: rotation compresses files, and `copytruncate` copies them. A copy must not be read again, and when its
//! original is gone it is where what was unread goes on.

use super::content::Content;
use super::generation::{Generation, Record};
use super::identity::Sample;
use super::log::Log;
use super::reconcile::{Candidate, Moment};
use crate::checkpoint::Change;
use crate::metrics::count;

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
        contains(content, generation.size, candidate)
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
            return generation.matches(&mut candidate.content);
        }
        let size = generation.size;
        match &mut generation.content {
            Some(content) if size > 0 => same_until(content, &mut candidate.content, size),
            _ => false,
        }
    }

    /// The generation at `index` goes on in this file.
    pub(super) fn adopt(&mut self, index: usize, candidate: Candidate, moment: Moment<'_>) {
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
        if generation.record.finished {
            // Read to its end; only the name and the inode are new.
            generation.content = None;
            generation.size = candidate.stat.size;
            generation.modified = candidate.stat.modified;
            generation.record.modified = candidate.stat.modified;
        } else {
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
            if is_present && shadow.verified == shadow.modified {
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

    /// Something of it was consumed or may be on its way, so that a copy of it can be told.
    pub(super) fn is_begun(&self) -> bool {
        self.record.offset > 0 || self.record.in_flight.is_some()
    }
}

/// `size` is that of the original on disk. An empty file is no copy of anything.
fn contains(original: &mut Content, size: u64, candidate: &mut Candidate) -> bool {
    let length = candidate.stat.size;
    match (original.is_gzip(), candidate.content.is_gzip()) {
        (false, false) => {
            (1..=size).contains(&length) && same_until(original, &mut candidate.content, length)
        }
        // A copy that was compressed before it was believed: its original went on in the compressed one.
        (true, false) => length > 0 && same_until(original, &mut candidate.content, length),
        // Decompressing tells the length: it must be the original's.
        (false, true) => {
            let same = size > 0 && same_until(original, &mut candidate.content, size);
            same && candidate.content.read_at(size, &mut [0]).is_ok_and(|count| count == 0)
        }
        // Nobody compresses a generation twice.
        (true, true) => false,
    }
}

fn same_until(a: &mut Content, b: &mut Content, length: u64) -> bool {
    let fingerprint = |content: &mut Content| {
        let sample = Sample::read(content, length).ok().flatten()?;
        Some(sample.fingerprint())
    };
    let own = fingerprint(a);
    own.is_some() && own == fingerprint(b)
}
